import Foundation
import HTTPServer
import Identity
import Postgres

/// A person who has proved a phone.
struct User: Sendable, Hashable {
    let id: UserID
    /// Nil once the user is deleted.
    var phone: PhoneNumber?
    var status: UserStatus
    var displayName: String?
    var locale: String?
    var email: String?
    let createdAt: Date
    var lastSignInAt: Date?
}

/// Where a user stands; the database's check `users_status_known` has the same words.
enum UserStatus: String, Sendable, CaseIterable {
    /// May sign in.
    case active
    /// Has no session and may not sign in until an administrator says so.
    case suspended
    /// Is gone: the row keeps its id and nothing that tells who it was.
    case deleted
}

extension User {
    /// The columns that `init(_:from:)` reads, of a table or expression with this name.
    static func columns(of name: String) -> String { names.map { "\(name).\($0)" }.joined(separator: ", ") }

    /// How many columns these are.
    static let columnCount = names.count

    private static let names = [
        "id", "phone", "status", "display_name", "locale", "email", "created_at", "last_sign_in_at",
    ]

    /// Reads the columns from `first` on. Throws `.decoding`.
    init(_ row: PostgresRow, from first: Int = 0) throws(PostgresError) {
        let phone: String? = try row.decode(column: first + 1)
        let status: String = try row.decode(column: first + 2)
        guard let known = UserStatus(rawValue: status) else { throw PostgresError(.decoding, "an unknown user status") }
        self.init(
            id: UserID(uuid: try row.decode(column: first)),
            phone: phone.flatMap(PhoneNumber.init(e164:)),
            status: known,
            displayName: try row.decode(column: first + 3),
            locale: try row.decode(column: first + 4),
            email: try row.decode(column: first + 5),
            createdAt: try row.decode(column: first + 6),
            lastSignInAt: try row.decode(column: first + 7))
    }

    /// Writes the user as an object. By hand: the reflection of a generic encoder costs more than the query does.
    func write(to json: inout JSONText) {
        json.open("{")
        writeMembers(to: &json)
        json.close("}")
    }

    /// Writes the members alone, for an object that has more.
    func writeMembers(to json: inout JSONText) {
        json.member("id", id.description)
        json.nullable("phone", phone?.e164)
        json.member("status", status.rawValue)
        json.nullable("display_name", displayName)
        json.nullable("locale", locale)
        json.nullable("email", email)
        json.member("created_at", Timestamp.text(createdAt))
        json.nullable("last_sign_in_at", lastSignInAt.map(Timestamp.text))
    }
}
