import HTTPServer
import HTTPTypes
import Hummingbird
import Tokens

/// `POST /v1/auth/logout`.
struct LogoutRoutes: Sendable {
    let signOut: SignOut
    let verifier: TokenVerifier

    func add(to router: PostkeyRouter) {
        router.group("/v1/auth/logout", accessTokens: verifier).post { request, context in
            let body = try await request.optionalJSON(as: LogoutBody.self)
            do {
                try await signOut(context.token, everywhere: body?.everywhere ?? false)
                return Response.empty(.noContent)
            } catch let error as SignOutError {
                throw Self.problem(error)
            }
        }
    }

    private static func problem(_ error: SignOutError) -> Problem {
        switch error {
        case .revoked: .invalidToken()
        }
    }
}

/// The body of a sign-out, which may be absent.
struct LogoutBody: JSONBody {
    static let members: Set<String> = ["everywhere"]
    let everywhere: Bool?
}
