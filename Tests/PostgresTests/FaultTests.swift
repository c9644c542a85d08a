import Deadlines
import Foundation
import Logging
import Postgres
import PostgresTestKit
import Synchronization
import Testing

@Suite struct FaultTests {
    @Test func killedBackendsAreReplacedAndReadsDoNotNotice() async throws {
        try await withTestDatabase { database in
            let failures = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        var failures = 0
                        for n in 0..<200 {
                            do {
                                let value = try await database.client.read("SELECT \(n), pg_sleep(0.001)")
                                if try value.column(Int.self) != [n] { failures += 1000 }
                            } catch { failures += 1 }
                        }
                        return failures
                    }
                }
                group.addTask {
                    for _ in 0..<10 {
                        try await database.execute(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE datname = current_database() AND application_name = 'tests'
                            """)
                        try await Task.sleep(for: .milliseconds(30))
                    }
                    return 0
                }
                return try await group.reduce(0, +)
            }
            // One transparent retry each: only a statement that is hit twice fails.
            #expect(failures < 80)
            #expect(try await database.client.read("SELECT 1::int8").column(Int.self) == [1])
        }
    }

    @Test func aRefusedConnectionIsUnavailableSoonAndRepairsItself() async throws {
        let cluster = try TestCluster.shared.get()
        let port = try TestCluster.freePort()
        let configuration = try PostgresConfiguration(
            url: cluster.tcpURL("postgres", port: port), applicationName: "tests", poolSize: 4)
        let client = try PostgresClient(configuration: configuration, logger: Logger(label: "tests"))
        let start = ContinuousClock.now
        let error = await #expect(throws: PostgresError.self) { try await client.read("SELECT 1") }
        #expect(error?.kind == .unavailable && ContinuousClock.now - start < .seconds(15))
        // From then on nobody waits for what is known to be away.
        var best = Duration.seconds(60)
        for _ in 0..<5 {
            let again = ContinuousClock.now
            let second = await #expect(throws: PostgresError.self) { try await client.write("SELECT 1") }
            #expect(second?.kind == .unavailable)
            best = min(best, ContinuousClock.now - again)
        }
        #expect(best < .milliseconds(500))

        let relay = try Relay(listenOn: port, target: cluster.port)
        #expect(try await answers(client))
        await client.shutDown()
        relay.stop()
    }

    /// Whether a client finds its way back to the server within half a minute.
    private func answers(_ client: PostgresClient) async throws -> Bool {
        let end = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < end {
            if let rows = try? await client.read("SELECT 1::int8") { return try rows.column(Int.self) == [1] }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    @Test func aBlackHoleEndsEveryWait() async throws {
        let cluster = try TestCluster.shared.get()
        let port = try TestCluster.freePort()
        let relay = try Relay(listenOn: port, target: cluster.port)
        let configuration = try PostgresConfiguration(
            url: cluster.tcpURL("postgres", port: port), applicationName: "tests", poolSize: 4)
        let client = try PostgresClient(configuration: configuration, logger: Logger(label: "tests"))
        let before = try await client.read("SELECT 1::int8").column(Int.self)
        #expect(before == [1])

        relay.isSwallowing = true
        for _ in 0..<2 {
            let start = ContinuousClock.now
            let write = Task { try await client.write("SELECT 1") }
            let read = Task { try await client.read("SELECT 1") }
            let writeError = await #expect(throws: PostgresError.self) { try await write.value }
            let readError = await #expect(throws: PostgresError.self) { try await read.value }
            #expect(writeError?.isUnavailable == true && readError?.isUnavailable == true)
            #expect(ContinuousClock.now - start < .seconds(15))
        }
        relay.isSwallowing = false
        #expect(try await answers(client))
        await client.shutDown()
        relay.stop()
    }

    @Test func aReadOnlyServerLosesItsConnections() async throws {
        try await withTestDatabase { database in
            try await database.execute("CREATE TABLE t (n int8)")
            let first = try await database.client.write("SELECT pg_backend_pid()").column(Int32.self)
            try await database.execute(
                "ALTER DATABASE \(database.name) SET default_transaction_read_only = on")
            try await database.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND application_name = 'tests'
                """)
            let error = await #expect(throws: PostgresError.self) {
                for _ in 0..<20 { _ = try await database.client.write("INSERT INTO t VALUES (1)") }
            }
            #expect(error?.isUnavailable == true)
            try await database.cluster.execute("ALTER DATABASE \(database.name) RESET default_transaction_read_only")
            var succeeded = false
            for _ in 0..<200 where !succeeded {
                succeeded = (try? await database.client.write("INSERT INTO t VALUES (1)")) != nil
                if !succeeded { try await Task.sleep(for: .milliseconds(50)) }
            }
            #expect(succeeded)
            let second = try await database.client.write("SELECT pg_backend_pid()").column(Int32.self)
            #expect(first != second)
        }
    }

    @Test func notificationsSurviveALostConnection() async throws {
        try await withTestDatabase { database in
            var notifications = database.client.notifications(on: "news").makeAsyncIterator()
            #expect(await notifications.next() == .reconnected)
            try await database.execute("NOTIFY news, 'a'")
            #expect(await notifications.next() == .notification(payload: "a"))
            try await database.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            #expect(await notifications.next() == .reconnected)
            try await database.execute("NOTIFY news, 'b'")
            #expect(await notifications.next() == .notification(payload: "b"))
        }
    }

    @Test func aRequestsDeadlineBoundsTheWait() async throws {
        try await withTestDatabase { database in
            let start = ContinuousClock.now
            let deadline = start.advanced(by: .milliseconds(300))
            let error = await #expect(throws: PostgresError.self) {
                try await RequestDeadline.$current.withValue(deadline) {
                    try await database.client.read("SELECT pg_sleep(30)")
                }
            }
            #expect(  // Before the server's own bound of two and a half.
                error?.isUnavailable == true && ContinuousClock.now - start < .seconds(2))
        }
    }

    @Test func aStatementThatCannotBeSentIsAnswered() async throws {
        try await withTestDatabase { database in
            // More values than the protocol can count: libpq refuses it before a byte is sent.
            var text = PostgresQuery.StringInterpolation(literalCapacity: 0, interpolationCount: 70_000)
            text.appendLiteral("SELECT ARRAY[")
            for number in 0..<70_000 {
                if number > 0 { text.appendLiteral(", ") }
                text.appendInterpolation(number)
            }
            text.appendLiteral("]")
            let query = PostgresQuery(stringInterpolation: text)
            let client = database.client
            let attempts: [@Sendable () async throws -> Void] = [
                { _ = try await client.read(query) }, { _ = try await client.write(query) },
                { try await client.transaction { _ = try await $0.query(query) } },
            ]
            for attempt in attempts {
                let task = Task { try await attempt() }
                let alarm = Task {
                    try await Task.sleep(for: .seconds(20))
                    task.cancel()
                }
                let error = await #expect(throws: PostgresError.self) { try await task.value }
                alarm.cancel()
                #expect(error?.kind != .cancelled, "nobody answered")
                let rows = try await client.write("SELECT 1::int8").column(Int.self)
                #expect(rows == [1])
            }
        }
    }

    @Test func afterShutDownNothingWaits() async throws {
        let cluster = try TestCluster.shared.get()
        let client = try PostgresClient(
            configuration: try cluster.configuration("postgres"), logger: Logger(label: "tests"))
        async let last = client.read("SELECT 1::int8, pg_sleep(0.2)")
        try await Task.sleep(for: .milliseconds(100))
        await client.shutDown()
        #expect(try await last.column(Int.self) == [1])
        let error = await #expect(throws: PostgresError.self) { try await client.read("SELECT 1") }
        #expect(error?.kind == .unavailable)
    }

    @Test func aBadConnectionStringIsAConfigurationError() throws {
        for url in ["", "postgresql://[", "nonsense", "postgresql://h/d?nonsense=1"] {
            let error = #expect(throws: PostgresError.self) {
                try PostgresConfiguration(url: url, applicationName: "tests", poolSize: 4)
            }
            #expect(error?.kind == .configuration)
        }
        let secret = try PostgresConfiguration(
            url: "postgresql://u:hunter2@h/d", applicationName: "tests", poolSize: 4)
        #expect(!"\(secret)".contains("hunter2"))
    }
}
