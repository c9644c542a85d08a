import Foundation
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite(.timeLimit(.minutes(10))) struct OutboxTests {
        @Test("the worker is killed fifty times, at any point: no message is lost, none is sent twice more than once")
        func kills() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                var people: [(person: Person, acknowledged: Bool)] = []
                for _ in 0..<50 {
                    let batch = (0..<3).map { _ in Person(deployment) }
                    async let answers = withTaskGroup(of: (Int, Bool).self) { group in
                        for (index, person) in batch.enumerated() {
                            group.addTask { (index, (try? await person.sendCode())?.status == 202) }
                        }
                        return await group.reduce(into: [Int: Bool]()) { $0[$1.0] = $1.1 }
                    }
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...40_000)))
                    try await deployment.processes.get(.otp).crash()
                    let acknowledged = await answers
                    for (index, person) in batch.enumerated() { people.append((person, acknowledged[index] == true)) }
                    // Fifty starts take a slow machine longer than a lease, which may pass only when no more is killed: the
                    // promise is one message more for one crash.
                    try await deployment.execute(
                        "UPDATE messages SET due_at = now() + interval '1 h' WHERE lease IS NOT NULL AND state = 'queued'",
                        in: .otp)
                    try await deployment.start(.otp)
                }
                people.append((try await killedAtTheGateway(deployment), true))
                // Those leases pass now, and no others: what the living process has taken is its own.
                try await deployment.execute(
                    "UPDATE messages SET due_at = now() WHERE state = 'queued' AND due_at > now() + interval '5 min'",
                    in: .otp)
                let end = ContinuousClock.now + .seconds(90)
                while try await deployment.execute("SELECT count(*) FROM messages WHERE state = 'queued'", in: .otp)
                    != ["0"],
                    ContinuousClock.now < end
                { try await Task.sleep(for: .milliseconds(50)) }
                var twice = 0
                for (person, acknowledged) in people {
                    let codes = try await person.inbox()
                    #expect(codes.count <= 2 && (codes.count >= 1 || !acknowledged), "\(codes.count) messages")
                    #expect(Set(codes).count <= 1, "the same code")
                    twice += codes.count == 2 ? 1 : 0
                }
                #expect(people.contains { $0.acknowledged })
                let states = try await deployment.execute(
                    "SELECT DISTINCT state FROM messages WHERE state <> 'submitted'", in: .otp)
                #expect(states.isEmpty, "\(states); \(twice) were sent twice")
            }
        }

        /// The last kill of all: the message is at a gateway that says nothing, and its lease passes by itself, in the thirty
        /// seconds that it lasts. Nobody has taken the message meanwhile.
        private func killedAtTheGateway(_ deployment: Deployment) async throws -> Person {
            let gateway = try await deployment.processes.get(.simulator)
            gateway.send(signal: SIGSTOP)
            let person = Person(deployment)
            let challenge = try #require(try await person.sendCode().string("challenge_id"))
            let lease = "SELECT lease FROM messages WHERE challenge_id = '\(challenge)'"
            let end = ContinuousClock.now + .seconds(20)
            while try await deployment.execute(lease, in: .otp) == [nil], ContinuousClock.now < end {
                try await Task.sleep(for: .milliseconds(5))
            }
            let held = try await deployment.execute(lease + " AND due_at > now() + interval '10 s'", in: .otp)
            #expect(held.count == 1 && held != [nil])
            try await deployment.processes.get(.otp).crash()
            gateway.send(signal: SIGCONT)
            try await deployment.start(.otp)
            let later = try await deployment.execute(
                lease + " AND state = 'queued' AND tries = 1 AND due_at > now()", in: .otp)
            #expect(later == held)
            return person
        }

        @Test("a report of delivery reaches the challenge, over the webhook")
        func delivered() async throws {
            let secret = "Zt7Qm2Xv9Kp4Ws1Ld8Hc5Rb3"
            try await withDeployment([.otp, .simulator], environment: ["MSG91_WEBHOOK_SECRET": secret]) { deployment in
                let hook = deployment.api(.otp).base + "/v1/otp/delivery-reports/" + secret
                _ = try await deployment.api(.simulator).call(
                    "PUT", "/reporting", Array(#"{"url":"\#(hook)"}"#.utf8), nil, [("Content-Type", "application/json")]
                )
                let person = Person(deployment)
                let challenge = try #require(try await person.sendCode().string("challenge_id"))
                let end = ContinuousClock.now + .seconds(10)
                var state: String?
                while state != "delivered", ContinuousClock.now < end {
                    try await Task.sleep(for: .milliseconds(20))
                    state = try await deployment.api(.otp).get("/v1/otp/challenges/\(challenge)").string(
                        "delivery", "state")
                }
                #expect(state == "delivered")
                #expect(try await !deployment.processes.get(.otp).log.contains(secret))
            }
        }
    }
}
