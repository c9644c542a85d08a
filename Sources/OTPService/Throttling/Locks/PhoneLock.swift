package import Foundation

/// How far wrong codes in a row have locked a phone, over all its challenges.
package struct PhoneLock: Sendable, Hashable {
    /// Whether codes are judged, and until when they are not.
    package enum State: Sendable, Hashable {
        case open
        case until(Date)
        /// Until an operator lifts it.
        case permanent
    }

    /// Wrong codes since the last right one, or since an operator lifted the lock.
    package let failures: Int
    package let state: State

    /// A phone that never failed.
    package static let none = PhoneLock(failures: 0, state: .open)

    /// The word of the contract.
    var published: String {
        switch state {
        case .open: "open"
        case .until: "temporary"
        case .permanent: "permanent"
        }
    }
}
