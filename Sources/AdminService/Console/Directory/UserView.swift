import Identity

/// The answer of the API, as far as the page shows it.
struct UserAnswer: Sendable, Decodable {
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

/// A session as the template wants it.
struct SessionRow: Sendable {
    let device: String
    let address: String
    let created: Wording.Moment
    let used: Wording.Moment?
    let expires: Wording.Moment
}

/// A user as the template wants it.
struct UserView: Sendable {
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
    /// Nil if the user has no phone any more.
    let deliveries: MessagesView?
    /// Nil for those who may not act.
    let actions: UserActionsView?

    init(_ answer: UserAnswer, _ deliveries: MessagesView?, revealed: PhoneNumber?, mayAct: Bool) {
        let user = answer.user
        id = user.id
        name = user.title
        initials = user.initials
        colour = user.colour
        phone = revealed?.e164 ?? user.phone ?? "deleted"
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
        self.deliveries = deliveries
        actions =
            mayAct
            ? UserActionsView(status: user.status, canBeUnlocked: deliveries?.canBeUnlocked ?? true) : nil
    }
}
