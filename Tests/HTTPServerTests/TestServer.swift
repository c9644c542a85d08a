import HTTPServer
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// A server on a free port of this machine for the time of one test.
struct TestServer: Sendable {
    let port: Int
    let group: ServiceGroup
    let records: Records

    /// What the access log was given.
    final class Records: Sendable {
        private let list = Mutex<[AccessRecord]>([])
        var all: [AccessRecord] { list.withLock { $0 } }
        func append(_ record: AccessRecord) { list.withLock { $0.append(record) } }
    }

    static let problems = ProblemCatalog(
        prefix: "/v1/test",
        types: [ProblemType("teapot", status: 418, title: "I am a teapot", explanation: "Use the other <pot>.")])

    /// Asks with one request on a connection of its own; gives the whole answer.
    func ask(_ request: String, seconds: Int = 20) async throws -> Answer {
        let connection = try Connection(port: port)
        defer { connection.close() }
        try connection.send(request)
        return try await connection.answer(seconds: seconds)
    }

    func get(_ path: String, headers: [String] = []) async throws -> Answer {
        try await ask(request("GET", path, headers: headers))
    }

    func post(_ path: String, _ body: String, type: String? = "application/json", headers: [String] = []) async throws
        -> Answer
    {
        try await ask(
            request("POST", path, headers: headers + (type.map { ["Content-Type: \($0)"] } ?? []), body: body))
    }
}

func request(_ method: String, _ path: String, headers: [String] = [], body: String? = nil) -> String {
    var lines = ["\(method) \(path) HTTP/1.1", "Host: localhost"] + headers
    if let body { lines.append("Content-Length: \(body.utf8.count)") }
    return lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")
}

/// Runs a server with routes of the test's own.
func withServer(
    readiness: [HealthCheck] = [], translate: @escaping @Sendable (any Error) -> Problem? = { _ in nil },
    configure: (inout HTTPServerConfiguration) -> Void = { _ in }, logger: Logger = quiet,
    routes: (PostkeyRouter) throws -> Void = { _ in }, _ body: (TestServer) async throws -> Void
) async throws {
    var configuration = HTTPServerConfiguration(host: "127.0.0.1", port: 0, problems: TestServer.problems)
    configuration.limits.lingerTime = .milliseconds(300)
    configure(&configuration)
    let records = TestServer.Records()
    let (ports, found) = AsyncStream.makeStream(of: Int.self)
    let application = try HTTPApplication(
        configuration: configuration, logger: logger, readiness: readiness, openAPI: "openapi: 3.1.0\n",
        metrics: { "up 1\n" }, translate: translate, accessLog: records.append, onListening: { found.yield($0) },
        routes: routes)
    let group = ServiceGroup(configuration: .init(services: [.init(service: application)], logger: quiet))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        for await port in ports {
            try await body(TestServer(port: port, group: group, records: records))
            break
        }
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
    }
}

let quiet: Logger = {
    var logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    logger.logLevel = .critical
    return logger
}()

extension PostkeyRouter {
    /// Routes that read a body and that do not.
    func addEcho() {
        post("/echo") { request, _ in Response.json(.ok, text: "\(try await request.bytes().count)") }
        get("/ignore") { _, _ in Response.json(.ok, text: "1") }
    }
}

extension TestServer {
    /// Whether it still answers.
    func isAlive() async throws {
        let answer = try await get("/health/live")
        #expect(answer.status == 200)
    }
}
