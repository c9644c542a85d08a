import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Who may operate", .timeLimit(.minutes(2)))
struct AdminRouteTests {
    func post(_ server: AdminServer, _ token: String, _ phone: String, _ role: String) async throws
        -> AdminServer.Answer
    {
        try await server.send(
            "POST", "/v1/admin/admins", token: token, body: #"{"phone":"\#(phone)","role":"\#(role)"}"#)
    }

    @Test("an owner adds an operator, who signs in with what was shown once, and gives them another role")
    func appointment() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.owner)
            let created = try await post(server, token, "+91 98765 43211", "viewer")
            #expect(created.status == 201 && created.string("admin", "phone") == "+9198*****211")
            let codes = try #require(created.json("recovery_codes") as? [String])
            #expect(codes.count == 10 && Set(codes).count == 10)
            let secret = try #require(created.string("totp_secret"))
            #expect(created.string("totp_uri")?.contains("secret=\(secret)&") == true)
            let phone = try #require(PhoneNumber(e164: "+919876543211"))
            let login = try await server.login(
                try await server.sign(server.database.proof(phone)), codes[0].lowercased())
            let theirs = try #require(login.string("access_token"), "\(login.text)")
            #expect(try await server.send("DELETE", "/v1/admin/cache", token: theirs).status == 403)

            let changed = try await post(server, token, "+919876543211", "support")
            #expect(changed.status == 200 && changed.string("admin", "role") == "support")
            #expect(changed.json("totp_secret") == nil && changed.json("recovery_codes") == nil)
            #expect(try await server.send("DELETE", "/v1/admin/cache", token: theirs).status == 204)

            let list = try await server.send("GET", "/v1/admin/admins", token: token)
            #expect(list.json("admins", 1, "recovery_codes_left") as? Int == 9)
            #expect(list.json("admins", 1, "role") as? String == "support")
            #expect(!list.text.contains("9876543211") && !list.text.contains(secret))

            let id = try #require(created.string("admin", "id"))
            #expect(try await server.send("DELETE", "/v1/admin/admins/\(id)", token: token).status == 204)
            #expect(try await server.send("DELETE", "/v1/admin/admins?id=\(id)", token: token).status == 404)
            #expect(try await server.send("GET", "/v1/admin/cache", token: theirs).status == 401)
            let acts = try await server.database.test.client.read(
                """
                SELECT concat_ws('|', action, before, after) FROM audit_log
                 WHERE target_id = \(id) ORDER BY at
                """
            ).map { try $0.decode((String).self) }
            #expect(
                acts == [
                    "operator.created|viewer", "operator.role_changed|viewer|support", "operator.disabled|support",
                ])
        }
    }

    @Test("an operator who is removed while they get another role is made anew")
    func removedMeanwhile() async throws {
        try await withAdminServerOnLossyLink { server, _ in
            let token = try await server.token(.owner)
            let id = try #require(try await post(server, token, "+919876543211", "viewer").string("admin", "id"))
            let database = server.database.test
            let asking = try await database.client.transaction { transaction in
                _ = try await transaction.query("UPDATE admins SET disabled_at = now() WHERE id::text = \(id)")
                let asking = Task { try await post(server, token, "+919876543211", "support") }
                let waiting = try await eventually {
                    try await !database.execute(
                        """
                        SELECT 1 FROM pg_stat_activity
                         WHERE datname = current_database() AND wait_event_type = 'Lock'
                        """
                    ).isEmpty
                }
                #expect(waiting)
                return asking
            }
            let answer = try await asking.value
            #expect(answer.status == 201 && answer.string("totp_secret") != nil, "\(answer.text)")
            let roles = try await database.execute("SELECT role FROM admins WHERE disabled_at IS NULL ORDER BY role")
            #expect(roles == ["owner", "support"])
        }
    }

    @Test("ADM-19: nobody demotes or removes themselves, nor the last owner")
    func lastOwner() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.owner)
            let own = try #require(
                try await server.send("GET", "/v1/admin/admins", token: token).json("admins", 0, "id") as? String)
            for answer in [
                try await post(server, token, "+919876543210", "viewer"),
                try await server.send("DELETE", "/v1/admin/admins/\(own)", token: token),
            ] {
                #expect(answer.status == 409 && answer.string("code") == "own-role")
            }
            #expect(try await post(server, token, "+919876543210", "owner").status == 200)
            let store = OperatorStore(postgres: server.database.test.client)
            let id = try #require(AdminID(own))
            #expect(try await store.change(id, to: .viewer, by: .command, origin: .command) == .lastOwner)
            #expect(try await store.change(id, to: nil, by: .command, origin: .command) == .lastOwner)
        }
    }

    @Test("ADM-19: two parallel demotions of the last two owners: one fails", arguments: 0..<10)
    func parallelDemotions(round: Int) async throws {
        try await withAdminDatabase { database in
            let first = try await database.enrol(.owner)
            let second = try await database.enrol(.owner, phone: "+919876543211")
            let store = OperatorStore(postgres: database.test.client)
            let outcomes = try await parallel(2) { number in
                let (target, actor) = number == 0 ? (first, second) : (second, first)
                let change = try await store.change(
                    target.id, to: round % 2 == 0 ? .support : nil, by: .admin(actor.id), origin: testOrigin)
                return "\(change)"
            }
            #expect(outcomes["lastOwner"] == 1 && outcomes.count == 2, "\(outcomes)")
            #expect(
                try await database.scalar("SELECT count(*) FROM admins WHERE role = 'owner' AND disabled_at IS NULL")
                    == 1)
        }
    }

    @Test(
        "a number to which no code is ever sent makes no operator",
        arguments: [
            ("+18005550123", "is that of a toll-free"), ("+442079460958", "is that of a landline"),
            ("+911800123456", "is that of a toll-free"), ("+91987654321", "has a digit too many or too few"),
        ])
    func noMobile(phone: String, why: String) async throws {
        try await withAdminServer { server in
            let token = try await server.token(.owner)
            let answer = try await post(server, token, phone, "viewer")
            #expect(answer.status == 422 && answer.string("code") == "not-a-mobile-phone", "\(answer.text)")
            #expect(answer.string("detail")?.contains(why) == true, "\(answer.text)")
            let page = try await server.browser(.owner, phone: "+919876543211")
                .submit("/operators", to: "/operators", ["phone": phone, "role": "viewer"])
            #expect(page.status == 422 && page.text.contains("Nobody was added. The number \(why)"))
            #expect(try await server.database.scalar("SELECT count(*) FROM admins") == 2)
        }
    }

    @Test(
        "bad bodies",
        arguments: [
            #"{"phone":"12","role":"viewer"}"#, #"{"phone":"+919876543211","role":"root"}"#,
            #"{"phone":"+919876543211"}"#,
            #"{"phone":"+919876543211","role":"viewer","id":"x"}"#,
        ])
    func badBodies(body: String) async throws {
        try await withAdminServer { server in
            let token = try await server.token(.owner)
            #expect(try await server.send("POST", "/v1/admin/admins", token: token, body: body).status == 400)
            #expect(try await server.database.scalar("SELECT count(*) FROM admins") == 1)
        }
    }
}
