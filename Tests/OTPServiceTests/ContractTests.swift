import Foundation
import HTTPServer
import Hummingbird
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

/// The published contract says what the service does: the same operations, problem codes and members, and examples that work.
@Suite("OpenAPI", .timeLimit(.minutes(5)))
struct ContractTests {
    /// An object of the file: what it must have and what it may have.
    struct Members: Equatable {
        var required: Set<String> = []
        var possible: Set<String> = []

        /// Reads the first object below lines that begin with these, each below the one before.
        init(_ text: String, below marks: String...) throws {
            var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
            for mark in marks {
                let place = try #require(
                    lines.firstIndex { $0.drop { $0 == " " }.hasPrefix(mark + ":") }, "\(mark) is not there")
                lines = lines[(place + 1)...]
            }
            let place = try #require(lines.firstIndex { $0.contains("required:") && !$0.contains("required: true") })
            required = Self.words(lines[place])
            if required.isEmpty {
                let items = lines[(place + 1)...].map { $0.drop { $0 == " " } }.prefix { $0.hasPrefix("- ") }
                required = Set(items.map { String($0.dropFirst(2)) })
            }
            let start = try #require(lines[place...].firstIndex { $0.drop { $0 == " " } == "properties:" })
            let depth = lines[start].prefix { $0 == " " }.count
            for line in lines[(start + 1)...] {
                let indent = line.prefix { $0 == " " }.count
                if indent <= depth { break }
                if indent == depth + 2 { possible.insert(String(line.dropFirst(indent).prefix { $0 != ":" })) }
            }
        }

        private static func words(_ line: Substring) -> Set<String> {
            guard let open = line.firstIndex(of: "["), let close = line.lastIndex(of: "]") else { return [] }
            return Set(line[line.index(after: open)..<close].split { ", ".contains($0) }.map(String.init))
        }

        func check(_ members: Set<String>, _ what: String) {
            #expect(required.isSubset(of: members), "\(what) lacks \(required.subtracting(members))")
            #expect(members.isSubset(of: possible), "\(what) has \(members.subtracting(possible)) besides")
        }
    }

    @Test("the file has exactly the operations of the service")
    func operations() async throws {
        let text = try OTPService.openAPI()
        var path = ""
        var described: Set<String> = []
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /\s{2}(\/\S+):/) { path = String(match.1) }
            if let match = line.wholeMatch(of: /\s{4}(get|post|put|patch|delete):/) {
                described.insert("\(match.1.uppercased()) \(path)")
            }
        }
        try await withOTPServer(["MSG91_WEBHOOK_SECRET": DeliveryReportTests.secret], delivers: false) {
            [described] server in
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            server.assembly.add(to: router)
            #expect(Set(router.routes.map { "\($0.method.rawValue) \($0.path.description)" }) == described)
        }
    }

    @Test("the file names exactly the problem codes of the service")
    func codes() throws {
        let lines = try OTPService.openAPI().split(separator: "\n").map { $0.drop { $0 == " " } }
        let start = try #require(lines.lastIndex { $0 == "enum:" })
        let listed = lines[(start + 1)...].prefix { $0.hasPrefix("- ") }.map { String($0.dropFirst(2)) }
        #expect(listed.sorted() == OTPService.problems.codes.sorted())
    }

    @Test("answers have the members that the file says, and its examples work")
    func answers() async throws {
        let text = try OTPService.openAPI()
        try await withOTPServer { server in
            #expect(text.contains("examples: ['+919876543210']") && text.contains("examples: ['042424']"))
            let phone = try #require(PhoneNumber(e164: "+919876543210"))
            let sent = try await server.send(phone)
            let challenge = try #require(sent.string("challenge_id"))
            #expect(sent.status == 202 && OneTimeCode("042424") != nil)
            let receipt = try Members(text, below: "schemas", "Receipt")
            receipt.check(sent.members, "send")
            let code = try await server.codes(phone)[0]
            _ = try await server.wait(for: "submitted", of: challenge)
            try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            let resent = try await server.api.post("/v1/otp/resend", #"{"challenge_id":"\#(challenge)"}"#)
            receipt.check(resent.members, "resend")
            let problem = try Members(text, below: "schemas", "Problem")
            let wrong = try await server.verify(challenge, try #require(OneTimeCode(code)).wrong.digits)
            problem.check(wrong.members, "a wrong code")
            #expect(wrong.members.contains("attempts_left"))
            problem.check(try await server.send(phone).members, "too soon")
            problem.check(try await server.api.post("/v1/otp/verify", "{}").members, "nothing")
            let view = try await server.api.get("/v1/otp/challenges/\(challenge)")
            try Members(text, below: "/v1/otp/challenges/{id}", "'200'").check(view.members, "a look")
            let verified = try await server.verify(challenge, code)
            try Members(text, below: "/v1/otp/verify", "'200'").check(verified.members, "an answer")
            #expect(verified.integer("expires_in") == 300)
            try await internals(server, text)
        }
    }

    private func internals(_ server: OTPServer, _ text: String) async throws {
        let token = try await OperatorRouteTests.token(server)
        for path in ["statistics", "gateway", "challenges", "destinations"] {
            let answer = try await server.api.get("/internal/\(path)", token: token)
            #expect(answer.status == 200)
            try Members(text, below: "/internal/\(path)", "'200'").check(answer.members, path)
        }
        let budget = try Members(text, below: "schemas", "Budget")
        budget.check(try await server.api.get("/internal/budget", token: token).members, "budget")
        let destination = try Members(text, below: "schemas", "Destination")
        for name in ["+9198765", "IN"] {
            let answer = try await server.api.post("/internal/destinations/\(name)/block", "{}", token: token)
            #expect(answer.status == 200)
            destination.check(answer.members, "destination")
        }
        let paused = try await server.api.post("/internal/budget/pause", #"{"reason":"a test"}"#, token: token)
        budget.check(paused.members, "paused")
    }
}
