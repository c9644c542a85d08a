import Caching
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `GET /users/{id}`: one user with the sessions.
struct UserPage: Sendable {
    let frame: PageFrame
    let read: ReadDirectory
    let patience: Duration

    /// The answer of the API, as far as the page shows it.
    struct Answer: Sendable, Decodable {
        struct Session: Sendable, Decodable {
            let id: String
            let deviceName: String?
            let address: String?
            let createdAt: WireTime
            let refreshedAt: WireTime?
            let lastUsedAt: WireTime?
            let expiresAt: WireTime

            enum CodingKeys: String, CodingKey {
                case id, address
                case deviceName = "device_name"
                case createdAt = "created_at"
                case refreshedAt = "refreshed_at"
                case lastUsedAt = "last_used_at"
                case expiresAt = "expires_at"
            }
        }

        let user: ShownUser
        let sessions: [Session]
        let asOf: WireTime

        private enum Keys: String, CodingKey {
            case sessions
            case asOf = "as_of"
        }

        init(from decoder: any Decoder) throws {
            user = try ShownUser(from: decoder)
            let container = try decoder.container(keyedBy: Keys.self)
            sessions = try container.decode([Session].self, forKey: .sessions)
            asOf = try container.decode(WireTime.self, forKey: .asOf)
        }
    }

    struct SessionRow: Sendable {
        let device: String
        let address: String
        let created: Wording.Moment
        let used: Wording.Moment?
        let expires: Wording.Moment
    }

    struct View: Sendable {
        let id: String
        let name: String
        let initials: String
        let colour: String
        let phone: String
        let status: String
        let tone: String
        let created: Wording.Moment
        let lastSignIn: Wording.Moment?
        let sessions: [SessionRow]
        let hasSessions: Bool
        let asOf: Wording.Moment

        init(_ answer: Answer) {
            let user = answer.user
            id = user.id
            name = user.title
            initials = user.initials
            colour = user.colour
            phone = user.phone ?? "deleted"
            status = user.status
            tone = ShownUser.tone(user.status)
            created = Wording.moment(user.createdAt)
            lastSignIn = user.lastSignInAt.map(Wording.moment)
            sessions = answer.sessions.map { session in
                SessionRow(
                    device: session.deviceName ?? "Unnamed device", address: session.address ?? "–",
                    created: Wording.moment(session.createdAt),
                    used: (session.lastUsedAt ?? session.refreshedAt).map(Wording.moment),
                    expires: Wording.moment(session.expiresAt))
            }
            hasSessions = !sessions.isEmpty
            asOf = Wording.moment(answer.asOf)
        }
    }

    func add(to routes: ConsoleRoutes) {
        routes.page("/users/{id}") { request, context in
            let id = try context.parameter("id", UserID.init)
            do {
                let cached = try await read.user(id, refresh: Freshness.isBypassed(by: request), trace: context.trace)
                let answer = try JSONDecoder().decode(Answer.self, from: Data(cached.value.json.utf8))
                return try frame.page(
                    "user", title: answer.user.title, section: .users,
                    notice: ConsoleNotices.stale(cached, "user-service", patience), View(answer), request, context)
            } catch let error as UpstreamError {
                throw Self.problem(error)
            }
        }
    }

    private static func problem(_ error: UpstreamError) -> Problem {
        switch error {
        case .notFound, .refused: Problem(.notFound)
        case .unavailable(let service), .unreadable(let service): .upstreamAway([service])
        }
    }
}
