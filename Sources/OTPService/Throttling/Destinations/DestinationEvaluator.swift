package import Foundation
import Identity
package import Postgres

/// Counts challenges by destination once they are ripe, and moves the breakers; on one instance at a time.
///
/// No send and no answer touches a counter: challenges are read in the order of their ids, each once, and counted where they
/// went. So a whole country has no row that its sends wait for.
package struct DestinationEvaluator: Sendable {
    /// What one pass has counted of a destination, and what the window says.
    package struct Count: Sendable, Hashable {
        package let name: String
        package let sends: Int
        package let verified: Int
    }

    /// A breaker that moved, and by what.
    package struct Move: Sendable, Hashable {
        package let count: Count
        package let from: Breaker.State
        package let to: Breaker.State
    }

    let postgres: PostgresClient
    let policy: BreakerPolicy

    /// An evaluator by this policy.
    package init(postgres: PostgresClient, policy: BreakerPolicy = BreakerPolicy()) {
        self.postgres = postgres
        self.policy = policy
    }

    /// One pass; returns what the window says of the destinations that it has counted something of, and the breakers that it has moved;
    /// nil if another instance is at it. `at` is for tests. Throws `PostgresError`.
    package func evaluate(at moment: Date? = nil) async throws -> (counts: [Count], moves: [Move])? {
        try await postgres.transaction { transaction in
            let locked = try await transaction.query("SELECT pg_try_advisory_xact_lock(\(Self.lockKey))").first?
                .decode(column: 0, as: Bool.self)
            guard locked == true else { return nil }
            let now: Date =
                try await transaction.query("SELECT coalesce(\(moment), clock_timestamp())").first?
                .decode(column: 0, as: Date.self) ?? Date()
            let ripe = try await count(transaction, at: now)
            let touched = try await add(ripe, transaction, at: now)
            return (touched, try await move(touched, transaction, at: now))
        }
    }

    /// "pkdest" in ASCII.
    private static let lockKey = 0x706b_6465_7374

    /// The challenges that have become ripe since the last pass, by block of numbers; ten minutes of them at most.
    ///
    /// Only those whose message the gateway has taken: while it is away nobody can verify, and when it is back at last the
    /// breakers of all countries would be open.
    private func count(_ transaction: PostgresTransaction, at now: Date) async throws -> [Count] {
        let horizon = Int(now.timeIntervalSince1970 * 1000) - policy.ripeAfter * 1000
        let known = try await transaction.query("SELECT counted_to FROM destination_cursor").first?
            .decode(column: 0, as: Int.self)
        guard let known else {
            _ = try await transaction.query("INSERT INTO destination_cursor (counted_to) VALUES (\(horizon))")
            return []
        }
        let end = min(horizon, known + 600_000)
        guard end > known else { return [] }
        _ = try await transaction.query("UPDATE destination_cursor SET counted_to = \(end)")
        let rows = try await transaction.query(
            """
            SELECT left(c.phone, greatest(length(c.phone) - 4, 1)), count(*), count(c.verified_at)
            FROM challenges c
            WHERE c.id >= least_uuid(\(known)) AND c.id < least_uuid(\(end))
                AND (c.verified_at IS NOT NULL OR EXISTS (
                    SELECT FROM messages m
                    WHERE m.challenge_id = c.id AND m.submitted_at IS NOT NULL AND m.state <> 'unresolved'))
            GROUP BY 1
            """)
        return try rows.map { row in
            let (name, sends, verified) = try row.decode((String, Int, Int).self)
            return Count(name: name, sends: sends, verified: verified)
        }
    }

    /// Adds counts to blocks and their countries, and returns what the window says of those.
    private func add(_ blocks: [Count], _ transaction: PostgresTransaction, at now: Date) async throws -> [Count] {
        guard !blocks.isEmpty else { return [] }
        var countries: [String: (sends: Int, verified: Int)] = [:]
        for block in blocks {
            guard let country = DestinationName(block.name)?.country else { continue }
            countries[country, default: (0, 0)].sends += block.sends
            countries[country, default: (0, 0)].verified += block.verified
        }
        let all = (blocks + countries.map { Count(name: $0.key, sends: $0.value.sends, verified: $0.value.verified) })
            .sorted { $0.name < $1.name }
        _ = try await transaction.query(
            """
            INSERT INTO destination_counts AS c (destination, slot, sends, verified)
            SELECT name, date_bin('10 min', \(now), '2000-01-01Z'), sends, verified
            FROM unnest(\(all.map(\.name)), \(all.map(\.sends)), \(all.map(\.verified))) AS n (name, sends, verified)
            ON CONFLICT (destination, slot) DO UPDATE SET
                sends = c.sends + excluded.sends, verified = c.verified + excluded.verified
            """)
        _ = try await transaction.query(
            """
            UPDATE destinations d SET trial_sends = d.trial_sends + n.sends, trial_verified = d.trial_verified + n.verified
            FROM unnest(\(all.map(\.name)), \(all.map(\.sends)), \(all.map(\.verified))) AS n (name, sends, verified)
            WHERE d.destination = n.name AND d.state = 'half_open'
            """)
        let rows = try await transaction.query(
            """
            SELECT destination, sum(sends)::int8, sum(verified)::int8 FROM destination_counts
            WHERE destination = ANY(\(all.map(\.name)))
                AND slot > \(now) - CASE WHEN destination LIKE '+%' THEN \(policy.blockWindow) ELSE \(policy.window) END * interval '1 s'
            GROUP BY destination
            """)
        return try rows.map { row in
            let (name, sends, verified) = try row.decode((String, Int, Int).self)
            return Count(name: name, sends: sends, verified: verified)
        }
    }

    /// Moves the breakers of destinations that have counted something, and those that are not closed.
    private func move(
        _ touched: [Count], _ transaction: PostgresTransaction, at now: Date
    ) async throws -> [Move] {
        var breakers: [String: Breaker] = [:]
        let rows = try await transaction.query(
            """
            SELECT destination, state::text, since, until, trips, trials_left, trial_sends, trial_verified FROM destinations
            WHERE state <> 'closed' FOR UPDATE
            """)
        for row in rows {
            let (name, state, since, until, trips, trialsLeft, trialSends, trialVerified) = try row.decode(
                (String, String, Date, Date?, Int, Int, Int, Int).self)
            var breaker = Breaker(since: since)
            breaker.state = Breaker.State(rawValue: state) ?? .closed
            breaker.until = until
            breaker.trips = trips
            breaker.trialsLeft = trialsLeft
            breaker.trialSends = trialSends
            breaker.trialVerified = trialVerified
            breakers[name] = breaker
        }
        var counts: [String: Count] = [:]
        for count in touched {
            counts[count.name] = count
            if breakers[count.name] == nil { breakers[count.name] = Breaker(since: now) }
        }
        var moves: [Move] = []
        for (name, before) in breakers.sorted(by: { $0.key < $1.key }) {
            var breaker = before
            let isNew = breaker.evaluate(
                sends: counts[name]?.sends ?? 0, verified: counts[name]?.verified ?? 0, at: now, policy)
            if breaker != before { try await write(breaker, of: name, transaction) }
            guard isNew else { continue }
            // What was counted before a change says nothing about the time after it.
            _ = try await transaction.query("DELETE FROM destination_counts WHERE destination = \(name)")
            let count =
                before.state == .halfOpen
                ? Count(name: name, sends: before.trialSends, verified: before.trialVerified)
                : counts[name] ?? Count(name: name, sends: 0, verified: 0)
            moves.append(Move(count: count, from: before.state, to: breaker.state))
            if breaker.state == .open {
                _ = try await transaction.query(
                    """
                    UPDATE destinations SET judged_sends = \(count.sends), judged_verified = \(count.verified)
                    WHERE destination = \(name)
                    """)
            }
        }
        return moves
    }

    private func write(_ breaker: Breaker, of name: String, _ transaction: PostgresTransaction) async throws {
        _ = try await transaction.query(
            """
            INSERT INTO destinations (destination, state, since, until, trips, trials_left, trial_sends, trial_verified)
            VALUES (
                \(name), \(breaker.state.rawValue)::breaker_state, \(breaker.since), \(breaker.until), \(breaker.trips),
                \(breaker.trialsLeft), \(breaker.trialSends), \(breaker.trialVerified))
            ON CONFLICT (destination) DO UPDATE SET
                state = excluded.state, since = excluded.since, until = excluded.until, trips = excluded.trips,
                trials_left = excluded.trials_left, trial_sends = excluded.trial_sends,
                trial_verified = excluded.trial_verified
            """)
    }

    /// Forgets counts that no judgement needs any more.
    package func purge() async throws(PostgresError) {
        _ = try await postgres.write(
            "DELETE FROM destination_counts WHERE slot < now() - 2 * \(policy.blockWindow) * interval '1 s'")
        _ = try await postgres.write("DELETE FROM destinations WHERE state = 'closed' AND override IS NULL")
    }
}
