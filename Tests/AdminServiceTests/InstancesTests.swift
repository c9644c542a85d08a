import Foundation
import HTTPServer
import Identity
import Postgres
import PostgresTestKit
import ServiceLifecycle
import ServiceRuntime
import Synchronization
import Testing

@testable import AdminService

extension AdminServer {
    /// Starts another instance over HTTP beside this one, and what both do in the background.
    func withAnother(_ body: @escaping @Sendable (AdminServer) async throws -> Void) async throws {
        let second = another()
        let port = Mutex(0)
        let application = try HTTPApplication(
            configuration: HTTPServerConfiguration(host: "127.0.0.1", port: 0, problems: AdminService.problems),
            logger: quietLogger, translate: translated,
            onListening: { number in port.withLock { $0 = number } }
        ) { second.add(to: $0) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            for service in assembly.services + second.services { group.addTask { try await service.run() } }
            while port.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(5)) }
            try await body(
                AdminServer(
                    database: database, users: users, otp: otp, client: client, assembly: second, another: another,
                    baseURL: "http://127.0.0.1:\(port.withLock { $0 })", otpURL: otpURL))
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
    }
}

/// Asks until something holds. A second is promised; a machine that does twenty other things is given ten.
func eventually(_ holds: () async throws -> Bool) async throws -> Bool {
    let end = ContinuousClock.now + .seconds(10)
    while try await !holds() {
        if ContinuousClock.now > end { return false }
        try await Task.sleep(for: .milliseconds(20))
    }
    return true
}

@Suite("Two instances over HTTP", .timeLimit(.minutes(2)))
struct InstancesTests {
    static let user = "/v1/admin/users/\(StubService.userID)"
    static let reason = #"{"reason":"asked for by telephone"}"#

    @Test("an act through one instance is seen at the other, on the user's page and in the list, and back")
    func acts() async throws {
        try await withAdminServer(usersTTL: .seconds(600)) { first in
            let token = try await first.token(.support)
            try await first.withAnother { second in
                func status(_ server: AdminServer) async throws -> [String?] {
                    let one = try await server.send("GET", Self.user, token: token)
                    let list = try await server.send("GET", "/v1/admin/users", token: token)
                    return [one.string("status"), list.json("users", 0, "status") as? String]
                }
                for (server, other, action, after) in [
                    (first, second, "suspend", "suspended"), (second, first, "reactivate", "active"),
                ] {
                    let before = after == "active" ? "suspended" : "active"
                    #expect(try await eventually { try await status(other) == [before, before] })
                    let answer = try await server.send(
                        "POST", "\(Self.user)/\(action)", token: token, body: Self.reason)
                    #expect(answer.status == 200 && answer.string("status") == after)
                    #expect(try await status(server) == [after, after], "where it was done it is seen at once")
                    #expect(try await eventually { try await status(other) == [after, after] })
                }
                #expect(second.users.done.count == 2)
            }
        }
    }

    @Test("a role that is changed at one instance holds at the other on the next request, and so does a removal")
    func roles() async throws {
        try await withAdminServer { first in
            let owner = try await first.token(.owner)
            let support = try await first.token(.support, phone: "+919876543211")
            try await first.withAnother { second in
                func clear() async throws -> Int {
                    try await second.send("DELETE", "/v1/admin/cache", token: support).status
                }
                #expect(try await clear() == 204)
                let body = #"{"phone":"+919876543211","role":"viewer"}"#
                let changed = try await first.send("POST", "/v1/admin/admins", token: owner, body: body)
                #expect(changed.status == 200)
                #expect(try await clear() == 403)
                let id = try #require(changed.string("admin", "id"))
                #expect(try await first.send("DELETE", "/v1/admin/admins/\(id)", token: owner).status == 204)
                #expect(try await clear() == 401)
            }
        }
    }

    @Test(
        "a destination that is blocked at one instance is asked for anew at the other, with the figures of the dashboard"
    )
    func destinations() async throws {
        try await withAdminServer(dashboardTTL: .seconds(600), usersTTL: .seconds(600)) { first in
            let token = try await first.token(.support)
            try await first.withAnother { second in
                func asked(_ path: String) -> Int {
                    // With a limit, an act asks how its target stands.
                    second.otp.asked.count { $0.hasPrefix("/internal/\(path)") && !$0.contains("limit=") }
                }
                func look() async throws {
                    for path in ["/v1/admin/destinations", "/v1/admin/dashboard"] {
                        #expect(try await second.send("GET", path, token: token).status == 200)
                    }
                }
                // When the feed of user-service begins, all is dropped once; then it stays.
                var before = (0, 0)
                let rests = try await eventually {
                    try await look()
                    before = (asked("destinations"), asked("statistics"))
                    try await Task.sleep(for: .milliseconds(300))
                    try await look()
                    return (asked("destinations"), asked("statistics")) == before
                }
                #expect(rests)
                let answer = try await first.send(
                    "POST", "/v1/admin/destinations/IN/block", token: token, body: Self.reason)
                #expect(answer.status == 204)
                let isAsked = try await eventually {
                    try await look()
                    return asked("destinations") > before.0 && asked("statistics") > before.1
                }
                #expect(isAsked)
            }
        }
    }

    @Test("a user who changes without an operator is seen by both instances")
    func feed() async throws {
        try await withAdminServer(usersTTL: .seconds(600)) { first in
            let token = try await first.token(.viewer)
            try await first.withAnother { second in
                func status(_ server: AdminServer) async throws -> String? {
                    try await server.send("GET", Self.user, token: token).string("status")
                }
                for server in [first, second] {
                    let before = try await status(server)
                    #expect(before == "active")
                }
                first.users.setStatus("suspended")
                first.users.tell("user-changed")
                for server in [first, second] {
                    let isSeen = try await eventually { try await status(server) == "suspended" }
                    #expect(isSeen)
                }
            }
        }
    }
}
