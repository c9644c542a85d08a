import CLibPQ

/// Where the database is and how many connections to hold.
package struct PostgresConfiguration: Sendable, CustomStringConvertible {
    /// Smallest pool: one connection for each lane and one more for writes.
    package static let minimumPoolSize = 4

    /// The keywords of the connection string, parsed and checked by libpq. May hold a password: never printed.
    let keywords: [(keyword: String, value: String)]
    package let applicationName: String
    package var timing = Timing()
    /// Most connections of each lane. The sum is the pool size; LISTEN takes one more while it is used.
    package var reads: Int
    package var writes: Int
    package var transactions: Int
    /// Most statements that wait for a connection, for each lane; one more is refused at once (503 beats a long queue).
    package var queueLimit = 4096

    /// Parses a connection URL or keyword string (libpq manual, 34.1.1), with `sslmode` up to `verify-full`.
    ///
    /// An eighth of the pool reads, because reads pipeline; a quarter holds transactions; the rest writes, because
    /// commits are grouped over connections. Throws `.configuration` when the string
    /// cannot be parsed or the pool is smaller than ``minimumPoolSize``.
    package init(url: String, applicationName: String, poolSize: Int) throws(PostgresError) {
        guard poolSize >= PostgresConfiguration.minimumPoolSize else {
            throw PostgresError(.configuration, "the pool needs at least 4 connections")
        }
        keywords = try PostgresConfiguration.parse(url)
        self.applicationName = applicationName
        reads = max(1, poolSize / 8)
        transactions = poolSize / 4
        writes = poolSize - reads - transactions
    }

    package var description: String { "PostgresConfiguration(\(applicationName))" }

    /// The value of a connection keyword such as `host`, `port` or `dbname`; never ask for `password` to print it.
    package func keyword(_ name: String) -> String? { keywords.first { $0.keyword == name }?.value }

    private static func parse(_ url: String) throws(PostgresError) -> [(keyword: String, value: String)] {
        guard !url.isEmpty, let options = PQconninfoParse(url, nil) else {
            throw PostgresError(.configuration, "the database URL is not a valid PostgreSQL connection string")
        }
        defer { PQconninfoFree(options) }
        var keywords: [(keyword: String, value: String)] = []
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                keywords.append((String(cString: keyword), String(cString: value)))
            }
            option = option.successor()
        }
        return keywords
    }

    /// Everything that libpq needs to open a session for a lane.
    func sessionKeywords(for lane: LaneKind, addresses: [String]) -> [(keyword: String, value: String)] {
        var all = keywords.filter { !["options", "application_name", "client_encoding"].contains($0.keyword) }
        func setDefault(_ keyword: String, _ value: String) {
            if !all.contains(where: { $0.keyword == keyword }) { all.append((keyword, value)) }
        }
        if !addresses.isEmpty, let host = keyword("host") {
            // One host with several addresses is written as a list of each, of equal length.
            all.removeAll { $0.keyword == "host" }
            all.append(("host", Array(repeating: host, count: addresses.count).joined(separator: ",")))
            all.append(("hostaddr", addresses.joined(separator: ",")))
        }
        all.append(("application_name", applicationName))
        all.append(("client_encoding", "UTF8"))
        all.append(("options", sessionOptions(for: lane)))
        // A standby, or a primary that became one, is of no use to any lane.
        setDefault("target_session_attrs", "primary")
        setDefault("gssencmode", "disable")
        // A peer that vanished without a word is noticed by the kernel within seconds.
        setDefault("keepalives_idle", "10")
        setDefault("keepalives_interval", "3")
        setDefault("keepalives_count", "3")
        setDefault("tcp_user_timeout", "4000")
        return all
    }

    private func sessionOptions(for lane: LaneKind) -> String {
        var settings = [
            "statement_timeout=\(timing.statement.milliseconds)",
            "lock_timeout=\(timing.lock.milliseconds)",
            "idle_in_transaction_session_timeout=\(timing.idleInTransaction.milliseconds)",
            // A statement whose client is gone ends on the server too (PostgreSQL 14 and later).
            "client_connection_check_interval=1000",
        ]
        if lane == .reads { settings.append("default_transaction_read_only=on") }
        if lane != .transactions {
            // Prepared statements look rows up. A plan made while a table was empty is kept, and must not scan the table
            // once it has grown; nor is a look-up ever worth compiling.
            settings += ["enable_seqscan=off", "jit=off"]
        }
        let own = keyword("options").map { " " + $0 } ?? ""
        return settings.map { "-c \($0)" }.joined(separator: " ") + own
    }
}

extension Duration {
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds * 1000 + attoseconds / 1_000_000_000_000_000
    }
}
