/// What is written, as scripts of SQL: the server makes the rows itself, which no client could send as fast.
struct SeedPlan {
    let users: Int
    let days: Int
    let seed: Int

    /// Sessions older than this are forgotten by user-service; of the time before only its counters know.
    private var sessionDays: Int { min(days, 30) }

    /// Functions that live as long as the session: a number from 0 to 1 and an id, both by the seed, a number and a purpose.
    private var functions: String {
        """
        SET synchronous_commit = off;
        SET work_mem = '256MB';
        SET maintenance_work_mem = '512MB';
        CREATE FUNCTION pg_temp.chance(n bigint, purpose int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
            SELECT (hashint8extended(n, \(seed) * 1000 + purpose) & 9223372036854775807)::float8 / 9223372036854775808
        $$;
        CREATE FUNCTION pg_temp.id_at(moment timestamptz, n bigint, purpose int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
            SELECT (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(d, 1, 3)
                || '8' || substr(d, 4, 15))::uuid FROM (SELECT md5(n || ':' || purpose || ':\(seed)') AS d) m
        $$;
        CREATE FUNCTION pg_temp.bytes(n bigint, purpose int) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
            SELECT sha256(convert_to(n || ':' || purpose || ':\(seed)', 'UTF8'))
        $$;
        """
    }

    /// A phone for each number: no two the same, most of them Indian.
    private let phone = """
        CASE WHEN n % 100 < 84 THEN '+91' || (6000000000 + (n * 2654435761) % 4000000000)
             WHEN n % 100 < 91 THEN '+1415' || lpad(((n / 100 * 7 + n % 100 - 84) % 10000000)::text, 7, '0')
             WHEN n % 100 < 96 THEN '+447' || lpad(((n * 48271) % 1000000000)::text, 9, '0')
             ELSE '+97150' || lpad(((n / 100 * 4 + n % 100 - 96) % 10000000)::text, 7, '0') END
        """

    private let name = """
        (ARRAY['Asha', 'Ravi', 'Meera', 'Arjun', 'Priya', 'Vikram', 'Anita', 'Sanjay', 'Kavya', 'Rahul', 'Divya', 'Kiran',
               'Neha', 'Amit', 'Sunita', 'Imran', 'Fatima', 'John', 'Emma', 'Liam', 'Olivia', 'Noah', 'Zoë', 'José'])
            [1 + floor(pg_temp.chance(n, 1) * 24)::int] || ' ' ||
        (ARRAY['Sharma', 'Patel', 'Singh', 'Kumar', 'Reddy', 'Nair', 'Iyer', 'Gupta', 'Khan', 'Das', 'Joshi', 'Mehta', 'Rao',
               'Bose', 'Kapoor', 'Verma', 'Smith', 'Jones', 'Brown', 'O''Brien', 'Müller', 'García'])
            [1 + floor(pg_temp.chance(n, 2) * 22)::int]
        """

    /// People who came over two years, ever more of them; a fifth of them were here within the last month.
    var userScripts: [(name: String, sql: String)] {
        [
            ("preparation", functions),
            (
                "people",
                """
                CREATE TEMP TABLE people AS
                SELECT n, \(phone) AS phone, pg_temp.id_at(created, n, 0) AS id, created,
                       CASE WHEN pg_temp.chance(n, 3) < 0.01 THEN 'deleted' WHEN pg_temp.chance(n, 3) < 0.015 THEN 'suspended'
                            ELSE 'active' END AS status,
                       CASE WHEN pg_temp.chance(n, 4) < 0.2
                            THEN greatest(created, now() - pg_temp.chance(n, 5) * interval '\(sessionDays) days') END AS seen
                  FROM (SELECT n, now() - (1 - sqrt(pg_temp.chance(n, 6))) * interval '730 days' AS created
                          FROM generate_series(1::bigint, \(users)) n) g;
                ANALYZE people
                """
            ),
            (
                "users",
                """
                INSERT INTO users (id, phone, status, display_name, locale, created_at, updated_at, last_sign_in_at)
                SELECT id, CASE WHEN status <> 'deleted' THEN phone END, status,
                       CASE WHEN status <> 'deleted' AND pg_temp.chance(n, 7) < 0.7 THEN \(name) END,
                       CASE WHEN status <> 'deleted' THEN 'en-IN' END, created, created, coalesce(seen, created)
                  FROM people ORDER BY created
                """
            ),
            ("sessions", sessions),
            ("counters of days without sessions", counters),
            ("statistics of the planner", "ANALYZE users; ANALYZE sessions; ANALYZE user_activity"),
        ]
    }

