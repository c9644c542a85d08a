#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// What the ids of all kinds of thing have in common: a UUID, version 7 when made here, written in lower case.
///
/// Each kind is a type of its own, so that a session's id cannot be passed for a user's.
package protocol Identifier: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The bare value, for the database.
    var uuid: UUID { get }
    /// Takes an id that exists already, as the database holds it.
    init(uuid: UUID)
}

extension Identifier {
    /// Makes a fresh id (RFC 9562 §5.7).
    package init() { self.init(uuid: .version7()) }

    /// Reads the 36-character form, upper or lower case; nil for anything else.
    package init?(_ text: String) {
        guard text.utf8.count == 36, let uuid = UUID(uuidString: text) else { return nil }
        self.init(uuid: uuid)
    }

    /// The 36-character form in lower case (RFC 9562 §4).
    package var description: String { uuid.lowercaseText }

    /// Reads the id from a string. Throws `DecodingError`.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let id = Self(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a UUID")
        }
        self = id
    }

    /// Writes the id as a string.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Names a user.
package struct UserID: Identifier {
    package let uuid: UUID
    package init(uuid: UUID) { self.uuid = uuid }
}

/// Names an administrator.
package struct AdminID: Identifier {
    package let uuid: UUID
    package init(uuid: UUID) { self.uuid = uuid }
}

/// Names a session: the family of refresh tokens that one sign-in began, `sid` in access tokens.
package struct SessionID: Identifier {
    package let uuid: UUID
    package init(uuid: UUID) { self.uuid = uuid }
}

/// Names a challenge: one code sent to one phone, `jti` in the verification token it earns.
package struct ChallengeID: Identifier {
    package let uuid: UUID
    package init(uuid: UUID) { self.uuid = uuid }
}
