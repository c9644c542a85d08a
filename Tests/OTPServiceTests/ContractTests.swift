import Foundation
import HTTPServer
import Hummingbird
import Identity
import PostgresTestKit
import ServiceTestKit
import Testing

@testable import OTPService

/// The published contract says what the service does: the same operations and problem codes, and examples that work.
/// `OTPServer.api` holds every answer of all tests to it.
@Suite("OpenAPI", .timeLimit(.minutes(5)))
struct ContractTests {
    @Test("the file has exactly the operations of the service, and is published as it is")
    func operations() async throws {
        let contract = try otpContract.get()
        try await withOTPServer(["MSG91_WEBHOOK_SECRET": DeliveryReportTests.secret], delivers: false) { server in
            let router = PostkeyRouter(context: PostkeyRequestContext.self)
            server.assembly.add(to: router)
            #expect(Set(router.routes.map { "\($0.method.rawValue) \($0.path.description)" }) == contract.operations)
            let published = try await server.api.get("/v1/otp/openapi.yaml")
            let page = try await server.api.get("/v1/otp/problems/incorrect-code")
            #expect(try published.text == OTPService.openAPI() && page.status == 200)
        }
    }

    @Test("the file names exactly the problem codes of the service, and its examples are what it says")
    func codes() throws {
        let contract = try otpContract.get()
        #expect(contract.codes.sorted() == OTPService.problems.codes.sorted())
        #expect(contract.faults == [])
        #expect(contract.unsaidOfBodies == ["POST /v1/otp/delivery-reports/{webhook_secret} 415"], "it takes all types")
    }

    @Test("bodies that are too large or of another type, and other methods, are answered as the file says")
    func bodies() async throws {
        let contract = try otpContract.get()
        try await withOTPServer(["MSG91_WEBHOOK_SECRET": DeliveryReportTests.secret], delivers: false) { server in
            let token = try await OperatorRouteTests.token(server)
            let large = Array(#"{"reason":"\#(String(repeating: "x", count: 17_000))"}"#.utf8)
            let posts = contract.operations.filter { $0.hasPrefix("POST ") }.map { String($0.dropFirst(5)) }
            for path in posts where !path.contains("delivery-reports") && !path.hasSuffix("unlock") {
                let place = path.replacing("{prefix}", with: "IN")
                func answer(_ body: [UInt8], _ type: String) async throws -> Int {
                    let trusted = path.hasPrefix("/internal/") ? token : nil
                    return try await server.api.call("POST", place, body, trusted, [("Content-Type", type)]).status
                }
                #expect(try await answer(large, "application/json") == 413, "\(path)")
                #expect(try await answer(Array("{}".utf8), "text/plain") == 415, "\(path)")
            }
            for path in posts {
                let place = path.replacing(/\{[a-z_]+\}/, with: "x")
                let answer = try await server.api.get(place)
                #expect(answer.status == 405 && answer.header("Allow") == "POST", "\(path)")
            }
            #expect(contract.document.at("paths", "/internal/budget/pause", "post", "responses", "404") == nil)
            let reports = "/v1/otp/delivery-reports/"
            for (secret, count, status) in [
                (DeliveryReportTests.secret, 262_144, 200), (DeliveryReportTests.secret, 262_145, 413),
                ("wrong-wrong-wrong", 262_144, 404), ("wrong-wrong-wrong", 262_145, 413),
            ] {
                let body = [UInt8](repeating: 0x78, count: count)
                let answer = try await server.api.call("POST", reports + secret, body, nil, [("Content-Type", "x/y")])
                #expect(answer.status == status, "\(count)")
            }
        }
    }

    @Test("requests of the file's examples are answered as its examples say")
    func examples() async throws {
        let contract = try otpContract.get()
        func request(_ path: String) throws -> ContractValue {
            try #require(
                contract.document.at("paths", path, "post", "requestBody", "content", "application/json", "example"))
        }
        let (send, resend, verify) = (
            try request("/v1/otp/send"), try request("/v1/otp/resend"), try request("/v1/otp/verify")
        )
        let told = try #require(contract.document.at("components", "schemas", "Receipt", "examples")?.items.first)
        try await withOTPServer { server in
            let phone = try #require(send["phone"]?.text.flatMap(PhoneNumber.init(e164:)))
            let sent = try await server.api.post("/v1/otp/send", send.json)
            let receipt = try ContractValue(json: sent.body)
            #expect(sent.status == 202, "\(sent.text)")
            for member in ["channel", "expires_in", "resend_after", "resends_left", "attempts_left", "code_length"] {
                #expect(receipt[member] == told[member], "\(member)")
            }
            let challenge = try #require(sent.string("challenge_id"))
            let code = try await server.codes(phone)[0]
            _ = try await server.wait(for: "submitted", of: challenge)
            try await server.database.execute("UPDATE phones SET resend_at = '-infinity'")
            func of(_ example: ContractValue, _ code: String? = nil) -> String {
                var members = example.members
                members["challenge_id"] = .string(challenge)
                if let code { members["code"] = .string(code) }
                return ContractValue.map(members).json
            }
            #expect(try await server.api.post("/v1/otp/resend", of(resend)).status == 202)
            let wrong = try #require(OneTimeCode(code)).wrong.digits
            #expect(try await server.api.post("/v1/otp/verify", of(verify, wrong)).problem == "incorrect-code")
            let verified = try await server.api.post("/v1/otp/verify", of(verify, code))
            #expect(verified.status == 200 && verified.integer("expires_in") == 300)
            // As they stand they name a challenge that is none.
            #expect(try await server.api.post("/v1/otp/verify", verify.json).problem == "challenge-not-active")
            #expect(try await server.api.post("/v1/otp/resend", resend.json).problem == "challenge-not-active")
        }
    }

