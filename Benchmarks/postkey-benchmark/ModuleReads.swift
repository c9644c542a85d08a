import ArgumentParser
import Foundation
import Logging
import Postgres

/// Measures the Postgres module without HTTP: reads of one row by key, with many tasks at a time.
struct ModuleReads: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "reads")

    @Option(help: "Connection string of the database.") var url: String
    @Option(help: "SQL with $1, an integer that is drawn anew each time.") var table = "pgbench_accounts"
    @Option(help: "Keys are drawn from 1 to this.") var keys = 100_000
    @Option(help: "Connections of the read lane.") var connections = 2
    @Option(help: "Tasks that read at the same time; 1 is unpipelined.") var tasks = 64
    @Option(help: "Seconds to measure.") var seconds = 5.0

    func run() async throws {
        var settings = try PostgresConfiguration(url: url, applicationName: "benchmark", poolSize: 4)
        settings.reads = connections
        let client = try PostgresClient(configuration: settings, logger: Logger(label: "benchmark"))
        _ = try await client.read("SELECT 1")
        let end = ContinuousClock.now.advanced(by: .seconds(seconds))
        let start = ContinuousClock.now
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var count = 0
                    while ContinuousClock.now < end {
                        let key = Int32.random(in: 1...Int32(clamping: keys))
                        let rows = try await client.read(
                            "SELECT abalance FROM \(unescaped: table) WHERE aid = \(key)")
                        _ = try rows.first?.decode(Int32.self)
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        let elapsed = ContinuousClock.now - start
        let (whole, part) = elapsed.components
        let rate = Double(count) / (Double(whole) + Double(part) / 1e18)
        print(String(format: "%.0f", rate))
        await client.shutDown()
    }
}
