import HTTPServer
import Hummingbird
import Postgres

/// The value of an act's `Idempotency-Key`: 1 to 64 visible characters of ASCII.
package struct ActKey: Sendable, Hashable {
    let text: String

    /// Nil for any other text.
    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return nil
        }
        self.text = text
    }
}

/// What came of an act of an operator.
package enum ActOutcome: String, Sendable, CaseIterable {
    /// It stands as wanted now.
    case new
    /// The key did this before. Nothing changed: somebody may have decided otherwise since.
    case repeated
    /// The key belongs to another act or target. Nothing changed.
    case keyReused = "key-reused"

    /// Reads the first column of a statement's only row, what `begin_act` said. Throws `PostgresError`.
    init(_ rows: PostgresRows) throws(PostgresError) {
        guard let word: String = try rows.first?.decode(column: 0), let outcome = Self(rawValue: word) else {
            throw PostgresError(.decoding, "an outcome of an act that this version does not know")
        }
        self = outcome
    }

    /// Throws `idempotency-key-reused`.
    func check() throws(Problem) {
        if self == .keyReused { throw Problem(.idempotencyKeyReused) }
    }
}

extension Request {
    /// The `Idempotency-Key`; nil without one. Throws `invalid-request`.
    var actKey: ActKey? {
        get throws(Problem) {
            guard headers[.idempotencyKey] != nil else { return nil }
            guard let key = header(.idempotencyKey).flatMap(ActKey.init) else {
                throw .invalid("Idempotency-Key", "must be 1 to 64 visible characters of ASCII")
            }
            return key
        }
    }
}
