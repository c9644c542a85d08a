extension SeedPlan {
    /// A code for each user in the time, six of seven verified. What otp-service would have counted by now is counted as it would
    /// have done it; the newest it counts itself, from the rows.
    var messageScripts: [Script] {
        [
            preparation, ("what was asked for", asked), ("challenges and messages", rows),
            ("numbers", numbers), ("numbers of blocks", blocks),
            (
                "budget",
                """
                INSERT INTO sms_budget (day, part, used)
                SELECT (at AT TIME ZONE 'UTC')::date, 0, count(*) FROM asked
                 WHERE at >= date_trunc('day', now(), 'UTC') - interval '6 days' GROUP BY 1
                ON CONFLICT (day, part) DO UPDATE SET used = sms_budget.used + excluded.used
                """
            ),
            (
                "statistics of the planner",
                """
                ANALYZE challenges; ANALYZE messages; ANALYZE past_challenges; ANALYZE past_messages; ANALYZE statistics;
                ANALYZE statistics_prefixes; ANALYZE statistics_failures
                """
            ),
        ]
    }

    /// Each day has its noon in India; nothing is younger than ten minutes, so that no code is alive.
    private var asked: String {
        """
        CREATE TEMP TABLE asked AS
        SELECT *, pg_temp.id_at(at, n, 30) AS id,
               CASE WHEN fate < 0.86 THEN at + (3 + 50 * pg_temp.chance(n, 34) ^ 2) * interval '1 second' END AS verified_at,
               CASE WHEN fate < 0.94 THEN 'delivered' WHEN fate < 0.97 THEN 'submitted' ELSE 'failed' END AS state,
               CASE WHEN fate >= 0.97 THEN (ARRAY['unreachable', 'unreachable', 'unreachable', 'barred', 'full', 'blocked',
                   'recipient 301', 'expired'])[1 + floor(pg_temp.chance(n, 35) * 8)::int] END AS reason,
               CASE WHEN n % 50 = 0 THEN 'voice' ELSE 'sms' END AS channel
          FROM (SELECT n, \(phone) AS phone, \(country) AS country, pg_temp.chance(n, 31) AS fate,
                       last - floor(pg_temp.chance(n, 32) ^ 1.1 * \(days)) * interval '1 day'
                       - (part - floor(part)) * interval '1 day' AS at
                  FROM (SELECT n, last, (pg_temp.chance(n, 36) + pg_temp.chance(n, 37)) / 2 - 0.5
                            + extract(epoch FROM last - date_trunc('day', last, 'UTC'))::float8 / 86400 - 0.3 AS part
                          FROM generate_series(1::bigint, \(users)) n, (SELECT now() - interval '10 minutes' AS last) l) g) a
         ORDER BY id;
        CREATE INDEX asked_by_id ON asked (id);
        ANALYZE asked
        """
    }

    /// Day by day into the tables of the days, made as otp-service makes them. Its first migration leaves a table of all days before;
    /// empty, that one goes, since it would be in the way of days; otherwise all goes into it.
    private var rows: String {
        """
        DO $$
        DECLARE
            _today date := (now() AT TIME ZONE 'UTC')::date;
            _parent text;
            _before text;
            _is_whole boolean := false;
            _day date;
            _first uuid;
            _end uuid;
            _table text;
            _is_new boolean;
        BEGIN
            FOREACH _parent IN ARRAY array['messages', 'challenges'] LOOP
                SELECT c.relname INTO _before FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
                 WHERE i.inhparent = _parent::regclass AND c.relname ~ '_to_[0-9]{8}$';
                IF found THEN
                    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', _before) INTO _is_new;
                    _is_whole := _is_whole OR _is_new;
                    IF NOT _is_whole THEN EXECUTE format('DROP TABLE %I', _before); END IF;
                END IF;
            END LOOP;
            FOR _day IN SELECT _today - g FROM generate_series(\(min(days, retention)), 0, -1) g LOOP
                _first := first_id(_day::timestamp AT TIME ZONE 'UTC');
                _end := first_id((_day + 1)::timestamp AT TIME ZONE 'UTC');
                FOREACH _parent IN ARRAY array['challenges', 'messages'] LOOP
                    _table := CASE WHEN _is_whole THEN _parent ELSE _parent || '_' || to_char(_day, 'YYYYMMDD') END;
                    _is_new := to_regclass(_table) IS NULL;
                    IF _is_new THEN
                        EXECUTE format(
                            'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
                             WITH (fillfactor = %s, autovacuum_vacuum_scale_factor = 0.02)',
                            _table, _parent, CASE _parent WHEN 'challenges' THEN 85 ELSE 80 END);
                    END IF;
                    IF _parent = 'challenges' THEN
                        EXECUTE format($q$
                            INSERT INTO %I (id, phone, purpose, key_id, digest, code_length, attempts, max_attempts, created_at,
                                            expires_at, verified_at)
                            SELECT id, phone, CASE WHEN n %% 97 = 0 THEN 'change_phone' ELSE 'sign_in' END::purpose, 'seeded',
                                   pg_temp.bytes(n, 33), 6,
                                   CASE WHEN verified_at IS NOT NULL THEN 1 + (n %% 9 = 0)::int ELSE n %% 3 END, 5, at,
                                   at + interval '300 seconds', verified_at
                              FROM asked WHERE id >= $1 AND id < $2$q$, _table) USING _first, _end;
                    ELSE
                        EXECUTE format($q$
                            INSERT INTO %I (challenge_id, number, channel, state, tries, due_at, gateway_id, reason, created_at,
                                            submitted_at, delivered_at, updated_at)
                            SELECT id, 0, channel::channel, state::message_state, 1, at, 'seeded-' || n, reason, at,
                                   CASE WHEN state <> 'failed' THEN at + interval '400 milliseconds' END,
                                   CASE WHEN state = 'delivered' THEN at + interval '3 seconds' END, at + interval '3 seconds'
                              FROM asked WHERE id >= $1 AND id < $2$q$, _table) USING _first, _end;
                    END IF;
                    IF _is_new THEN
                        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                            CASE WHEN _day >= _today - 1 THEN _parent ELSE 'past_' || _parent END, _table, _first, _end);
                    END IF;
                END LOOP;
            END LOOP;
        END
        $$
        """
    }

    /// Where a number begins that counts a moment: at the hour if its day has been summed up, else at its five minutes.
    private var since: String {
        """
        CASE WHEN at < date_trunc('day', now(), 'UTC') - interval '72 hours' THEN date_trunc('hour', at, 'UTC') ELSE slice_of(at) END
        """
    }

    private var counted: String { "at < (SELECT counted_to FROM statistics_progress)" }

    /// As `CountStatistics` and `fold_statistics` would have left them.
    private var numbers: String {
        let steps = 0..<20
        return """
            INSERT INTO statistics (since, country, channel, sent, submitted, delivered, failed, verified,
                \(steps.map { "t\($0)" }.joined(separator: ", ")))
            SELECT since, country, channel::channel, count(*), count(*) FILTER (WHERE state <> 'failed'),
                   count(*) FILTER (WHERE state = 'delivered'), count(*) FILTER (WHERE state = 'failed'), count(step),
                   \(steps.map { "count(*) FILTER (WHERE step = \($0))" }.joined(separator: ", "))
              FROM (SELECT \(since) AS since, country, channel, state,
                           CASE WHEN verified_at IS NOT NULL THEN
                               least(floor(2 * ln(greatest(extract(epoch FROM verified_at - at)::float8, 1)) / ln(2::float8)), 19)::int END AS step
                      FROM asked WHERE \(counted)) a
             GROUP BY 1, 2, 3
            ON CONFLICT (since, country, channel) DO UPDATE SET sent = statistics.sent + excluded.sent,
                submitted = statistics.submitted + excluded.submitted, delivered = statistics.delivered + excluded.delivered,
                failed = statistics.failed + excluded.failed, verified = statistics.verified + excluded.verified,
                \(steps.map { "t\($0) = statistics.t\($0) + excluded.t\($0)" }.joined(separator: ", "));
            INSERT INTO statistics_failures (since, reason, failed)
            SELECT \(since), split_part(reason, ' ', 1), count(*) FROM asked WHERE state = 'failed' AND \(counted) GROUP BY 1, 2
            ON CONFLICT (since, reason) DO UPDATE SET failed = statistics_failures.failed + excluded.failed;
            UPDATE statistics_progress
               SET folded_to = greatest(folded_to, date_trunc('day', now(), 'UTC') - interval '72 hours')
            """
    }

    /// Of each five minutes the two hundred busiest blocks, of a day that was summed up the thousand busiest.
    private var blocks: String {
        """
        INSERT INTO statistics_prefixes (since, prefix, country, sent, delivered, failed, verified)
        SELECT since, prefix, country, sent, delivered, failed, verified
          FROM (SELECT *, row_number() OVER (PARTITION BY since ORDER BY sent DESC, prefix) AS place
                  FROM (SELECT CASE WHEN at < date_trunc('day', now(), 'UTC') - interval '72 hours'
                                    THEN date_trunc('day', at, 'UTC') ELSE slice_of(at) END AS since,
                               left(phone, 8) AS prefix, min(country) AS country, count(*) AS sent,
                               count(*) FILTER (WHERE state = 'delivered') AS delivered,
                               count(*) FILTER (WHERE state = 'failed') AS failed, count(verified_at) AS verified
                          FROM asked
                         WHERE \(counted) AND at >= date_trunc('day', now(), 'UTC') - interval '\(min(days, retention)) days'
                         GROUP BY 1, 2) b) ranked
         WHERE place <= CASE WHEN since < date_trunc('day', now(), 'UTC') - interval '72 hours' THEN 1000 ELSE 200 END
        ON CONFLICT (since, prefix) DO UPDATE SET sent = statistics_prefixes.sent + excluded.sent,
            delivered = statistics_prefixes.delivered + excluded.delivered, failed = statistics_prefixes.failed + excluded.failed,
            verified = statistics_prefixes.verified + excluded.verified
        """
    }
}
