import Foundation
import Identity
import PostgresTestKit
import Testing

@testable import AdminService

/// What an operator is told when an act does not go straight.
@Suite("Answers to actions", .timeLimit(.minutes(2)))
struct ActionAnswerTests {
    static let suspend = "\(ActionRouteTests.path)/suspend"

    @Test("user-service goes away once it has done it: the answer says so, and a repeat does it no second time")
    func awayAfterwards() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            server.users.leaveAfterAct()
            let key = [("Idempotency-Key", "once")]
            let answer = try await server.send(
                "POST", Self.suspend, token: token, body: ActionRouteTests.reason, headers: key)
            #expect(answer.status == 503 && answer.header("Retry-After") == "5", "\(answer.text)")
            #expect(answer.string("detail")?.hasPrefix("The action was carried out and recorded") == true)
            let row = "user.suspended|user|active|suspended|done|lost phone"
            #expect(try await ActionRouteTests.acts(server) == [row])
            // A repeat while it is away is told of the first, and one that is written down is not said to be undone.
            let repeated = try await server.send(
                "POST", Self.suspend, token: token, body: ActionRouteTests.reason, headers: key)
            #expect(repeated.status == 503)
            #expect(repeated.string("detail")?.hasPrefix("The action was carried out and recorded") == true)
            server.users.become(.nonsense)
            let page = try await server.browser(.viewer, phone: "+919876543211").get("/users/\(StubService.userID)")
            #expect(page.status == 503, "\(page.text)")

            server.users.become(.answering)
            let again = try await server.send(
                "POST", Self.suspend, token: token, body: ActionRouteTests.reason, headers: key)
            #expect(again.status == 200 && again.string("status") == "suspended")
            #expect(try await ActionRouteTests.acts(server) == [row])
            #expect(server.users.done.count == 1)
        }
    }

    @Test("a repeat of an act that is written down and waits says so, and not that nothing was done")
    func repeatOfWhatWaits() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            server.users.loseAnswers(1)
            let key = [("Idempotency-Key", "once")]
            func suspend() async throws -> AdminServer.Answer {
                try await server.send("POST", Self.suspend, token: token, body: ActionRouteTests.reason, headers: key)
            }
            let first = try await suspend()
            server.users.become(.status(503))
            let second = try await suspend()
            #expect(first.status == 503 && second.status == 503 && second.string("detail") == first.string("detail"))
            #expect(second.string("detail")?.contains("nothing was done") == false, "\(second.text)")
        }
    }

    @Test("what a service understood and refuses is 422 with its reason; what it found malformed is our defect")
    func refusals() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            server.otp.refuse(403, "insufficient-scope")
            func block() async throws -> AdminServer.Answer {
                try await server.send(
                    "POST", "/v1/admin/destinations/IN/block", token: token, body: ActionRouteTests.reason)
            }
            let refused = try await block()
            #expect(refused.status == 422 && refused.string("code") == "action-refused", "\(refused.text)")
            #expect(refused.string("detail")?.contains("insufficient-scope") == true)
            server.otp.refuse(400, "invalid-request")
            let defect = try await block()
            #expect(defect.status == 500 && defect.string("code") == "internal-error", "\(defect.text)")
            server.otp.refuse(404, "not-found")
            #expect(try await block().status == 404)
            let failed = "destination.blocked|destination|failed"
            #expect(
                try await ActionRouteTests.acts(server) == [
                    "\(failed)|insufficient-scope|lost phone", "\(failed)|invalid-request|lost phone",
                    "\(failed)|not-found|lost phone",
                ])
            server.users.become(.status(400))
            #expect(try await server.send("GET", ActionRouteTests.path, token: token).status == 500)
        }
    }

    @Test("of six at once on one user, who has to wait is told of the others, not of a service that is away")
    func sixAtOnce() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            server.users.hesitate(.milliseconds(200))
            let answers = try await parallel(6) { _ in
                let answer = try await server.send(
                    "POST", Self.suspend, token: token, body: ActionRouteTests.reason)
                return "\(answer.status) \(answer.header("Retry-After") ?? "-") \(answer.string("detail") ?? "-")"
            }
            #expect(answers.keys.contains { $0.hasPrefix("409 1 Another action on the same is being carried out") })
            #expect(answers.keys.allSatisfy { !$0.contains("no answer") }, "\(answers)")

            server.users.hesitate(.zero)
            server.otp.become(.status(503))
            let path = "/v1/admin/destinations/IN/block"
            #expect(try await server.send("POST", path, token: token, body: ActionRouteTests.reason).status == 503)
            let waits = try await server.send("POST", path, token: token, body: ActionRouteTests.reason)
            #expect(waits.status == 409 && waits.string("detail")?.contains("waits for otp-service") == true)
        }
    }

    @Test("a destination that was blocked, without an answer or a confirmation, is asked for anew elsewhere at once")
    func lostConfirmation() async throws {
        try await withAdminServerOnLossyLink { first, link in
            let token = try await first.token(.support)
            try await first.withAnother { second in
                // With a limit, an act asks how its target stands.
                func asked() -> Int { second.otp.asked.count { $0 == "/internal/destinations" } }
                func look() async throws {
                    #expect(try await second.send("GET", "/v1/admin/destinations", token: token).status == 200)
                }
                func rests() async throws -> Bool {
                    try await look()
                    let before = asked()
                    try await Task.sleep(for: .milliseconds(300))
                    try await look()
                    return asked() == before
                }
                func isAskedAnew(since before: Int) async throws -> Bool {
                    let end = ContinuousClock.now + .seconds(4)
                    while asked() == before, ContinuousClock.now < end {
                        try await look()
                        try await Task.sleep(for: .milliseconds(20))
                    }
                    return asked() > before
                }
                #expect(try await eventually(rests))
                var before = asked()
                first.otp.loseAnswers(1)
                let path = "/v1/admin/destinations/IN/block"
                let lost = try await first.send("POST", path, token: token, body: InstancesTests.reason)
                #expect(lost.status == 503)
                #expect(try await isAskedAnew(since: before))

                _ = try await first.send("POST", path, token: token, body: InstancesTests.reason)
                #expect(try await eventually(rests))
                before = asked()
                let unconfirmed = try await link.lose(.rolledBack, at: [LostAnswerTests.Moment.confirmation.rawValue]) {
                    try await first.send(
                        "POST", "/v1/admin/destinations/IN/allow", token: token, body: InstancesTests.reason)
                }
                #expect(unconfirmed.status == 503)
                #expect(try await isAskedAnew(since: before))
            }
        }
    }
}
