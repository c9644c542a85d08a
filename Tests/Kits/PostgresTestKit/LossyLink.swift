import Logging
package import Postgres
import Synchronization

/// What became of a commit whose answer was lost with its connection.
package enum CommitFate: String, CaseIterable, Sendable {
    case committed
    case rolledBack
}

/// A client's way to a database on which the connection can die at a commit, so that nobody knows whether it happened.
package final class LossyLink: Sendable {
    /// Goes this way, and is patient otherwise.
    package let client: PostgresClient
    private let database: TestDatabase
    private let port: Int
    private let relay: Mutex<Relay>

    private init(_ database: TestDatabase) throws {
        self.database = database
        port = try TestCluster.freePort()
        relay = Mutex(try Relay(listenOn: port, target: database.cluster.port))
        var configuration = try PostgresConfiguration(
            url: database.cluster.tcpURL(database.name, port: port), applicationName: "linked", poolSize: 4)
        configuration.timing = .patient
        client = try PostgresClient(
            configuration: configuration, logger: Logger(label: "linked") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Gives `body` a link to a database, and takes it down afterwards.
    package static func with<Value: Sendable>(
        _ database: TestDatabase, _ body: (LossyLink) async throws -> Value
    ) async throws -> Value {
        let link = try LossyLink(database)
        do {
            let value = try await body(link)
            await link.end()
            return value
        } catch {
            await link.end()
            throw error
        }
    }

    private func end() async {
        relay.withLock { $0 }.stop()
        await client.shutDown()
    }

    /// Makes a request whose commit loses its connection, and returns its answer; afterwards all is as before.
    ///
    /// - Parameter events: what the transaction has in it, as a trigger would say: `update on users`.
    package func lose<Answer: Sendable>(
        _ fate: CommitFate, at events: [String], _ request: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await prepare(fate, events)
        let asking = Task { try await request() }
        if fate == .committed { try await cutAfterCommit() }
        let answer = try await asking.value
        try await database.execute("drop function at_commit cascade")
        if fate == .committed {
            let fresh = try Relay(listenOn: port, target: database.cluster.port)
            relay.withLock { $0 = fresh }
        }
        return answer
    }

    /// Has every such commit wait a second, or die with its connection.
    private func prepare(_ fate: CommitFate, _ events: [String]) async throws {
        let death = fate == .rolledBack ? "perform pg_terminate_backend(pg_backend_pid());" : ""
        let triggers = events.map {
            """
            create constraint trigger at_commit after \($0) deferrable initially deferred
            for each row execute function at_commit();
            """
        }
        try await database.execute(
            """
            create function at_commit() returns trigger language plpgsql as $$
            begin
                if current_setting('tests.met', true) is distinct from '1' then
                    perform set_config('tests.met', '1', true);
                    \(death)
                    perform pg_sleep(1);
                end if;
                return null;
            end $$;
            \(triggers.joined(separator: "\n"))
            """)
    }

    /// The commit happens, and its answer is lost with the connection.
    private func cutAfterCommit() async throws {
        try await wait(until: "wait_event = 'PgSleep'", is: true)
        let relay = relay.withLock { $0 }
        relay.isSwallowing = true
        try await wait(until: "state = 'active'", is: false)
        relay.stop()
    }

    private func wait(until condition: String, is expected: Bool) async throws {
        for _ in 0..<2000 {
            let rows = try await database.execute(
                """
                select 1 from pg_stat_activity
                where datname = current_database() and application_name = 'linked' and \(condition)
                """)
            if rows.isEmpty != expected { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw TestClusterError("\(condition) was not seen to be \(expected)")
    }
}
