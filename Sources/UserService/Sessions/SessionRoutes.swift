import Foundation
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// `POST /v1/auth/refresh`, and a user's own sessions: `/v1/users/me/sessions`.
struct SessionRoutes: Sendable {
    let refresh: RefreshSession
    let sessions: OwnSessions
    let verifier: TokenVerifier

    func add(to router: PostkeyRouter) {
        router.post("/v1/auth/refresh") { request, context in
            let body = try await request.json(as: RefreshBody.self)
            do {
                let tokens = try await refresh(body.refreshToken, from: context.clientAddress)
                return Response.json(.ok, text: tokens.json)
            } catch let error as RefreshError {
                throw Self.problem(error)
            }
        }
        let own = router.group("/v1/users/me/sessions", accessTokens: verifier)
        own.get { _, context in
            guard let list = try await sessions.list(for: context.token) else { throw Problem.invalidToken() }
            return Response.json(.ok, text: Self.json(list, current: context.token.sessionID))
        }
        own.delete { _, context in
            guard try await sessions.endOthers(for: context.token) else { throw Problem.invalidToken() }
            return Response.empty(.noContent)
        }
        own.delete("/{id}") { _, context in
            let id = try context.parameter("id", SessionID.init)
            switch try await sessions.end(id, for: context.token) {
            case .ended: return Response.empty(.noContent)
            case .unknown: throw Problem(.notFound)
            case .refused: throw Problem.invalidToken()
            }
        }
    }

    private static func json(_ list: [OwnSession], current: SessionID) -> String {
        var json = JSONText(capacity: 64 + list.count * 320)
        json.open("{")
        json.name("sessions")
        json.open("[")
        for session in list {
            json.open("{")
            json.member("id", session.id.description)
            json.nullable("device_name", session.deviceName)
            json.nullable("address", session.address)
            json.member("created_at", Timestamp.text(session.createdAt))
            json.member("last_used_at", Timestamp.text(session.lastUsedAt))
            json.member("expires_at", Timestamp.text(session.expiresAt))
            json.member("current", session.id == current)
            json.close("}")
        }
        json.close("]")
        json.close("}")
        return json.text
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
