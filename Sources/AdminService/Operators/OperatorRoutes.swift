import HTTPServer
import Hummingbird
import Identity
import Tokens

/// `POST /v1/admin/login` and `/logout`.
struct OperatorRoutes: Sendable {
    let signIn: SignInOperator
    let verifier: TokenVerifier
    let sessions: OperatorSessionStore
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        router.post("/v1/admin/login") { request, context in
            let body = try await request.json(as: LoginBody.self)
            guard let factor = SecondFactorCode(body.code) else {
                throw Problem.invalid("totp_code", SecondFactorCode.expected)
            }
            return try answer(
                try await signIn(try await proof(body.verificationToken), factor: factor, origin: AuditOrigin(context)))
        }
        router.operators(atLeast: .viewer, gate).post("/v1/admin/logout") { _, context in
            try await sessions.end(context.session, of: context.admin.id, origin: AuditOrigin(context.base))
            return Response.empty()
        }
    }

    private func proof(_ text: String) async throws(Problem) -> VerificationToken {
        do {
            let proof = try await verifier.verification(text, audience: .admin)
            guard proof.purpose == .adminSignIn else { throw Problem.invalidToken() }
            return proof
        } catch {
            throw Problem.invalidToken()
        }
    }

    private func answer(_ outcome: SignInOperator.Outcome) throws -> Response {
        switch outcome {
        case .signedIn(let signedIn): return try Response.json(.ok, LoginAnswer(signedIn))
        case .notAnAdmin: throw Problem(.notAnAdmin)
        case .incorrect(let left): throw Problem(.incorrectCode, members: ["attempts_left": .integer(left)])
        case .locked(let seconds?): throw Problem(.tooManyFailures, retryAfter: max(1, seconds))
        // There is no time after which it helps; the header still keeps programs from asking all the time.
        case .locked(nil):
            throw Problem(
                .tooManyFailures, detail: "The operator is locked until enrolled anew.", retryAfter: 86_400)
        case .proofUsed: throw Problem(.verificationAlreadyUsed)
        }
    }
}

struct LoginBody: JSONBody {
    static let members: Set<String> = ["verification_token", "totp_code"]
    let verificationToken: String
    let code: String

    enum CodingKeys: String, CodingKey {
        case verificationToken = "verification_token"
        case code = "totp_code"
    }
}

struct LoginAnswer: Encodable {
    let accessToken: String
    let tokenType = "Bearer"
    /// Seconds until the session ends whatever happens.
    let expiresIn: Int
    let admin: Operator

    init(_ signedIn: SignInOperator.SignedIn) {
        accessToken = signedIn.token
        expiresIn = signedIn.expiresIn
        admin = signedIn.admin
    }

    enum CodingKeys: String, CodingKey {
        case accessToken = "access_token"
        case tokenType = "token_type"
        case expiresIn = "expires_in"
        case admin
    }
}
