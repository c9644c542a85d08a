package import Foundation
package import Identity
package import Postgres

/// Destinations in the database. Everything throws `PostgresError`.
package struct DestinationStore: Sendable {
    let postgres: PostgresClient

    /// Reads and writes this database.
    package init(postgres: PostgresClient) { self.postgres = postgres }

    /// What the board shows: destinations that are not simply let through, and whether sending is paused.
    package func board() async throws(PostgresError) -> (entries: [String: DestinationBoard.Entry], isPaused: Bool) {
        // Not now(), which is when the transaction began: a row may have been committed since, and would seem to end later
        // than it does.
        let rows = try await postgres.read(
            """
            SELECT d.destination, d.state::text, (extract(epoch FROM d.until - clock_timestamp()) * 1000000)::int8,
                d.override, s.paused
            FROM sending_switch s
            LEFT JOIN destinations d ON d.state <> 'closed' OR d.override IS NOT NULL
            LIMIT 100000
            """)
        let now = ContinuousClock.now
        var entries: [String: DestinationBoard.Entry] = [:]
        var isPaused = false
        for row in rows {
            let (name, state, remaining, override, paused) = try row.decode(
                (String?, String?, Int?, String?, Bool).self)
            isPaused = paused
            guard let name, let state = state.flatMap(Breaker.State.init) else { continue }
            entries[name] = DestinationBoard.Entry(
                state: state, opensAt: remaining.map { now + .microseconds($0) },
                override: override.flatMap(DestinationOverride.init))
        }
        return (entries, isPaused)
    }

    /// Whose challenge it is, while it can be active; parsed, for its country decides as well.
    package func phone(of challenge: ChallengeID) async throws(PostgresError) -> PhoneNumber? {
        let rows = try await postgres.read("SELECT phone FROM challenges WHERE id = \(challenge.uuid)")
        guard let text: String = try rows.first?.decode(column: 0) else { return nil }
        return try? PhoneNumber(parsing: text, defaultRegion: nil)
    }

    /// Takes one of the trials of a half-open breaker; false if there is none left.
    package func takeTrial(_ name: String) async throws(PostgresError) -> Bool {
        try await postgres.write(
            """
            UPDATE destinations SET trials_left = trials_left - 1
            WHERE destination = \(name) AND state = 'half_open' AND trials_left > 0
            """
        ).affectedRows > 0
    }

    /// Sets what an operator decided, again and again with the same effect; with a key only once.
    /// - Parameter override: nil leaves the destination to its breaker again.
    @discardableResult package func decide(
        _ override: DestinationOverride?, _ name: DestinationName, by service: String, reason: String?,
        key: ActKey? = nil
    ) async throws(PostgresError) -> ActOutcome {
        guard let override else { return try await reset(name, key) }
        let act =
            switch override {
            case .allowed: "allow"
            case .blocked: "block"
            }
        // A reason belongs to its decision: repeated without one it keeps it, the opposite does not.
        return try ActOutcome(
            try await postgres.write(
                """
                WITH begun AS MATERIALIZED (
                    SELECT begin_act(\(key?.text), \(act), \(name.description)) AS outcome
                ), changed AS (
                    INSERT INTO destinations AS d (destination, since, override, override_by, override_reason, override_since)
                    SELECT \(name.description), now(), \(override.rawValue), \(service), \(reason), now()
                    FROM begun WHERE outcome = 'new'
                    ON CONFLICT (destination) DO UPDATE SET
                        override = excluded.override, override_by = excluded.override_by,
                        override_reason = coalesce(
                            excluded.override_reason,
                            CASE WHEN d.override = excluded.override THEN d.override_reason END),
                        override_since = excluded.override_since
                    WHERE d.override IS DISTINCT FROM excluded.override
                        OR d.override_reason IS DISTINCT FROM coalesce(excluded.override_reason, d.override_reason)
                )
                SELECT outcome FROM begun
                """))
    }

    private func reset(_ name: DestinationName, _ key: ActKey?) async throws(PostgresError) -> ActOutcome {
        try ActOutcome(
            try await postgres.write(
                """
                WITH begun AS MATERIALIZED (
                    SELECT begin_act(\(key?.text), 'reset', \(name.description)) AS outcome
                ), changed AS (
                    UPDATE destinations d
                    SET override = NULL, override_by = NULL, override_reason = NULL, override_since = NULL
                    FROM begun b
                    WHERE b.outcome = 'new' AND d.destination = \(name.description) AND d.override IS NOT NULL
                )
                SELECT outcome FROM begun
                """))
    }

    /// How a destination stands, also one of which nothing is known.
    package func destination(_ name: DestinationName) async throws(PostgresError) -> Destination {
        let (destinations, _, asOf) = try await list(only: name.description, limit: 1)
        return destinations.first ?? Destination(name: name.description, breaker: Breaker(since: asOf))
    }

    /// Destinations of the last hour: those that are not simply let through first, then by the number of sends; and whether
    /// all sending is paused.
    package func list(
        only name: String? = nil, limit: Int
    ) async throws(PostgresError) -> (destinations: [Destination], isPaused: Bool, asOf: Date) {
        let rows = try await postgres.read(
            """
            WITH counted AS (
                SELECT destination, sum(sends)::int8 AS sends, sum(verified)::int8 AS verified
                FROM destination_counts
                WHERE slot > now() - interval '1 h' AND (\(name)::text IS NULL OR destination = \(name)) GROUP BY destination
            ), decided AS (
                SELECT * FROM destinations WHERE \(name)::text IS NULL OR destination = \(name)
            ), listed AS (
                SELECT coalesce(d.destination, c.destination) AS name,
                    coalesce(d.state <> 'closed' OR d.override IS NOT NULL, false) AS held, c.sends AS recent,
                    coalesce(c.sends, 0) + CASE WHEN d.state <> 'closed' THEN d.judged_sends ELSE 0 END AS sends,
                    coalesce(c.verified, 0) + CASE WHEN d.state <> 'closed' THEN d.judged_verified ELSE 0 END AS verified,
                    coalesce(d.state::text, 'closed') AS state, d.since, d.until, d.override, d.override_by,
                    d.override_reason, d.override_since
                FROM decided d FULL JOIN counted c ON c.destination = d.destination
                ORDER BY held DESC, recent DESC NULLS LAST, name LIMIT \(limit)
            )
            SELECT l.name, l.sends, l.verified, l.state, l.since, l.until, l.override, l.override_by, l.override_reason,
                l.override_since, s.paused, now()
            FROM sending_switch s LEFT JOIN listed l ON true
            ORDER BY l.held DESC, l.recent DESC NULLS LAST, l.name
            """)
        var asOf = Date()
        var isPaused = false
        var destinations: [Destination] = []
        for row in rows {
            let (name, sends, verified, state, since, until, override, by, reason, overrideSince, paused, now) =
                try row.decode(
                    (String?, Int?, Int?, String?, Date?, Date?, String?, String?, String?, Date?, Bool, Date).self)
            (isPaused, asOf) = (paused, now)
            // A row without a destination says that there is none.
            guard let name, let sends, let verified, let state else { continue }
            var breaker = Breaker(since: since ?? now)
            breaker.state = Breaker.State(rawValue: state) ?? .closed
            breaker.until = until
            destinations.append(
                Destination(
                    name: name, sends: sends, verified: verified, breaker: breaker,
                    override: override.flatMap(DestinationOverride.init), overriddenBy: by, reason: reason,
                    overriddenSince: overrideSince))
        }
        return (destinations, isPaused, asOf)
    }
}
