import Foundation
import Identity
import Postgres
import PostgresTestKit
import Testing
import Tokens

@testable import UserService

@Suite("What a profile may hold", .serialized)
struct ProfileTextTests {
    @Test("RACE-11: two changes of different members at once are both kept")
    func merge() async throws {
        try await withUserServer { server in
            let tokens = [try await server.login().accessToken, try await server.login().accessToken]
            for round in 0..<10 {
                let bodies = [
                    #"{"display_name":"N\#(round)"}"#, #"{"email":"e\#(round)@example.org"}"#,
                    #"{"locale":"a\#("abcdefghij".dropFirst(round).prefix(1))"}"#,
                ]
                let answers = try await atOnce(3) { index in
                    try await server.send("PATCH", "/v1/users/me", token: tokens[index % 2], body: bodies[index]).status
                }
                #expect(answers == [200, 200, 200])
                let me = try await server.me(tokens[0])
                #expect(me.string("display_name") == "N\(round)")
                #expect(me.string("email") == "e\(round)@example.org")
                #expect(me.string("locale") == "a" + "abcdefghij".dropFirst(round).prefix(1))
            }
        }
    }

    static let hostile: [(String, Bool)] = [
        (#"\u0000"#, false), (#"\ud800"#, false), (#"\udc00\ud800"#, false), (#"a\u202eb"#, false),
        (#"a\u2066b"#, false),
        (#"a\uffffb"#, false), (#"a\u2028b"#, false), (#"a\u0085b"#, false), (#"\ud83d\udc69\u200d\ud83d\udcbb"#, true),
        (#"e\u0301"#, true), (#"\u0928\u092e\u0938\u094d\u0924\u0947"#, true), (#"\u200b"#, false), (#"\\u0000"#, true),
        ("\u{0301}" + String(repeating: "\u{0301}", count: 5000), false), ("\u{FEFF}", false),
    ]

    @Test("ADM-09: hostile text is refused or comes back as it was")
    func hostileText() async throws {
        try await withUserServer { server in
            let token = try await server.login().accessToken
            for (text, isAllowed) in Self.hostile {
                let answer = try await server.send(
                    "PATCH", "/v1/users/me", token: token, body: #"{"display_name":"\#(text)"}"#)
                #expect(answer.status == (isAllowed ? 200 : 400), "\(text.prefix(40)): \(answer.text.prefix(200))")
                if isAllowed {
                    let sent = try JSONSerialization.jsonObject(with: Data(#"["\#(text)"]"#.utf8)) as? [String]
                    let stored = try await server.me(token).string("display_name")
                    #expect(stored.map { Array($0.unicodeScalars) } == sent?.first.map { Array($0.unicodeScalars) })
                }
            }
            let tooLarge = #"{"display_name":"\#(String(repeating: "\u{0301}", count: 100_000))"}"#
            #expect(try await server.send("PATCH", "/v1/users/me", token: token, body: tooLarge).status == 413)
        }
    }

    @Test("ADM-09: what the rules let through, the schema's checks do too, for every character")
    func everyScalar() async throws {
        try await withUserDatabase { database in
            let scalars = ((1...0xD7FF).map { $0 } + (0xE000...0x2_FFFF).map { $0 }).compactMap {
                Unicode.Scalar($0 as Int)
            }
            let names = scalars.compactMap { ProfileField.displayName.stored("a\($0)b") }
            let emails = scalars.compactMap { ProfileField.email.stored("a\($0)b@example.org") }
            #expect(names.count > 100_000 && emails.count > 100_000)
            let rows = try await database.client.read(
                """
                select (select count(*) from unnest(\(names)) n where n ~ '[\\x01-\\x1f\\x7f-\\x9f]' or char_length(n) > 80),
                    (select count(*) from unnest(\(emails)) e where e !~ '^[^@[:space:]]+@[^@[:space:]]+$')
                """)
            let (badNames, badEmails) = try #require(rows.first).decode((Int, Int).self)
            #expect(badNames == 0)
            #expect(badEmails == 0)
        }
    }
}
