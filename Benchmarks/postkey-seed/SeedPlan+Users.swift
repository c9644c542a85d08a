extension SeedPlan {
    /// Sessions older than this are forgotten by user-service; of the time before only its counters know.
    private var sessionDays: Int { min(days, 30) }

    private var firstName: String {
        """
        (ARRAY['Asha', 'Ravi', 'Meera', 'Arjun', 'Priya', 'Vikram', 'Anita', 'Sanjay', 'Kavya', 'Rahul', 'Divya', 'Kiran',
               'Neha', 'Amit', 'Sunita', 'Imran', 'Fatima', 'John', 'Emma', 'Liam', 'Olivia', 'Noah', 'Zoë', 'José'])
            [1 + floor(pg_temp.chance(n, 1) * 24)::int]
        """
    }

    private var name: String {
        """
        \(firstName) || ' ' ||
        (ARRAY['Sharma', 'Patel', 'Singh', 'Kumar', 'Reddy', 'Nair', 'Iyer', 'Gupta', 'Khan', 'Das', 'Joshi', 'Mehta', 'Rao',
               'Bose', 'Kapoor', 'Verma', 'Smith', 'Jones', 'Brown', 'O''Brien', 'Müller', 'García'])
            [1 + floor(pg_temp.chance(n, 2) * 22)::int]
        """
    }

    /// People who came over two years, ever more of them; a fifth of them were here within the last month.
    var userScripts: [Script] {
        [
            preparation,
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
                CREATE INDEX people_seen ON people (seen) WHERE status = 'active' AND seen IS NOT NULL;
                ANALYZE people
                """
            ),
            (
                "users",
                """
                INSERT INTO users (id, phone, status, display_name, locale, email, created_at, updated_at, last_sign_in_at)
                SELECT id, CASE WHEN status <> 'deleted' THEN phone END, status,
                       CASE WHEN status <> 'deleted' AND pg_temp.chance(n, 7) < 0.7 THEN \(name) END,
                       CASE WHEN status <> 'deleted' THEN 'en-IN' END,
                       CASE WHEN status <> 'deleted' AND pg_temp.chance(n, 8) < 0.3
                            THEN lower(\(firstName)) || n || '@example.org' END,
                       created, created, coalesce(seen, created)
                  FROM people ORDER BY created
                """
            ),
            ("sessions", sessions),
            ("counters of days without sessions", counters),
            (
                "statistics of the planner",
                "ANALYZE users; ANALYZE sessions; ANALYZE user_activity; ANALYZE user_counts"
            ),
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

    /// What the days before the sessions would have left behind: as many as in the days after, and the fewer the longer ago. The
    /// first day of the sessions is half a day of theirs, the other half is here.
    private var counters: String {
        guard days > sessionDays else { return "SELECT 1" }
        return """
            SELECT count_users((now() - d * interval '1 day')::date, sign_ins => seen, active_of_day => seen,
                active_of_week => seen, active_of_month => seen)
              FROM (SELECT d, (\(users) * 0.985 * 0.2 / \(sessionDays) * (0.95 + 0.1 * pg_temp.chance(d, 20))
                        * (1 - (d - \(sessionDays)) / 730.0) ^ 2
                        * CASE WHEN d = \(sessionDays) THEN extract(epoch FROM now() - date_trunc('day', now())) / 86400 ELSE 1 END
                    )::bigint AS seen
                      FROM generate_series(\(sessionDays), \(days - 1)) d) days
            """
    }
}
