import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing

@testable import AdminService

@Suite("Audit log", .timeLimit(.minutes(2)))
struct AuditLogTests {
    func record(_ database: AdminDatabase, _ admin: AdminID, _ reasons: [String]) async throws {
        for reason in reasons {
            try await database.audit.record(
                .cacheCleared, by: admin, target: ("cache", "all"), reason: reason, origin: testOrigin)
        }
    }

    func chain(_ database: AdminDatabase) -> AuditChain { AuditChain(postgres: database.test.client) }

    @Test("the chain that the database makes is the one that the service computes, with refusals that are written once")
    func intact() async throws {
        try await withAdminDatabase { database in
            #expect(try await chain(database).verify() == .intact(head: .none))
            let admin = try await database.enrol()
            let challenge = ChallengeID()
            for _ in 0..<3 {
                try await database.audit.recordStranger(challenge, reason: "not-an-admin", origin: testOrigin)
            }
            try await record(database, admin.id, ["a", "ü,\"'", "12:x,-"])
            _ = try await parallel(20) { number in
                try await record(database, admin.id, ["parallel \(number)"])
                return ""
            }
            guard case .intact(let head) = try await chain(database).verify() else {
                Issue.record("not intact")
                return
            }
            #expect(head.position == 25)
            #expect(AuditChain.Seal("\(head)") == head)
            try await record(database, admin.id, ["later"])
            #expect(try await chain(database).verify(anchor: head) != .anchorMissing)
            let other = AuditChain.Seal(position: head.position, hash: Array(repeating: 7, count: 32))
            #expect(try await chain(database).verify(anchor: other) == .anchorMissing)
        }
    }

    @Test(
        "a change behind the service's back is found",
        arguments: [
            ("UPDATE audit_log SET reason = 'x' WHERE reason = 'b'", "broken 3"),
            ("UPDATE audit_log SET at = at + interval '1 microsecond' WHERE reason = 'c'", "broken 4"),
            ("DELETE FROM audit_seals WHERE position = 3", "broken 3"),
            ("DELETE FROM audit_seals WHERE position = 4", "unsealed 1"),
            ("UPDATE audit_seals SET hash = sha256('x') WHERE position = 2", "broken 2"),
        ])
    func tampered(statement: String, verdict: String) async throws {
        try await withAdminDatabase { database in
            let admin = try await database.enrol()
            try await record(database, admin.id, ["a", "b", "c"])
            await #expect(throws: (any Error).self) { try await database.test.execute(statement) }
            try await database.test.execute(
                """
                ALTER TABLE audit_log DISABLE TRIGGER USER; ALTER TABLE audit_seals DISABLE TRIGGER USER; \(statement)
                """)
            let found =
                switch try await chain(database).verify() {
                case .broken(let position): "broken \(position)"
                case .unsealed(let rows): "unsealed \(rows)"
                case .intact: "intact"
                case .anchorMissing: "anchor missing"
                }
            #expect(found == verdict)
        }
    }

