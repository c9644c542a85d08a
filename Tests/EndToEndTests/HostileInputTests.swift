import Foundation
import PostgresTestKit
import ServiceTestKit
import Testing

extension EndToEnd {
    @Suite struct HostileInputTests {
        private static let bodies: [[UInt8]] = [
            [], Array("null".utf8), Array("[]".utf8), Array("{}".utf8), Array(#""x""#.utf8), Array("{".utf8),
            Array(#"{"phone":}"#.utf8), Array(#"{"phone":1}"#.utf8), Array(#"{"phone":null}"#.utf8),
            Array(#"{"phone":["+919876543210"]}"#.utf8), Array(#"{"phone":"+919876543210","x":1}"#.utf8),
            Array(#"{"phone":"+919876543210"}{}"#.utf8), Array(#"{"phone":"+919876543210",}"#.utf8),
            Array(#"{"phone":"\ud800"}"#.utf8), Array(#"{"phone":"\u0000"}"#.utf8), [0xff, 0xfe, 0x7b],
            Array(#"{"phone":""#.utf8) + [0xc0, 0x80] + Array(#""}"#.utf8), [0xef, 0xbb, 0xbf] + Array("{}".utf8),
            Array(#"{"challenge_id":1e999,"code":1e999}"#.utf8), Array(#"{"code":-0}"#.utf8),
            Array(("{\"n\":" + String(repeating: "9", count: 10_000) + "}").utf8),
            Array(String(repeating: "[", count: 10_000).utf8),
            Array(String(repeating: #"{"a":"#, count: 2_000).utf8),
            Array(#"{"phone":"919999999999,918888888888"}"#.utf8),
            Array((#"{"phone":""# + String(repeating: "9", count: 15_000) + #""}"#).utf8),
        ]

        @Test func everyBadBodyIsAProblemAndChangesNothing() async throws {
            try await withDeployment { deployment in
                let targets: [(Deployment.Part, String)] = [
                    (.otp, "/v1/otp/send"), (.otp, "/v1/otp/verify"), (.user, "/v1/auth/login"),
                    (.user, "/v1/auth/refresh"), (.admin, "/v1/admin/login"),
                ]
                for (part, path) in targets {
                    let api = deployment.api(part)
                    for body in HostileInputTests.bodies {
                        let answer = try await api.call("POST", path, body, nil, [("Content-Type", "application/json")])
                        #expect((400...422).contains(answer.status) && answer.problem != nil)
                    }
                    let huge = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
                    let tooLarge = try? await api.call("POST", path, huge, nil, [("Content-Type", "application/json")])
                    if let tooLarge { #expect(tooLarge.status == 413 && tooLarge.problem != nil) }
                    let xml = try await api.call("POST", path, Array("<x/>".utf8), nil, [("Content-Type", "text/xml")])
                    #expect(xml.status == 415 && xml.problem != nil)
                    let method = try await api.call("PUT", path, nil, nil, [])
                    #expect(
                        method.status == 405 && method.header("allow")?.contains("POST") == true
                            && method.problem != nil)
                    let missing = try await api.get("/v1/nothing")
                    #expect(missing.status == 404 && missing.problem != nil)
                    let live = try await api.get("/health/live")
                    #expect(live.status == 200)
                }
                let challenges = try await deployment.execute("SELECT count(*) FROM challenges", in: .otp)
                let users = try await deployment.execute("SELECT count(*) FROM users", in: .user)
                #expect(challenges == ["0"] && users == ["0"])
                for process in await deployment.processes.all { #expect(process.isRunning) }
            }
        }

        @Test func everyBadTokenIs401() async throws {
            try await withDeployment([.user, .otp, .simulator]) { deployment in
                let person = Person(deployment)
                let proof = try await person.proof()
                let login = try await person.logIn(proof)
                let token = try #require(login.string("access_token"))
                let parts = token.split(separator: ".").map(String.init)
                try #require(parts.count == 3)
                let none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"
                let bad = [
                    "", ".", "..", "x", "a.b.c", parts[0] + "." + parts[1] + ".", none + "." + parts[1] + ".",
                    none + "." + parts[1] + "." + parts[2], parts[1] + "." + parts[0] + "." + parts[2],
                    token + "x", token + ".x", String(token.dropLast(5)), proof, login.string("refresh_token") ?? "",
                    String(repeating: ".", count: 3000), String(repeating: "A", count: 6000),
                ]
                for text in bad {
                    let answer = try await deployment.api(.user).get("/v1/users/me", token: text)
                    #expect(answer.status == 401 && answer.problem != nil)
                    #expect(answer.header("www-authenticate")?.hasPrefix("Bearer") == true)
                }
                let anonymous = try await deployment.api(.user).get("/v1/users/me")
                #expect(anonymous.status == 401 && anonymous.header("www-authenticate") == "Bearer")
                let good = try await deployment.api(.user).get("/v1/users/me", token: token)
                #expect(good.status == 200)
            }
        }

        @Test func internalRoutesWantAServiceToken() async throws {
            try await withDeployment([.user, .otp, .simulator]) { deployment in
                for (part, path) in [(Deployment.Part.otp, "/internal/statistics"), (.user, "/internal/users")] {
                    let answer = try await deployment.api(part).get(path)
                    #expect(answer.status == 401)
                }
            }
        }
    }
}