    @Test("each answer of the internal endpoints is the contract's, with something in it")
    func internals() async throws {
        try await withOTPServer { server in
            let challenge = try await server.challenge(.fresh())
            _ = try await server.wait(for: "submitted", of: challenge)
            #expect(
                try await server.api.get("/v1/otp/challenges/\(challenge)").string("delivery", "state") == "submitted")
            let token = try await OperatorRouteTests.token(server)
            for path in ["statistics", "gateway", "challenges", "destinations", "budget"] {
                #expect(try await server.api.get("/internal/\(path)", token: token).status == 200)
            }
            for name in ["+9198765", "IN"] {
                let answer = try await server.api.post("/internal/destinations/\(name)/block", "{}", token: token)
                #expect(answer.status == 200)
            }
            #expect(
                try await server.api.post("/internal/budget/pause", #"{"reason":"a test"}"#, token: token).status == 200
            )
            let destinations = try ContractValue(
                json: try await server.api.get("/internal/destinations", token: token).body)
            #expect(destinations["destinations"]?.items.count ?? 0 >= 2)
            let messages = try ContractValue(json: try await server.api.get("/internal/challenges", token: token).body)
            #expect(messages["messages"]?.items.count == 1)
        }
    }

    @Test("a contract that differs from the service in a nested member, a status or an example is found out")
    func watched() throws {
        let body =
            #"{"status":"active","delivery":{"state":"queued","channel":"sms","updated_at":"2026-11-24T08:00:00Z"},"expires_at":"2026-11-24T08:05:00Z","resend_after":30}"#
        func found(_ old: String = "", _ new: String = "", status: Int = 200) throws -> [String] {
            let text = try OTPService.openAPI()
            #expect(old.isEmpty || text.contains(old))
            return try APIContract(old.isEmpty ? text : text.replacing(old, with: new)).differences(
                "GET", "/v1/otp/challenges/7", status: status, type: "application/json", body: Array(body.utf8))
        }
        #expect(try found() == [])
        let renamed = try found(
            "updated_at: {type: string, format: date-time}\n                  expires_at",
            "changed_at: {type: string, format: date-time}\n                  expires_at")
        #expect(renamed.count == 1 && renamed[0].contains("delivery has updated_at"))
        let required = try found(
            "required: [state, channel, updated_at]", "required: [state, channel, updated_at, gateway]")
        #expect(required.count == 1 && required[0].contains("delivery lacks gateway"))
        #expect(
            try found(
                "enum: [queued, submitted, delivered, failed]\n                        d",
                "enum: [submitted, delivered, failed]\n                        d"
            ).count == 1)
        #expect(try found(status: 201).count == 1)
        let broken = try APIContract(
            OTPService.openAPI().replacing("examples: ['042424']", with: "examples: ['O42424']"))
        #expect(broken.faults.count == 1)
        #expect(throws: ServiceTestError.self) { try APIContract("a: 1\nb: 2\na: 3\n") }
    }
}
