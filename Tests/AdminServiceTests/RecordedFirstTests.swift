import Caching
import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

/// The database refuses a row of the audit log: a right that was taken away, a trigger, a disk.
@Suite("What cannot be recorded is not done", .timeLimit(.minutes(2)))
struct RecordedFirstTests {
    struct Act: Sendable {
        let method: String
        let path: String
        var body: String?
        var isViewer = false
    }

    private func acts(_ viewer: String) -> [Act] {
        let reason = InstancesTests.reason
        return [
            Act(method: "POST", path: "\(InstancesTests.user)/suspend", body: reason),
            Act(method: "POST", path: "\(InstancesTests.user)/reactivate"),
            Act(method: "POST", path: "\(InstancesTests.user)/sign-out"),
            Act(method: "POST", path: "/v1/admin/destinations/IN/block", body: reason),
            Act(method: "POST", path: "/v1/admin/destinations/IN/allow"),
            Act(method: "DELETE", path: "/v1/admin/cache"),
            Act(method: "POST", path: "/v1/admin/admins", body: #"{"phone":"+919876543212","role":"viewer"}"#),
            Act(method: "POST", path: "/v1/admin/admins", body: #"{"phone":"+919876543211","role":"support"}"#),
            Act(method: "DELETE", path: "/v1/admin/admins/\(viewer)"),
            Act(method: "DELETE", path: "/v1/admin/admins?id=\(viewer)"),
            Act(method: "GET", path: "/v1/admin/audit-log?format=csv"),
            Act(method: "GET", path: "/v1/admin/admins", isViewer: true),
            Act(method: "DELETE", path: "/v1/admin/cache", isViewer: true),
            Act(method: "POST", path: "/v1/admin/logout"),
        ]
    }

    @Test("ADM-18: every act answers 503 with Retry-After, and nothing was done")
    func refused() async throws {
        try await withAdminServer { server in
            let owner = try await server.token(.owner)
            let viewer = try await server.token(.viewer, phone: "+919876543211")
            let list = try await server.send("GET", "/v1/admin/admins", token: owner)
            let id = try #require(list.json("admins", 1, "id") as? String)
            _ = try await server.send("GET", InstancesTests.user, token: owner)
            let rows = try await server.database.recorded().count
            try await server.database.refuseRows()
            for act in acts(id) {
                let answer = try await server.send(
                    act.method, act.path, token: act.isViewer ? viewer : owner, body: act.body)
                #expect(answer.status == 503 && answer.header("Retry-After") == "5", "\(act): \(answer.text)")
                #expect(answer.string("code") == "service-unavailable", "\(act)")
                #expect(answer.string("detail")?.hasPrefix("Nothing was done") == true, "\(act): \(answer.text)")
            }
            #expect(server.users.done.isEmpty && server.otp.done.isEmpty)
            #expect(server.assembly.remembered.users.statistics.entries == 1)
            let roles = try await server.database.test.execute("SELECT role FROM admins WHERE disabled_at IS NULL")
            #expect(roles.compactMap { $0 }.sorted() == ["owner", "viewer"])
            #expect(try await server.database.scalar("SELECT count(*) FROM intents") == 0)
            #expect(try await server.database.scalar("SELECT count(*) FROM admin_sessions WHERE ended_at IS NULL") == 2)
            #expect(try await server.database.recorded().count == rows)

            try await server.database.takeRowsAgain()
            let answer = try await server.send(
                "POST", "\(InstancesTests.user)/suspend", token: owner, body: InstancesTests.reason)
            #expect(answer.status == 200 && answer.string("status") == "suspended")
            #expect(try await AuditChain(postgres: server.database.test.client).verify().isIntact)
        }
    }

    @Test("a phone stays out of the audit log, also while it is tried whether the row is taken")
    func phone() async throws {
        try await withAdminServer { server in
            let admin = try await server.database.enrol(.support)
            let phone = try #require(PhoneNumber(e164: "+919876543211"))
            try await server.database.refuseRows(where: "NEW.target_id LIKE '%9876543211'")
            let outcome = try await server.assembly.actions.perform(
                .unlock, on: .phone(phone), reason: Reason("locked out"), by: admin.id, origin: testOrigin, trace: nil)
            #expect(outcome == .done)
            let targets = try await server.database.test.execute(
                "SELECT target_id FROM audit_log WHERE target_kind = 'phone'")
            #expect(targets == ["+9198*****211"])
        }
    }

    @Test("ADM-18: nobody signs in unrecorded, and the console says that nothing was done")
    func console() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.support)
            let admin = try await server.database.enrol(.viewer, phone: "+919876543211")
            try await server.database.refuseRows()
            let proof = try await server.sign(server.database.proof(admin.phone))
            let login = try await server.login(proof, admin.totp.code(step: try await server.database.step()))
            #expect(login.status == 503 && login.header("Retry-After") != nil)
            let page = try await browser.submit("/caches", to: "/caches/clear", [:])
            #expect(page.status == 503 && page.text.contains("Nothing was done"), "\(page.text)")
        }
    }

    @Test("an act whose row is refused after it was carried out says so, and has its row when the log takes it")
    func tooLate() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            try await server.database.refuseRows(where: "NEW.after = 'suspended'")
            let answer = try await server.send(
                "POST", "\(ActionRouteTests.path)/suspend", token: token, body: ActionRouteTests.reason)
            #expect(answer.status == 503 && answer.header("Retry-After") != nil)
            #expect(answer.string("detail")?.hasPrefix("It was carried out by user-service.") == true, "\(answer.text)")
            #expect(server.users.done.count == 1)
            #expect(try await ActionRouteTests.acts(server).isEmpty)

            // It keeps no other waiting.
            server.otp.loseAnswers(1)
            let path = "/v1/admin/destinations/IN/block"
            #expect(try await server.send("POST", path, token: token, body: ActionRouteTests.reason).status == 503)
            var finish = server.assembly.finish
            finish.patience = 0
            let round = finish
            await #expect(throws: Unconfirmed.self) { try await round.finish() }
            let blocked = "destination.blocked|destination|automatic|blocked|done|lost phone"
            #expect(try await ActionRouteTests.acts(server) == [blocked])

            try await server.database.takeRowsAgain()
            #expect(try await finish.finish() == 1)
            #expect(
                try await ActionRouteTests.acts(server) == [
                    blocked, "user.suspended|user|active|suspended|done|lost phone",
                ])
            #expect(server.users.done.count == 1)
        }
    }
}

extension AuditChain.Verdict {
    fileprivate var isIntact: Bool {
        if case .intact = self { return true }
        return false
    }
}