    @Test("pages by filters, from the latest to the first, none twice")
    func pages() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let admin = try await server.database.enrol(.viewer, phone: "+919876543211")
            try await record(server.database, admin.id, (0..<25).map(String.init))
            var reasons: [String] = []
            var cursor: String?
            repeat {
                let answer = try await server.send(
                    "GET",
                    "/v1/admin/audit-log?limit=10&action=cache.cleared&actor=\(admin.id)&target=cache:all&from=2020-01-01"
                        + (cursor.map { "&cursor=\($0)" } ?? ""), token: token)
                #expect(answer.status == 200 && answer.header("Age") == nil)
                let entries = try #require(answer.json("entries") as? [[String: Any]])
                reasons += entries.compactMap { $0["reason"] as? String }
                cursor = answer.string("next_cursor")
                #expect(entries.allSatisfy { $0["actor_phone"] as? String == "+9198*****211" })
            } while cursor != nil
            #expect(reasons == (0..<25).reversed().map(String.init))
            func count(_ query: String) async throws -> Int? {
                try await server.send("GET", "/v1/admin/audit-log?\(query)", token: token)
                    .json("entries").flatMap { $0 as? [Any] }?.count
            }
            #expect(try await count("target=all&limit=200") == 25)
            #expect(try await count("actor=command") == 2)
            #expect(try await count("to=2020-01-01T00:00:00Z") == 0)
            #expect(try await count("from=2020-01-01T00:00:00.5Z&action=operator.signed_in") == 1)
        }
    }

    @Test(
        "ADM-05, ADM-07: parameters that are none",
        arguments: [
            "limit=0", "limit=-1", "limit=201", "limit=9223372036854775807", "limit=1.5", "limit=abc", "actor=root",
            "action=DROP%20TABLE", "from=2026-13-01", "from=2026-02-29", "from=10000-01-01",
            "from=2026-01-01T24:00:00Z",
            "from=2026-01-02&to=2026-01-01", "from=yesterday", "cursor=1-x", "cursor='%3Bselect%20pg_sleep(5)--",
            "format=xml", "limit=1&limit=2", "to=2026-01-01T00:00:00%2B25:00",
        ])
    func badParameters(query: String) async throws {
        try await withAdminServer { server in
            let token = try await server.token(.viewer)
            let answer = try await server.send("GET", "/v1/admin/audit-log?\(query)", token: token)
            #expect(answer.status == 400 && answer.string("code") == "invalid-request")
        }
    }

    @Test("ADM-14: the table is safe in a spreadsheet, an attachment, and recorded")
    func table() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let admin = try await server.database.enrol(.viewer, phone: "+919876543211")
            try await record(server.database, admin.id, ["=1+1", "@x", "say \"a, b\"", "- no"])
            let answer = try await server.send(
                "GET", "/v1/admin/audit-log?action=cache.cleared", token: token, headers: [("Accept", "text/csv")])
            #expect(answer.status == 200)
            #expect(answer.header("Content-Type")?.hasPrefix("text/csv; charset=utf-8") == true)
            #expect(answer.header("Content-Disposition")?.hasPrefix("attachment") == true)
            #expect(answer.header("Cache-Control") == "no-store")
            let lines = answer.text.split(separator: "\r\n").map(String.init)
            #expect(lines.count == 5 && lines[0].hasPrefix("at,id,actor,"))
            #expect(lines[1].contains(#","'- no","#) && lines[2].contains(#","say ""a, b""","#))
            #expect(lines[3].contains(#","'@x","#) && lines[4].contains(#","'=1+1","#))
            #expect(lines[1].contains(#","'+9198*****211","#))
            #expect(try await server.database.recorded().contains("audit_log.exported"))
        }
    }

    @Test("a table has as many rows as were asked for, and says where the next one begins")
    func shortTable() async throws {
        try await withAdminServer { server in
            let token = try await server.token(.support)
            let admin = try await server.database.enrol(.viewer, phone: "+919876543211")
            try await record(server.database, admin.id, (0..<5).map(String.init))
            func table(_ query: String) async throws -> (rows: [String], next: String?) {
                let answer = try await server.send(
                    "GET", "/v1/admin/audit-log?format=csv&action=cache.cleared\(query)", token: token)
                #expect(answer.status == 200)
                return (
                    answer.text.split(separator: "\r\n").dropFirst().map(String.init), answer.header("X-Next-Cursor")
                )
            }
            let all = try await table("")
            #expect(all.rows.count == 5 && all.next == nil)
            let first = try await table("&limit=2")
            #expect(first.rows == Array(all.rows.prefix(2)))
            let second = try await table("&limit=200&cursor=\(try #require(first.next))")
            #expect(second.rows == Array(all.rows.dropFirst(2)) && second.next == nil)
        }
    }

    @Test(
        "cells",
        arguments: [
            ("", ""), ("a", "a"), ("a,b", "\"a,b\""), ("a\"b", "\"a\"\"b\""), ("=x", "\"'=x\""), ("\tx", "\"'\tx\""),
            ("\rx", "\"'\rx\""), ("a\nb", "\"a\nb\""), ("a=b", "a=b"), ("＝x", "\"'＝x\""),
        ])
    func cells(value: String, cell: String) { #expect(CSVText.cell(value) == cell) }

    @Test(
        "times",
        arguments: [
            ("1970-01-01", 0), ("2026-11-24", 1_795_478_400), ("2026-11-24T08:45:00Z", 1_795_509_900),
            ("2000-02-29", 951_782_400),
        ])
    func times(text: String, seconds: Double) { #expect(AuditTime.date(text)?.timeIntervalSince1970 == seconds) }
}
