import Crypto
import Synchronization

/// SHA-256 of the exact text of a token.
struct TokenDigest: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(_ text: String) {
        var text = text
        let digest = text.withUTF8 { SHA256.hash(data: UnsafeRawBufferPointer($0)) }
        words = digest.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }

    static func == (left: Self, right: Self) -> Bool { left.words == right.words }
    /// One word of a cryptographic hash spreads as well as all four.
    func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}

/// Remembers tokens whose signature was found right, because finding that out is the largest single cost of a request.
///
/// Two generations: when the young one is half the capacity it becomes the old one, and what was old and not asked for
/// since is forgotten. So memory is bounded, an eviction costs nothing, and what is in use stays. Failures are never
/// remembered: they would let strangers fill it. Expiry is judged by whoever reads, every time.
final class VerifiedTokenCache<Token: Sendable>: Sendable {
    private struct Generations {
        var young: [TokenDigest: Token] = [:]
        var old: [TokenDigest: Token] = [:]
    }

    private let capacity: Int
    private let generations = Mutex(Generations())

    init(capacity: Int) { self.capacity = capacity }

    var count: Int { generations.withLock { $0.young.count + $0.old.count } }

    /// Forgets all.
    func removeAll() {
        // Released here, outside the lock.
        _ = generations.withLock { generations in
            defer { generations = Generations() }
            return generations
        }
    }

    func token(for digest: TokenDigest) -> Token? {
        let (found, forgotten) = generations.withLock { generations -> (Token?, [TokenDigest: Token]) in
            if let token = generations.young[digest] { return (token, [:]) }
            guard let token = generations.old.removeValue(forKey: digest) else { return (nil, [:]) }
            return (token, insert(token, digest, &generations))
        }
        _ = forgotten
        return found
    }

    func insert(_ token: Token, for digest: TokenDigest) {
        // The forgotten generation is released here, outside the lock.
        _ = generations.withLock { insert(token, digest, &$0) }
    }

    private func insert(_ token: Token, _ digest: TokenDigest, _ generations: inout Generations) -> [TokenDigest: Token]
    {
        var forgotten: [TokenDigest: Token] = [:]
        guard capacity > 0 else { return forgotten }
        if generations.young.count >= max(1, capacity / 2) {
            forgotten = generations.old
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[digest] = token
        return forgotten
    }
}
