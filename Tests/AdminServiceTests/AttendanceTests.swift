import HTTPClient
import Identity
import Logging
import Synchronization
import Testing
import Tokens

@testable import AdminService

@Suite("Attendance of other services", .timeLimit(.minutes(2)))
struct AttendanceTests {
    /// Keeps `level service` of each line.
    private final class Lines: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock(\.self) }

        func add(_ line: String) { lines.withLock { $0.append(line) } }

        func logger() -> Logger { Logger(label: "tests") { _ in Handler(lines: self) } }
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info
        var metadataProvider: Logger.MetadataProvider?

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) { lines.add("\(event.level) \(event.metadata?["service"]?.description ?? "")") }
    }

    @Test("an outage is one warning, however many ask, and its end one notice; a single failure is neither")
    func outage() async throws {
        try await withAdminServer { server in
            let lines = Lines()
            let logger = lines.logger()
            func service(_ name: ServiceName, _ url: String) -> UpstreamService {
                UpstreamService(
                    name: name, baseURL: url, client: server.client, signer: TokenSigner(keys: AdminDatabase.keys),
                    attendance: Attendance(of: name, logger: logger))
            }
            let otp = service(.otp, server.otpURL)
            func ask(_ service: UpstreamService, _ count: Int) async {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<count {
                        group.addTask {
                            _ = try? await service.get("/internal/budget", as: Budget.self, trace: nil)
                        }
                    }
                }
            }
            await ask(otp, 5)
            server.otp.become(.status(503))
            await ask(otp, 2)
            server.otp.become(.answering)
            await ask(otp, 1)
            #expect(lines.all.isEmpty)
            server.otp.become(.status(503))
            await ask(otp, 20)
            // A question that it refuses is answered.
            server.otp.become(.status(400))
            await ask(otp, 20)
            #expect(lines.all == ["warning otp-service", "notice otp-service"])
            // Nobody is there at all.
            await ask(service(.user, "http://127.0.0.1:1"), 7)
            #expect(lines.all.last == "warning user-service" && lines.all.count == 3)
        }
    }
}
