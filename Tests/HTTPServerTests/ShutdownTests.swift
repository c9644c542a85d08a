import HTTPServer
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What happens when the service is told to stop.
@Suite(.serialized) struct ShutdownTests {
    /// How many requests have reached their handler.
    private final class Started: Sendable {
        private let count = Atomic<Int>(0)
        func note() { count.add(1, ordering: .relaxed) }
        func reach(_ wanted: Int) async throws {
            for _ in 0..<1000 where count.load(ordering: .relaxed) < wanted {
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(count.load(ordering: .relaxed) == wanted)
        }
    }

    /// Whether slow requests may go on to their end.
    private final class Released: Sendable {
        private let isSet = Atomic<Bool>(false)
        var value: Bool { isSet.load(ordering: .relaxed) }
        func set() { isSet.store(true, ordering: .relaxed) }
    }

    private let started = Started()
    private let released = Released()

    private func slow(_ router: PostkeyRouter) {
        router.get("/slow") { [started, released] _, _ in
            started.note()
            // Until the test lets go, or for the time that a request has.
            for _ in 0..<350 where !released.value { try await Task.sleep(for: .milliseconds(10)) }
            return Response.json(.ok, text: "1")
        }
        router.post("/echo") { request, _ in Response.json(.ok, text: "\(try await request.bytes().count)") }
        router.get("/large") { [started] _, _ in
            started.note()
            return Response.text(.ok, String(repeating: "x", count: 8 << 20), type: "text/plain")
        }
    }

    @Test func runningRequestsFinishAndTheServerEnds() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        try await withServer(routes: slow) { (server) async throws in
            let connections = try (0..<50).map { _ in try Connection(port: server.port) }
            for connection in connections { try connection.send(request("GET", "/slow")) }
            let idle = try Connection(port: server.port)
            try idle.send(request("GET", "/health/live"))
            _ = try await idle.answer()
            let silent = try Connection(port: server.port)
            let partial = try Connection(port: server.port)
            try partial.send("GET /slow HT")
            try await started.reach(50)

            await server.group.triggerGracefulShutdown()
            #expect(try await idle.remainder() == "")
            #expect(try await silent.remainder() == "")
            #expect(try await partial.remainder() == "")
            released.set()
            for connection in connections {
                let answer = try await connection.answer()
                #expect(answer.status == 200)
                #expect(answer["Connection"] == "close")
                connection.close()
            }
            for connection in [idle, silent, partial] { connection.close() }
        }
        #expect(clock.now - start < .seconds(15))
    }

    @Test func aBodyThatHasBegunMayStillCome() async throws {
        try await withServer(routes: slow) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
            try await Task.sleep(for: .milliseconds(200))
            await server.group.triggerGracefulShutdown()
            try await Task.sleep(for: .milliseconds(200))
            try connection.send("cd")
            let answer = try await connection.answer()
            #expect(answer.body == "4")
            #expect(answer["Connection"] == "close")
        }
    }

    @Test func slowClientsDoNotHoldUpTheEnd() async throws {
        let clock = ContinuousClock()
        let start = clock.now
        try await withServer(
            configure: {
                $0.limits.drainBodyTime = .milliseconds(300)
                $0.limits.drainTime = .milliseconds(900)
            }, routes: slow
        ) { (server) async throws in
            let body = try Connection(port: server.port)
            try body.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
            try await Task.sleep(for: .milliseconds(300))
            // Never reads what it asked for.
            let deaf = try Connection(port: server.port)
            try deaf.send(request("GET", "/large"))
            try await started.reach(1)
            await server.group.triggerGracefulShutdown()
            let answer = try await body.answer()
            #expect(answer.status == 408)
            body.close()
            withExtendedLifetime(deaf) {}
        }
        #expect(clock.now - start < .seconds(15))
    }

    @Test func aLargeAnswerIsWrittenToItsEnd() async throws {
        try await withServer(routes: slow) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try connection.send(request("GET", "/large"))
            try await started.reach(1)
            await server.group.triggerGracefulShutdown()
            let answer = try await connection.answer()
            #expect(answer.body.utf8.count == 8 << 20)
        }
    }

    @Test func nobodyNewIsLetIn() async throws {
        try await withServer(routes: slow) { (server) async throws in
            let before = try await server.get("/health/ready")
            #expect(before.status == 200)
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try connection.send(request("GET", "/slow"))
            try await started.reach(1)
            await server.group.triggerGracefulShutdown()
            // Nobody new is let in.
            #expect(throws: SocketError.self) {
                for _ in 0..<200 {
                    let late = try Connection(port: server.port)
                    late.close()
                    usleep(5000)
                }
            }
            released.set()
            let answer = try await connection.answer()
            #expect(answer["Connection"] == "close")
        }
    }
}

@Suite struct ListeningTests {
    private func failure(_ host: String, _ port: Int) async throws -> String {
        let application = try HTTPApplication(
            configuration: HTTPServerConfiguration(host: host, port: port, problems: TestServer.problems), logger: quiet
        ) { _ in }
        let error = await #expect(throws: ListenFailure.self) { try await application.run() }
        return error?.description ?? ""
    }

    @Test func whatKeepsItFromListeningIsSaidInASentence() async throws {
        try await withServer { (server) async throws in
            let taken = try await failure("127.0.0.1", server.port)
            #expect(taken == "Cannot listen on 127.0.0.1, port \(server.port): the port is in use by another program.")
        }
        // TEST-NET-3 (RFC 5737) is nobody's.
        let foreign = try await failure("203.0.113.1", 0)
        #expect(foreign == "Cannot listen on 203.0.113.1, port 0: this machine has no such address.")
        let unknown = try await failure("host.invalid", 0)
        #expect(unknown == "Cannot listen on host.invalid: there is no such address.")
    }
}

@Suite struct HealthTests {
    private struct Down: Error {}

    @Test func readinessNamesWhatFails() async throws {
        let checks = [
            HealthCheck("database") {}, HealthCheck("schema") { throw Down() },
        ]
        try await withServer(readiness: checks) { (server) async throws in
            let answer = try await server.get("/health/ready")
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "1")
            #expect(answer.body == #"{"status":"unavailable","checks":{"database":"ok","schema":"failed"}}"#)
            let live = try await server.get("/health/live")
            #expect(live.status == 200)
        }
    }

    @Test func aCheckThatHangsFailsInTime() async throws {
        let hanging = HealthCheck("hanging") {
            // Does not heed its cancellation.
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                Task.detached {
                    try await Task.sleep(for: .seconds(60))
                    continuation.resume()
                }
            }
        }
        try await withServer(readiness: [hanging]) { (server) async throws in
            let start = ContinuousClock.now
            let answer = try await server.ask(request("GET", "/health/ready"), seconds: 20)
            #expect(answer.status == 503)
            #expect(ContinuousClock.now - start < .seconds(20))
        }
    }

    @Test func manyProbesAreOneCheck() async throws {
        let counter = Counter()
        let check = HealthCheck("database") {
            await counter.increase()
            try await Task.sleep(for: .milliseconds(300))
        }
        try await withServer(readiness: [check]) { (server) async throws in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 { group.addTask { try await server.get("/health/ready").status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.allSatisfy { $0 == 200 })
            #expect(await counter.value < 10)
        }
    }

    private actor Counter {
        var value = 0
        func increase() { value += 1 }
    }
}
