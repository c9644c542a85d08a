import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

/// The connection to the database dies at the commit, so that nobody knows whether it happened: the operator is told to come
/// back, and the repeat must be safe whichever it was.
@Suite("A write whose outcome is unknown", .timeLimit(.minutes(5)))
struct LostAnswerTests {
    static let created = "insert on admins"
    static let changed = "update on admins"

    /// Loses the answer, and asks the same again; the answer to that.
    private func again(
        _ link: LossyLink, _ fate: CommitFate, at event: String,
        _ ask: @escaping @Sendable () async throws -> AdminServer.Answer
    ) async throws -> AdminServer.Answer {
        let first = try await link.lose(fate, at: [event], ask)
        #expect(first.status == 503 && first.string("code") == "service-unavailable", "\(first.status) \(first.text)")
        #expect((1...60).contains(Int(first.header("Retry-After") ?? "") ?? 0))
        return try await asked(ask)
    }

    private func asked(
        _ ask: @escaping @Sendable () async throws -> AdminServer.Answer
    ) async throws -> AdminServer.Answer {
        var answer = try await ask()
        for _ in 0..<100 where answer.status == 503 {
            try await Task.sleep(for: .milliseconds(100))
            answer = try await ask()
        }
        return answer
    }

    /// An act has two commits: of what is intended, and of what was done.
    enum Moment: String, CaseIterable {
        case intent = "insert on intents"
        case confirmation = "update on intents"
    }

    static let acts = [
        ("\(ActionRouteTests.path)/suspend", "user.suspended|user|active|suspended|done|asked for by telephone"),
        (
            "/v1/admin/destinations/IN/block",
            "destination.blocked|destination|automatic|blocked|done|asked for by telephone"
        ),
    ]

    @Test(
        "ADM-18: an act with its Idempotency-Key is done once, has one audit row, and is seen",
        arguments: Moment.allCases, CommitFate.allCases)
    func act(moment: Moment, fate: CommitFate) async throws {
        for (path, row) in Self.acts {
            try await withAdminServerOnLossyLink { server, link in
                let token = try await server.token(.support)
                #expect(try await server.send("GET", ActionRouteTests.path, token: token).status == 200)
                let second = try await again(link, fate, at: moment.rawValue) {
                    try await server.send(
                        "POST", path, token: token, body: InstancesTests.reason,
                        headers: [("Idempotency-Key", "act-1")])
                }
                #expect(second.status == 200 || second.status == 204, "\(second.text)")
                let done = server.users.done + server.otp.done
                #expect(done.count == 1 && path.hasSuffix(done[0]), "\(done)")
                #expect(try await ActionRouteTests.acts(server) == [row])
                let pending = try await server.database.scalar("SELECT count(*) FROM intents WHERE state = 'pending'")
                #expect(pending == 0)
            }
        }
    }

    @Test(
        "an act that was done, and could not be confirmed, is shown as it is, and confirmed without being asked again")
    func unconfirmed() async throws {
        try await withAdminServerOnLossyLink { server, link in
            let token = try await server.token(.support)
            @Sendable func page() async throws -> AdminServer.Answer {
                try await server.send("GET", ActionRouteTests.path, token: token)
            }
            #expect(try await page().string("status") == "active")
            let first = try await link.lose(.rolledBack, at: [Moment.confirmation.rawValue]) {
                try await server.send(
                    "POST", "\(ActionRouteTests.path)/suspend", token: token, body: InstancesTests.reason)
            }
            #expect(first.status == 503)
            let shown = try await asked(page)
            #expect(shown.string("status") == "suspended", "it may have happened: what was remembered is not shown")
            #expect(try await ActionRouteTests.acts(server).isEmpty)
            var finish = server.assembly.finish
            finish.patience = 0
            #expect(try await finish.finish() == 1)
            #expect(try await ActionRouteTests.acts(server) == [Self.acts[0].1])
            #expect(server.users.done.count == 1)
        }
    }

    /// Asks for a role for a phone.
    private func appoint(_ server: AdminServer, _ token: String, _ role: Role) async throws -> AdminServer.Answer {
        try await server.send(
            "POST", "/v1/admin/admins", token: token, body: #"{"phone":"+919876543211","role":"\#(role.rawValue)"}"#)
    }

    @Test(
        "a new operator is one operator; what was shown to nobody is made anew by removing and appointing them again",
        arguments: CommitFate.allCases)
    func appointment(fate: CommitFate) async throws {
        try await withAdminServerOnLossyLink { server, link in
            let token = try await server.token(.owner)
            var second = try await again(link, fate, at: Self.created) { try await appoint(server, token, .support) }
            #expect(try await server.database.scalar("SELECT count(*) FROM admins") == 2)
            if fate == .committed {
                #expect(second.status == 200 && second.json("totp_secret") == nil, "\(second.text)")
                let id = try #require(second.string("admin", "id"))
                #expect(try await server.send("DELETE", "/v1/admin/admins/\(id)", token: token).status == 204)
                second = try await appoint(server, token, .support)
            }
            #expect(second.status == 201 && second.string("totp_secret") != nil, "\(second.text)")
            let codes = try #require(second.json("recovery_codes") as? [String])
            let phone = try #require(PhoneNumber(e164: "+919876543211"))
            let login = try await server.login(try await server.sign(server.database.proof(phone)), codes[0])
            #expect(login.status == 200, "\(login.text)")
            let active = try await server.database.scalar("SELECT count(*) FROM admins WHERE disabled_at IS NULL")
            #expect(active == 2)
        }
    }

    @Test("another role and a removal are at their goal, each with one audit row", arguments: CommitFate.allCases)
    func roles(fate: CommitFate) async throws {
        try await withAdminServerOnLossyLink { server, link in
            let token = try await server.token(.owner)
            let id = try #require(try await appoint(server, token, .viewer).string("admin", "id"))
            let second = try await again(link, fate, at: Self.changed) { try await appoint(server, token, .support) }
            #expect(second.status == 200 && second.string("admin", "role") == "support", "\(second.text)")
            let third = try await again(link, fate, at: Self.changed) {
                try await server.send("DELETE", "/v1/admin/admins/\(id)", token: token)
            }
            #expect(third.status == (fate == .committed ? 404 : 204), "\(third.text)")
            let recorded = try await server.database.recorded().filter { $0.hasPrefix("operator.") }
            #expect(recorded.filter { $0 == "operator.role_changed" }.count == 1, "\(recorded)")
            #expect(recorded.filter { $0 == "operator.disabled" }.count == 1, "\(recorded)")
        }
    }

    @Test("a sign-in makes one session or wants a new proof, and a sign-out is done", arguments: CommitFate.allCases)
    func session(fate: CommitFate) async throws {
        try await withAdminServerOnLossyLink { server, link in
            let admin = try await server.database.enrol(.viewer)
            let proof = try await server.sign(server.database.proof(admin.phone))
            let codes = admin.recoveryCodes.map(\.text)
            var second = try await again(link, fate, at: "insert on admin_sessions") {
                try await server.login(proof, codes[0])
            }
            if fate == .committed {
                #expect(second.status == 409 && second.string("code") == "verification-already-used", "\(second.text)")
                second = try await server.login(try await server.sign(server.database.proof(admin.phone)), codes[1])
            }
            let token = try #require(second.string("access_token"), "\(second.text)")
            let third = try await again(link, fate, at: "update on admin_sessions") {
                try await server.send("POST", "/v1/admin/logout", token: token)
            }
            #expect(third.status == (fate == .committed ? 401 : 204), "\(third.text)")
            #expect(try await server.send("GET", "/v1/admin/cache", token: token).status == 401)
        }
    }
}
