import Postgres

/// The SQL of what admin instances tell each other.
struct AdminChangeStore: Sendable {
    let postgres: PostgresClient

    /// The channel on which a hint goes round after a change was committed.
    static let channel = "admin_changes"

    /// What was committed after a reading, and the place of this one; nil begins. Throws `PostgresError`.
    ///
    /// The place is a snapshot: the rows are those of transactions that it did not see, in whatever order they commit.
    func changes(since place: String?) async throws -> (topics: [ChangeTopic], place: String) {
        let rows = try await postgres.read(
            """
            SELECT pg_current_snapshot()::text, c.topic
              FROM (SELECT \(place)::pg_snapshot AS last) p
              LEFT JOIN admin_changes c
                ON c.xid >= pg_snapshot_xmin(p.last) AND NOT pg_visible_in_snapshot(c.xid, p.last)
            """)
        guard let first = rows.first else { throw UnreadableRow(table: "admin_changes") }
        let topics = try rows.compactMap { try $0.decode(column: 1) as String? }
        return (topics.compactMap(ChangeTopic.init), try first.decode(column: 0))
    }

    /// Writes a change down that no other statement does. Throws `PostgresError`.
    func add(_ topic: ChangeTopic) async throws {
        _ = try await postgres.write("INSERT INTO admin_changes (topic) VALUES (\(topic.text))")
    }

    /// Tells the other instances to read. Throws `PostgresError`.
    func ring() async throws { _ = try await postgres.write("SELECT pg_notify(\(Self.channel), '')") }

    /// Deletes what is older than an hour. Throws `PostgresError`.
    func forget() async throws {
        _ = try await postgres.write("DELETE FROM admin_changes WHERE changed_at < now() - interval '1 hour'")
    }
}

/// Makes a change known once it was written: here at once, on other instances in a moment.
struct AnnounceChange: Sendable {
    let store: AdminChangeStore
    let caches: AdminCaches

    /// Never fails: instances that do not hear the hint read twice a second anyway.
    func callAsFunction(_ topic: ChangeTopic) async {
        caches.drop(topic)
        try? await store.ring()
    }

    /// The same for what may have changed, and that no statement has written down: the other instances read it now, and
    /// again when it is known. Never fails: without a database they learn it then.
    func callAsFunction(unwritten topic: ChangeTopic) async {
        caches.drop(topic)
        try? await store.add(topic)
        try? await store.ring()
    }
}
