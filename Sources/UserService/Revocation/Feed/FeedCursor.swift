import Crypto
import Foundation
import HTTPServer
import Identity
import Tokens

/// Which transactions a reading saw (PostgreSQL manual, 9.27.8, `pg_snapshot`).
struct FeedSnapshot: Sendable, Hashable {
    /// All before it had ended.
    let xmin: UInt64
    /// None from it on had.
    let xmax: UInt64
    /// Those between that had not, ascending.
    let open: [UInt64]

    init(xmin: UInt64, xmax: UInt64, open: [UInt64]) {
        self.xmin = xmin
        self.xmax = xmax
        self.open = open
    }

    /// Reads `xmin:xmax:xip,xip`; nil for anything else.
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let xmin = UInt64(parts[0]), let xmax = UInt64(parts[1]) else { return nil }
        let open = parts[2].split(separator: ",").map { UInt64($0) }
        guard !open.contains(nil) else { return nil }
        self.init(xmin: xmin, xmax: xmax, open: open.compactMap(\.self))
    }

    /// As PostgreSQL reads it.
    var text: String { "\(xmin):\(xmax):" + open.map(String.init).joined(separator: ",") }

    /// Before everything.
    static let nothing = FeedSnapshot(xmin: 1, xmax: 1, open: [])
}

/// A place in the order of a reading.
struct FeedPlace: Sendable, Hashable {
    let xid: UInt64
    let position: Int64
}

/// How far a reader has come: what it has seen, and within a reading of several pages, what it reads now.
struct FeedCursor: Sendable, Hashable {
    /// A reading that has more pages.
    struct Reading: Sendable, Hashable {
        let until: FeedSnapshot
        let after: FeedPlace
        /// Whether it reads the state for whoever knows nothing.
        let isState: Bool
    }

    /// The run of transaction ids that the snapshots are of.
    let epoch: UUID
    let seen: FeedSnapshot
    let reading: Reading?
    /// When the newest of its snapshots was taken, by the database's clock, in milliseconds since 1970.
    let takenAt: Int64
}

/// Cursors as text: opaque to readers, and refused unless they were made here.
struct FeedCursors: Sendable {
    private let keys: [SymmetricKey]

    init(_ keys: TokenKeys) {
        let (current, previous) = keys.derive("postkey change feed cursor")
        self.keys = [current, previous].compactMap { $0.map { SymmetricKey(data: $0.bytes) } }
    }

    /// Writes a cursor: some thirty bytes and one or two for each open transaction, and a code, in base64url.
    func text(_ cursor: FeedCursor) -> String {
        var bytes = Bytes()
        bytes.append(cursor.epoch)
        bytes.append(UInt64(clamping: cursor.takenAt))
        bytes.append(cursor.seen)
        if let reading = cursor.reading {
            bytes.append(reading.isState ? 2 : 1)
            bytes.append(reading.until)
            bytes.append(reading.after.xid)
            bytes.append(UInt64(clamping: reading.after.position))
        } else {
            bytes.append(0)
        }
        guard let key = keys.first else { return "" }
        return Base64URL.encode(bytes.bytes + Self.code(bytes.bytes, key))
    }

    /// Reads a cursor; nil if the text is none of ours.
    func cursor(_ text: String) -> FeedCursor? {
        guard let all = Base64URL.decode(text.utf8), all.count > Self.codeLength else { return nil }
        let body = Array(all.dropLast(Self.codeLength))
        let code = Array(all.suffix(Self.codeLength))
        guard keys.contains(where: { ConstantTime.equal(Self.code(body, $0), code) }) else { return nil }
        var bytes = Bytes(bytes: body)
        guard let epoch = bytes.uuid(), let takenAt = bytes.number(), let seen = bytes.snapshot(),
            let form = bytes.number()
        else { return nil }
        var reading: FeedCursor.Reading?
        if form != 0 {
            guard let until = bytes.snapshot(), let xid = bytes.number(), let position = bytes.number() else {
                return nil
            }
            reading = FeedCursor.Reading(
                until: until, after: FeedPlace(xid: xid, position: Int64(clamping: position)), isState: form == 2)
        }
        return FeedCursor(epoch: epoch, seen: seen, reading: reading, takenAt: Int64(clamping: takenAt))
    }

    private static let codeLength = 16

    private static func code(_ bytes: [UInt8], _ key: SymmetricKey) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key).prefix(codeLength))
    }
}

/// Numbers in as few bytes as they need (LEB128), read and written in order.
private struct Bytes {
    var bytes: [UInt8] = []
    var position = 0

    mutating func append(_ id: UUID) { withUnsafeBytes(of: id.uuid) { bytes.append(contentsOf: $0) } }

    mutating func append(_ number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func append(_ snapshot: FeedSnapshot) {
        append(snapshot.xmin)
        append(snapshot.xmax &- snapshot.xmin)
        append(UInt64(snapshot.open.count))
        var last = snapshot.xmin
        for xid in snapshot.open {
            append(xid &- last)
            last = xid
        }
    }

    mutating func uuid() -> UUID? {
        guard bytes.count - position >= 16 else { return nil }
        defer { position += 16 }
        return bytes[position..<position + 16].withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
    }

    mutating func number() -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            number |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    mutating func snapshot() -> FeedSnapshot? {
        guard let xmin = number(), let width = number(), let count = number(), count <= UInt64(bytes.count) else {
            return nil
        }
        var last = xmin
        var open: [UInt64] = []
        for _ in 0..<count {
            guard let step = number() else { return nil }
            last = last &+ step
            open.append(last)
        }
        return FeedSnapshot(xmin: xmin, xmax: xmin &+ width, open: open)
    }
}