    /// Day by day, the oldest first, so that each user counts on the day they were first seen in.
    private var sessions: String {
        """
        DO $$
        DECLARE
            day int;
        BEGIN
            FOR day IN REVERSE \(sessionDays)..0 LOOP
                INSERT INTO sessions (id, user_id, challenge_id, device_name, refresh_hash, access_token_id, access_expires_at,
                                      created_at, rotated_at, idle_expires_at, absolute_expires_at, address)
                SELECT pg_temp.id_at(seen, n, 10), id, pg_temp.id_at(seen, n, 11),
                       (ARRAY['Pixel 9', 'iPhone 17', 'Galaxy S26', 'Chrome on Windows', NULL])
                           [1 + floor(pg_temp.chance(n, 12) * 5)::int],
                       pg_temp.bytes(n, 13), pg_temp.id_at(seen, n, 14), seen + interval '15 minutes', seen, seen,
                       seen + interval '14 days', seen + interval '30 days',
                       ('10.' || n % 256 || '.' || n / 256 % 256 || '.' || n / 65536 % 256)::inet
                  FROM people
                 WHERE status = 'active' AND seen > now() - (day + 1) * interval '1 day' AND seen <= now() - day * interval '1 day';
            END LOOP;
        END
        $$
        """
    }

    private var counters: String {
        guard days > sessionDays else { return "SELECT 1" }
        return """
            SELECT count_users((now() - d * interval '1 day')::date,
                sign_ins => (\(users) * (0.012 + 0.004 * pg_temp.chance(d, 20)))::bigint,
                active_of_day => (\(users) * 0.011)::bigint, active_of_week => (\(users) * 0.006)::bigint,
                active_of_month => (\(users) * 0.003)::bigint)
              FROM generate_series(\(sessionDays + 2), \(days - 1)) d
            """
    }

    /// A code for each user in the time, nine of ten verified; the slices of otp-service's statistics are marked, so that it counts
    /// them itself.
    var messageScripts: [(name: String, sql: String)] {
        [
            ("preparation", functions),
            (
                "challenges",
                """
                CREATE TEMP TABLE asked AS
                SELECT n, \(phone) AS phone, at, pg_temp.id_at(at, n, 30) AS id, pg_temp.chance(n, 31) AS fate
                  FROM (SELECT n, now() - interval '10 minutes' - pg_temp.chance(n, 32) * interval '\(days) days' AS at
                          FROM generate_series(1::bigint, \(users)) n) g;
                INSERT INTO challenges (id, phone, purpose, key_id, digest, code_length, attempts, max_attempts, created_at,
                                        expires_at, verified_at)
                SELECT id, phone, 'sign_in', 'seeded', pg_temp.bytes(n, 33), 6, CASE WHEN fate < 0.9 THEN 1 ELSE 0 END, 5, at,
                       at + interval '300 seconds',
                       CASE WHEN fate < 0.9 THEN at + (4 + 40 * pg_temp.chance(n, 34)) * interval '1 second' END
                  FROM asked ORDER BY id
                """
            ),
            (
                "messages",
                """
                INSERT INTO messages (challenge_id, number, channel, state, tries, due_at, gateway_id, reason, created_at,
                                      submitted_at, updated_at)
                SELECT id, 0, CASE WHEN n % 50 = 0 THEN 'voice' ELSE 'sms' END::channel,
                       CASE WHEN fate < 0.94 THEN 'delivered' WHEN fate < 0.97 THEN 'submitted' ELSE 'failed' END::message_state,
                       1, at, 'seeded-' || n, CASE WHEN fate >= 0.97 THEN 'gateway 301' END, at,
                       CASE WHEN fate < 0.97 THEN at + interval '400 milliseconds' END, at + interval '4 seconds'
                  FROM asked ORDER BY id
                """
            ),
            (
                "marks of the statistics",
                """
                DO $$
                BEGIN
                    IF to_regclass('statistics_marks') IS NOT NULL THEN
                        INSERT INTO statistics_marks (since)
                        SELECT to_timestamp(floor(extract(epoch FROM at) / 300) * 300) FROM asked GROUP BY 1 ORDER BY 1;
                    END IF;
                END
                $$
                """
            ),
            ("statistics of the planner", "ANALYZE challenges; ANALYZE messages"),
        ]
    }
}
