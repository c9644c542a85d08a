import Crypto
import Identity
import Tokens

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Wraps what a browser carries for us and must neither read nor change: AES-256-GCM under a derived key.
struct Sealer: Sendable {
    private let current: SymmetricKey
    private let previous: SymmetricKey?

    /// - Parameter purpose: what is sealed for one purpose opens for no other.
    init(keys: TokenKeys, purpose: String) {
        let derived = keys.derive("postkey console \(purpose)")
        current = SymmetricKey(data: derived.current.bytes)
        previous = derived.previous.map { SymmetricKey(data: $0.bytes) }
    }

    /// The value in hexadecimal, fit for a cookie and for a query.
    func seal(_ value: some Encodable) throws -> String {
        let box = try AES.GCM.seal(try JSONEncoder().encode(value), using: current)
        return (box.combined ?? Data()).hexadecimal
    }

    /// The value; nil for anything that was not sealed by us.
    func open<Value: Decodable>(_ text: String, as type: Value.Type) -> Value? {
        guard let bytes = [UInt8](hexadecimal: text), let box = try? AES.GCM.SealedBox(combined: bytes) else {
            return nil
        }
        for key in [current, previous].compactMap(\.self) {
            if let opened = try? AES.GCM.open(box, using: key) { return try? JSONDecoder().decode(type, from: opened) }
        }
        return nil
    }
}
