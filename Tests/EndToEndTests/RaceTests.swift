import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite struct RaceTests {
        private func verifyInParallel(
            _ person: Person, _ challenge: String, _ codes: [String]
        ) async -> [(status: Int, problem: String?)] {
            await withTaskGroup(of: (Int, String?).self) { group in
                for code in codes {
                    group.addTask {
                        guard let answer = try? await person.verify(challenge, code) else { return (0, nil) }
                        return (answer.status, answer.problem)
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
        }

        /// Five digits of a code that is not the right one.
        private func wrong(_ code: String, _ n: Int) -> String {
            let number = ((Int(code) ?? 0) + n) % 1_000_000
            return String(repeating: "0", count: 6 - "\(number)".count) + "\(number)"
        }

        @Test func fiftyRightAnswersGiveOneSuccess() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                for _ in 0..<5 {
                    let person = Person(deployment)
                    let challenge = try #require(try await person.sendCode().string("challenge_id"))
                    let code = try await person.receiveCode()
                    let answers = await verifyInParallel(person, challenge, Array(repeating: code, count: 50))
                    #expect(answers.filter { $0.status == 200 }.count == 1)
                    #expect(answers.filter { $0.problem == "challenge-not-active" }.count == 49)
                }
            }
        }

        @Test func fiftyWrongAnswersAreEvaluatedFiveTimes() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                let person = Person(deployment)
                let challenge = try #require(try await person.sendCode().string("challenge_id"))
                let code = try await person.receiveCode()
                let answers = await verifyInParallel(person, challenge, (1...50).map { wrong(code, $0) })
                #expect(answers.filter { $0.problem == "incorrect-code" }.count == 5)
                #expect(answers.filter { $0.problem == "challenge-not-active" }.count == 45)
                let right = try await person.verify(challenge, code)
                #expect(right.status == 410)
            }
        }

        @Test func aCrashInTheMiddleChangesNeither() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                for kind in ["right", "wrong"] {
                    let person = Person(deployment)
                    let challenge = try #require(try await person.sendCode().string("challenge_id"))
                    let code = try await person.receiveCode()
                    let codes = kind == "right" ? Array(repeating: code, count: 50) : (1...50).map { wrong(code, $0) }
                    let service = try await deployment.processes.get(.otp)
                    async let before = verifyInParallel(person, challenge, codes)
                    try await Task.sleep(for: .milliseconds(Int.random(in: 1...15)))
                    try await service.crash()
                    let first = await before
                    try await deployment.start(.otp)
                    let second = await verifyInParallel(person, challenge, codes)
                    // An answer that the crash swallowed may have counted: never more than allowed, perhaps fewer seen.
                    let all = first + second
                    let evaluated = all.filter { $0.problem == "incorrect-code" }.count
                    let successes = all.filter { $0.status == 200 }.count
                    if kind == "right" {
                        #expect(successes <= 1 && evaluated == 0)
                        let used = try await deployment.execute(
                            "SELECT count(*) FROM challenges WHERE id = '\(challenge)' AND verified_at IS NOT NULL",
                            in: .otp)
                        #expect(used == ["1"])
                    } else {
                        #expect(evaluated <= 5 && successes == 0)
                        let right = try await person.verify(challenge, code)
                        #expect(right.status == 410)
                    }
                }
            }
        }

        @Test func aCrashBetweenCommitAndDeliveryLosesNoCode() async throws {
            try await withDeployment([.otp, .simulator]) { deployment in
                for _ in 0..<3 {
                    let person = Person(deployment)
                    let service = try await deployment.processes.get(.otp)
                    // The gateway cannot be reached, so the job is committed and claimed but not delivered.
                    let gateway = try await deployment.processes.get(.simulator)
                    gateway.send(signal: SIGSTOP)
                    let sent = try await person.sendCode()
                    #expect(sent.status == 202)
                    try await service.crash()
                    gateway.send(signal: SIGCONT)
                    try await Task.sleep(for: .milliseconds(100))
                    try await deployment.start(.otp)
                    // The lease of the dead process runs out in thirty seconds; the clock is moved instead.
                    try await deployment.execute(
                        "UPDATE messages SET due_at = now() - interval '1 s' WHERE state = 'queued'", in: .otp
                    )
                    let code = try await person.receiveCode()
                    try await Task.sleep(for: .milliseconds(300))
                    let received = try await person.inbox()
                    #expect((1...2).contains(received.count) && Set(received) == [code])
                    let verified = try await person.verify(sent.string("challenge_id") ?? "", code)
                    #expect(verified.status == 200)
                }
            }
        }
    }
}
