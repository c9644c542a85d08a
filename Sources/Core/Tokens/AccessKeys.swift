/// `JWT_ALGORITHM`: how users' access tokens are signed. Exactly this one is accepted; all other kinds of token are
/// HS256 in any case.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
    case hs256 = "HS256"
    case edDSA = "EdDSA"

    /// In bytes.
    var signatureLength: Int {
        switch self {
        case .hs256: 32
        case .edDSA: 64
        }
    }
}

/// Where the public keys come from that verify users' tokens with EdDSA.
package protocol AccessKeySource: Sendable {
    /// Changes whenever a key goes away: what was verified before must be verified again.
    var generation: Int { get }
    /// The keys to try for a token: the one that its `kid` names, or else all. Asks for newer ones if none has that name.
    func keys(for keyID: String?) async -> [PublicTokenKey]
}

/// The keys of the service that signs.
package struct OwnAccessKeys: AccessKeySource {
    /// The current one first.
    package let all: [PublicTokenKey]

    /// Takes the current key, and the one before it during a rotation.
    package init(current: PublicTokenKey, previous: PublicTokenKey?) {
        all = [current, previous].compactMap(\.self)
    }

    package var generation: Int { 0 }

    package func keys(for keyID: String?) async -> [PublicTokenKey] { all.named(keyID) }
}

extension [PublicTokenKey] {
    /// The one of this name; all if no name is given.
    package func named(_ keyID: String?) -> [PublicTokenKey] {
        guard let keyID else { return self }
        return filter { $0.id == keyID }
    }
}
