import HTTPServer
import Identity

/// Where a recorded act came from.
struct AuditOrigin: Sendable {
    let requestID: String?
    /// The network key of the client: an IPv4 address or an IPv6 /64.
    let address: String?

    /// The command line on the server.
    static let command = AuditOrigin(requestID: nil, address: nil)

    init(requestID: String?, address: String?) {
        self.requestID = requestID
        self.address = address
    }

    init(_ context: PostkeyRequestContext) {
        self.init(requestID: context.requestID, address: context.clientAddress.description)
    }
}

/// Who did what is recorded.
enum AuditActor: Sendable {
    case admin(AdminID)
    case command

    /// The word in the column `actor`.
    var word: String {
        switch self {
        case .admin: AuditEntry.Actor.admin.rawValue
        case .command: AuditEntry.Actor.command.rawValue
        }
    }

    var id: AdminID? {
        switch self {
        case .admin(let id): id
        case .command: nil
        }
    }
}
