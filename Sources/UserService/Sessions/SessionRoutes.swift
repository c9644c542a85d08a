import HTTPServer
import HTTPTypes
import Hummingbird

/// `POST /v1/auth/refresh`.
struct SessionRoutes: Sendable {
    let refresh: RefreshSession

    func add(to router: PostkeyRouter) {
        router.post("/v1/auth/refresh") { request, _ in
            let body = try await request.json(as: RefreshBody.self)
            do {
                return Response.json(.ok, text: try await refresh(body.refreshToken).json)
            } catch let error as RefreshError {
                throw Self.problem(error)
            }
        }
    }

    private static func problem(_ error: RefreshError) -> Problem {
        switch error {
        case .invalid: .invalidToken()
        case .reused:
            Problem(.refreshTokenReused, headers: [.wwwAuthenticate: #"Bearer error="invalid_token""#])
        }
    }
}

/// The body of a refresh.
struct RefreshBody: JSONBody {
    static let members: Set<String> = ["refresh_token"]
    let refreshToken: String
    enum CodingKeys: String, CodingKey { case refreshToken = "refresh_token" }
}
