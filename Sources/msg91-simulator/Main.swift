import ArgumentParser
import Foundation
import Logging
import MSG91Simulator
import ServiceLifecycle
import UnixSignals

/// Serves until it is told to stop; there is nothing else to ask of it.
@main
struct SimulatorCommand: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "msg91-simulator", abstract: "Stands in for MSG91 until SIGTERM or SIGINT.",
            discussion: """
                The environment says how: HOST (127.0.0.1), PORT (8090), LOG_LEVEL (notice), MSG91_AUTH_KEY, \
                MSG91_TEMPLATE_ID, SIMULATOR_WEBHOOK_URL, SIMULATOR_TEMPLATE, SIMULATOR_FAULT_NUMBERS (on).
                """,
            version: MSG91Simulator.version)
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        var logger = Logger(label: "msg91-simulator")
        logger.logLevel = environment["LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) } ?? .notice
        guard let configuration = SimulatorConfiguration(environment: environment) else {
            throw Failure(description: "PORT must be a number from 0 to 65535")
        }
        let simulator = try MSG91Simulator(configuration: configuration, logger: logger) { [logger] port in
            logger.notice("listening on http://\(configuration.host):\(port)")
        }
        try await ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [simulator], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        ).run()
    }

    struct Failure: Error, CustomStringConvertible { let description: String }
}
