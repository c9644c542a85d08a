import Postgres

/// Deletes what is due from a table that has no index for it, in one pass over the table's pages.
///
/// Each step is a statement of its own over the next few pages, so that it costs the same at the end of the table as at its
/// beginning: a batch that began at the first page each time would read again, longer and longer, over all that the batches
/// before it deleted. Rows in use are left for the next round: nobody is waited for. Between two steps it rests for some
/// times what the last one took, so that a slow disk or a busy server is given the larger part of its time.
struct PageWalk {
    let postgres: PostgresClient
    let table: String
    /// Condition of a row that is due, in terms of `since`: microseconds since 1970, `days` before now.
    let condition: String
    let days: Int

    /// 64 kB: some hundreds of rows, gone within a few milliseconds.
    static let pages = 8

    /// Walks from the first page to what was the last one; returns how many rows went. Throws `PostgresError`.
    func callAsFunction() async throws -> Int {
        var total = 0
        let end = try await size()
        for first in stride(from: 0, to: end, by: Self.pages) {
            if Task.isCancelled { break }
            let begin = ContinuousClock.now
            total += try await step(from: first)
            try? await Task.sleep(for: max(.milliseconds(5), (ContinuousClock.now - begin) * 4))
        }
        return total
    }

    /// Pages of the table.
    private func size() async throws(PostgresError) -> Int {
        try await postgres.read(
            "SELECT pg_relation_size('\(unescaped: table)') / current_setting('block_size')::int8"
        ).first?.decode(column: 0) ?? 0
    }

    /// A row that was locked does not move, so that the second half finds what the first half chose.
    private func step(from first: Int) async throws(PostgresError) -> Int {
        try await postgres.write(
            """
            DELETE FROM \(unescaped: table) WHERE ctid = ANY (ARRAY(
                SELECT r.ctid FROM \(unescaped: table) r, LATERAL (
                    SELECT (extract(epoch FROM now() - \(days) * interval '24 h') * 1000000)::int8 AS since) kept
                WHERE r.ctid >= format('(%s,0)', \(first))::tid AND r.ctid < format('(%s,0)', \(first + Self.pages))::tid
                    AND \(unescaped: condition)
                FOR UPDATE OF r SKIP LOCKED))
            """
        ).affectedRows
    }
}
