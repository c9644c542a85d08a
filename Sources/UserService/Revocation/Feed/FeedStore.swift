import Foundation
import Identity
import Postgres

/// One thing that happened.
struct FeedChange: Sendable, Hashable {
    /// As the schema's check `changes_kind_known` has them.
    let kind: String
    let userID: UserID?
    let sessionID: SessionID?
    let tokenHash: [UInt8]?
    let expiresAt: Date?
    let notBefore: Date?
}

/// What one look at the feed found.
struct FeedPage: Sendable {
    var changes: [FeedChange]
    var cursor: FeedCursor
    /// When the state was so that the reading leads to.
    var asOf: Date
    /// Whether the reader begins anew: its cursor was too old, or from before a crash or a restore.
    var isReset = false

    /// Whether the reading has more pages, which are there now.
    var hasMore: Bool { cursor.reading != nil }
}

/// The feed in SQL.
struct FeedStore: Sendable {
    let postgres: PostgresClient
    /// The most rows of one page.
    var pageSize = 2000

    /// In seconds. Rows are dropped when they are 25 hours old; a cursor of this age begins anew.
    static let cursorLife: Double = 24 * 3600

    /// Reads on from a cursor, or from nothing the state. Throws `PostgresError`.
    func page(after cursor: FeedCursor?) async throws(PostgresError) -> FeedPage {
        if let cursor, let page = try await read(cursor) { return page }
        let nothing = FeedCursor(epoch: UUID(), seen: .nothing, reading: nil, takenAt: 0)
        var page = try await read(nothing, isState: true)
        if page == nil {
            // The first look after a crash. Whoever comes second finds the epoch of the first.
            _ = try await postgres.write("insert into change_feed_epoch default values on conflict do nothing")
            page = try await read(nothing, isState: true)
        }
        guard var page else { throw PostgresError(.unavailable, "the feed has no epoch") }
        page.isReset = cursor != nil
        return page
    }

    /// Reads one page; nil if the cursor is of no use any more, or there is no epoch yet.
    private func read(_ cursor: FeedCursor, isState: Bool = false) async throws(PostgresError) -> FeedPage? {
        let reading = cursor.reading
        let isState = isState || reading?.isState == true
        let rows = try await postgres.read(
            """
            select snapshot, epoch, read_at, xid, position, kind, user_id, session_id, token_hash, expires_at, not_before
            from changes_between(\(String(cursor.seen.xmax))::xid8, \(cursor.seen.open.map(String.init))::xid8[],
                \(reading?.until.text)::pg_snapshot, \(String(reading?.after.xid ?? 0))::xid8,
                \(reading?.after.position ?? 0), \(isState), \(Int32(clamping: pageSize + 1)))
            """)
        guard let first = rows.first, let snapshot = FeedSnapshot(try first.decode(column: 0)) else {
            throw PostgresError(.decoding, "no snapshot")
        }
        let epoch: UUID? = try first.decode(column: 1)
        let readAt: Date = try first.decode(column: 2)
        guard let epoch, isState && reading == nil || follows(cursor, epoch, snapshot, readAt) else { return nil }
        let takenAt = reading == nil ? Int64(readAt.timeIntervalSince1970 * 1000) : cursor.takenAt
        var changes: [FeedChange] = []
        var last = FeedPlace(xid: 0, position: 0)
        for row in rows.prefix(pageSize) {
            guard let xid: String = try row.decode(column: 3) else { break }
            last = FeedPlace(xid: UInt64(xid) ?? 0, position: try row.decode(column: 4))
            changes.append(try FeedChange(row))
        }
        let next =
            rows.count > pageSize
            ? FeedCursor(
                epoch: epoch, seen: cursor.seen,
                reading: FeedCursor.Reading(until: snapshot, after: last, isState: isState), takenAt: takenAt)
            : FeedCursor(epoch: epoch, seen: snapshot, reading: nil, takenAt: takenAt)
        return FeedPage(
            changes: changes, cursor: next, asOf: Date(timeIntervalSince1970: Double(takenAt) / 1000))
    }

    /// Whether the cursor's snapshots are of this run of transaction ids, and nothing was dropped since.
    private func follows(_ cursor: FeedCursor, _ epoch: UUID, _ snapshot: FeedSnapshot, _ readAt: Date) -> Bool {
        cursor.epoch == epoch && cursor.seen.xmax <= snapshot.xmax
            && readAt.timeIntervalSince1970 - Double(cursor.takenAt) / 1000 < Self.cursorLife
    }
}

extension FeedChange {
    /// Reads a row of `changes_between`. Throws `.decoding`.
    fileprivate init(_ row: PostgresRow) throws(PostgresError) {
        kind = try row.decode(column: 5)
        userID = (try row.decode(column: 6, as: UUID?.self)).map(UserID.init(uuid:))
        sessionID = (try row.decode(column: 7, as: UUID?.self)).map(SessionID.init(uuid:))
        tokenHash = try row.decode(column: 8)
        expiresAt = try row.decode(column: 9)
        notBefore = try row.decode(column: 10)
    }
}
