/// Comparing what must not be guessed piece by piece.
///
/// Signatures and codes of a whole message are compared by `HMAC.isValidAuthenticationCode` of swift-crypto, which does the
/// same; this is for parts of codes and for digits, for which there is none. Nothing else compares such bytes.
package enum ConstantTime {
    /// Whether both are the same bytes; the time it takes depends on their number alone, not on how many of them are right.
    package static func equal(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
