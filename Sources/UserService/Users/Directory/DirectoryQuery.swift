import Foundation
import Identity

/// A question to the directory of users.
struct DirectoryQuery: Sendable, Hashable {
    /// How many users a page has at most.
    static let limits = 1...200

    var search: DirectorySearch?
    /// Nil means all that are not deleted.
    var status: UserStatus?
    var order = DirectoryOrder.newestFirst
    var after: DirectoryPosition?
    var limit = 50
}

/// The order of a page.
enum DirectoryOrder: String, Sendable, CaseIterable {
    case newestFirst = "-created_at"
    case oldestFirst = "created_at"
    /// A user who signs in while somebody turns pages moves to the front.
    case latestSignInFirst = "-last_sign_in_at"
    /// Begins with those who never signed in.
    case earliestSignInFirst = "last_sign_in_at"

    var isBySignIn: Bool { self == .latestSignInFirst || self == .earliestSignInFirst }
    var isDescending: Bool { self == .newestFirst || self == .latestSignInFirst }
}

/// Where a page ended: the key of its last user in the order of the list.
struct DirectoryPosition: Sendable, Hashable {
    let key: Date
    let id: UUID
}
