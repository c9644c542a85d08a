import Foundation
import Logging
import MSG91Simulator
import ServiceLifecycle
import UnixSignals

func fail(_ sentence: String) -> Never {
    FileHandle.standardError.write(Data("msg91-simulator: \(sentence)\n".utf8))
    exit(1)
}

let environment = ProcessInfo.processInfo.environment
var logger = Logger(label: "msg91-simulator")
logger.logLevel = environment["LOG_LEVEL"].flatMap { Logger.Level(rawValue: $0) } ?? .notice

guard let configuration = SimulatorConfiguration(environment: environment) else {
    fail("PORT must be a number from 0 to 65535")
}
do {
    let simulator = try MSG91Simulator(configuration: configuration, logger: logger) { [logger] port in
        logger.notice("listening on http://\(configuration.host):\(port)")
    }
    try await ServiceGroup(
        configuration: ServiceGroupConfiguration(
            services: [simulator], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    ).run()
} catch {
    fail("stopped: \(error)")
}
