import Deadlines
import FoundationEssentials
import HTTPServer
import Hummingbird
import Identity
import Logging
import Tokens
import Testing

private struct CallerContext: AuthenticatedContext {
    var base: PostkeyRequestContext
    let token: String

    init(_ request: Request, _ base: PostkeyRequestContext) async throws {
        self.base = base
        token = try request.bearerToken()
        guard token == "good" else { throw Problem.invalidToken() }
    }
}

@Suite struct AuthenticationTests {
    private func routes(_ router: PostkeyRouter) {
        let group = router.group("/me") { request, context in try await CallerContext(request, context) }
        group.get { _, context in Response.json(.ok, text: "\"\(context.token) \(context.requestID)\"") }
        group.get("things/{id}") { _, context in
            Response.json(.ok, text: "\(try context.parameter("id", { Int($0) }))")
        }
        group.post("forbidden") { _, _ -> Response in throw Problem.insufficientScope() }
    }

    @Test(arguments: [
        ([], "Bearer", "authentication-required"),
        (["Authorization: Basic dTpw"], "Bearer", "authentication-required"),
        (["Authorization: Bearer"], "Bearer", "authentication-required"),
        (["Authorization: good"], "Bearer", "authentication-required"),
        (["Authorization: Bearer bad"], #"Bearer error="invalid_token""#, "invalid-token"),
        (["Authorization: Bearer good bad"], #"Bearer error="invalid_token""#, "invalid-token"),
        (["Authorization: Bearer \"good\""], #"Bearer error="invalid_token""#, "invalid-token"),
        (
            ["Authorization: Bearer good", "Authorization: Bearer good"], #"Bearer error="invalid_token""#,
            "invalid-token"
        ),
        (
            ["Authorization: Bearer \(String(repeating: "a", count: 5000))"], #"Bearer error="invalid_token""#,
            "invalid-token"
        ),
    ])
    func challengesFollowTheStandard(_ headers: [String], _ challenge: String, _ code: String) async throws {
        try await withServer(routes: routes) { (server) async throws in
            let answer = try await server.get("/me", headers: headers)
            #expect(answer.status == 401)
            #expect(answer["WWW-Authenticate"] == challenge)
            #expect(try answer.json["code"] == .string(code))
        }
    }

    @Test func aKnownCallerIsServed() async throws {
        try await withServer(routes: routes) { (server) async throws in
            for scheme in ["Bearer", "bearer", "BEARER "] {
                let answer = try await server.get("/me", headers: ["Authorization: \(scheme) good", "X-Request-Id: r"])
                #expect(answer.body == "\"good r\"")
            }
            let found = try await server.get("/me/things/7", headers: ["Authorization: Bearer good"])
            #expect(found.body == "7")
            let missing = try await server.get("/me/things/x", headers: ["Authorization: Bearer good"])
            #expect(missing.status == 404)
            let anonymous = try await server.get("/me/things/7")
            #expect(anonymous.status == 401)
            let forbidden = try await server.post("/me/forbidden", "{}", headers: ["Authorization: Bearer good"])
            #expect(forbidden.status == 403)
            #expect(forbidden["WWW-Authenticate"] == #"Bearer error="insufficient_scope""#)
            let method = try await server.post("/me", "{}")
            #expect(method.status == 405)
            #expect(method["Allow"] == "GET, HEAD")
        }
    }

    @Test func internalPathsNeedATokenOfAServiceForThisService() async throws {
        let keys = TokenKeys(current: Secret(bytes: (0..<32).map { $0 }), previous: nil)
        let signer = TokenSigner(keys: keys)
        let now = Date()
        let expiry = now.addingTimeInterval(60)
        let good = try signer.sign(ServiceToken(service: .admin, audience: .user, expiresAt: expiry), now: now)
        let foreign = try signer.sign(ServiceToken(service: .admin, audience: .otp, expiresAt: expiry), now: now)
        let stranger = try signer.sign(ServiceToken(service: .user, audience: .user, expiresAt: expiry), now: now)
        let old = try signer.sign(
            ServiceToken(service: .admin, audience: .user, expiresAt: now.addingTimeInterval(86_400)), now: now)
        try await withServer(routes: { router in
            router.group("/internal", serviceTokens: TokenVerifier(keys: keys), audience: .user, callers: [.admin])
                .get("who") { _, context in Response.json(.ok, text: "\"\(context.service.rawValue)\"") }
        }) { (server) async throws in
            let answer = try await server.get("/internal/who", headers: ["Authorization: Bearer \(good)"])
            #expect(answer.body == "\"admin-service\"")
            for token in [nil, foreign, stranger, old, good + "x"] {
                let headers = token.map { ["Authorization: Bearer \($0)"] } ?? []
                let refused = try await server.get("/internal/who", headers: headers)
                #expect(refused.status == 401)
            }
        }
    }

    @Test func handlersKnowTheirDeadlineAndTrace() async throws {
        try await withServer(routes: { router in
            router.get("/time") { _, _ in
                let rest = (RequestDeadline.current ?? .now) - .now
                return Response.json(
                    .ok,
                    text:
                        "\"\(rest > .seconds(1) && rest <= .milliseconds(4500)) \(RequestTrace.current?.requestID ?? "-")\""
                )
            }
        }) { (server) async throws in
            let answer = try await server.get("/time", headers: ["X-Request-Id: r2"])
            #expect(answer.body == "\"true r2\"")
        }
    }
}
