package import Foundation
import Logging
import Migrations
package import Postgres

/// A database of one test's own, cloned from a template that was migrated once.
package struct TestDatabase: Sendable {
    package let name: String
    package let url: String
    package let cluster: TestCluster
    package let client: PostgresClient

    /// Runs a script as the owner: time travel, triggers, locks.
    @discardableResult
    package func execute(_ script: String) async throws -> [String?] {
        try await cluster.execute(script, in: name)
    }
}

/// Gives `body` a fresh database with the migrations of a folder applied, and drops it afterwards.
///
/// When `body` throws, the database is kept and the way to it is printed. Twelve tests have databases at a time, so that what
/// they time is their own doing; a test that asks for a second one is let in at once, for it would wait for itself.
package func withTestDatabase<Value: Sendable>(
    migrations: URL? = nil, poolSize: Int = 8, timing: Timing = Timing(), on cluster: TestCluster? = nil,
    _ body: (TestDatabase) async throws -> Value
) async throws -> Value {
    let cluster = try cluster ?? TestCluster.shared.get()
    if isInside { return try await withDatabase(migrations, poolSize, timing, cluster, body) }
    await turnstile.enter()
    defer { turnstile.leave() }
    return try await $isInside.withValue(true) { try await withDatabase(migrations, poolSize, timing, cluster, body) }
}

extension Timing {
    /// For tests of what a service does, not of how long it waits: a busy machine must not turn an answer into a 503.
    package static var patient: Timing {
        var timing = Timing()
        (timing.checkout, timing.lock, timing.connect, timing.silence) = (
            .seconds(10), .seconds(8), .seconds(10), .seconds(12)
        )
        (timing.statement, timing.answer, timing.idleInTransaction) = (.seconds(10), .seconds(15), .seconds(60))
        return timing
    }
}

/// Whether this task is inside of a test that has a database.
@TaskLocal private var isInside = false

private let turnstile = Turnstile(places: 12)

private func withDatabase<Value: Sendable>(
    _ migrations: URL?, _ poolSize: Int, _ timing: Timing, _ cluster: TestCluster,
    _ body: (TestDatabase) async throws -> Value
) async throws -> Value {
    let name = try await Templates.shared.clone(of: migrations, on: cluster)
    let url = cluster.url(name)
    var configuration = try PostgresConfiguration(url: url, applicationName: "tests", poolSize: poolSize)
    configuration.timing = timing
    let client = try PostgresClient(configuration: configuration, logger: Logger(label: "tests"))
    let database = TestDatabase(name: name, url: url, cluster: cluster, client: client)
    do {
        let value = try await body(database)
        await client.shutDown()
        try await cluster.execute("DROP DATABASE IF EXISTS \(name) WITH (FORCE)")
        return value
    } catch {
        await client.shutDown()
        cluster.keepFiles(for: name)
        throw error
    }
}

/// The migrated templates, one for each folder and server, made once.
private actor Templates {
    static let shared = Templates()

    private var made: [String: Task<String, any Error>] = [:]
    private var clones = 0

    func clone(of folder: URL?, on cluster: TestCluster) async throws -> String {
        let template = try await template(for: folder, on: cluster)
        clones += 1
        let name = "test_\(clones)"
        // Cloning needs the template for itself: clones are made one after another, and a look-up meanwhile retries.
        try await retry { try await cluster.execute("CREATE DATABASE \(name) TEMPLATE \(template) STRATEGY file_copy") }
        return name
    }

    private func template(for folder: URL?, on cluster: TestCluster) async throws -> String {
        guard let folder else { return "template0" }
        let key = cluster.directory + folder.path
        if let task = made[key] { return try await task.value }
        let name = "template_\(made.count)"
        let task = Task {
            try await cluster.execute("CREATE DATABASE \(name) TEMPLATE template0")
            let set = try MigrationSet(directory: folder)
            _ = try await set.apply(to: cluster.configuration(name), logger: Logger(label: "tests"))
            return name
        }
        made[key] = task
        return try await task.value
    }

    private func retry(_ body: () async throws -> Void) async throws {
        for _ in 0..<50 {
            do { return try await body() } catch let error as PostgresError where error.sqlState == "55006" {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        try await body()
    }
}
