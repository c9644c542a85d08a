/// What is written, as scripts of SQL: the server makes the rows itself, which no client could send as fast.
struct SeedPlan {
    typealias Script = (name: String, sql: String)

    let users: Int
    let days: Int
    let seed: Int
    /// `OTP_RETENTION_DAYS`: older messages are forgotten by otp-service at once, and live on in its numbers only.
    let retention: Int

    /// Functions that live as long as the session: a number from 0 to 1 and an id, both by the seed, a number and a purpose.
    var preparation: Script {
        (
            "preparation",
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
        )
    }

    /// The country of each number's phone.
    let country =
        "CASE WHEN n % 100 < 84 THEN 'IN' WHEN n % 100 < 91 THEN 'US' WHEN n % 100 < 96 THEN 'GB' ELSE 'AE' END"

    /// A phone for each number: no two the same, most of them Indian, all of them as a mobile phone's number may be.
    let phone = """
        CASE WHEN n % 100 < 84 THEN '+91' || 70000 + (n * 2654435761) % 200000000 / 100000 * 15
                 || lpad(((n * 2654435761) % 100000)::text, 5, '0')
             WHEN n % 100 < 91 THEN '+1' || (ARRAY['415', '212', '310', '646', '713'])[1 + n % 5]
                 || 2000000 + ((n / 100 * 7 + n % 100 - 84) * 7919) % 8000000
             WHEN n % 100 < 96 THEN '+4473' || lpad(((n * 48271) % 100000000)::text, 8, '0')
             ELSE '+97150' || lpad(((n / 100 * 4 + n % 100 - 96) * 7919 % 10000000)::text, 7, '0') END
        """
}
