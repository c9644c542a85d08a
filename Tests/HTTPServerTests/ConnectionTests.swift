import FoundationEssentials
import HTTPServer
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// What connections do that behave badly, or slowly, or not at all.
@Suite(.serialized) struct ConnectionTests {
    private final class Count: Sendable {
        private let count = Atomic<Int>(0)
        var value: Int { count.load(ordering: .relaxed) }
        func add() { count.add(1, ordering: .relaxed) }
    }

    @Test func connectionsStayOpenAsTheClientWishes() async throws {
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
            let old = try await server.ask("GET /ignore HTTP/1.0\r\n\r\n")
            #expect(old["Connection"] == "close")
            let kept = try await server.ask("GET /ignore HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
            #expect(kept["Connection"] == "keep-alive")
            for value in ["close", "Close", "x, close"] {
                let connection = try Connection(port: server.port)
                defer { connection.close() }
                try connection.send(
                    request("GET", "/ignore", headers: ["Connection: \(value)"]) + request("GET", "/ignore"))
                let answer = try await connection.answer()
                #expect(answer["Connection"] == "close")
                #expect(try await connection.remainder() == "")
            }
            let modern = try await server.get("/ignore")
            #expect(modern["Connection"] == nil)
        }
    }

    @Test func aClientThatEndsItsSideStillGetsItsAnswer() async throws {
        try await withServer(routes: { router in
            router.get("/slow") { _, _ in
                try await Task.sleep(for: .milliseconds(200))
                return Response.json(.ok, text: "1")
            }
        }) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try connection.send(request("GET", "/slow"))
            connection.endSending()
            let answer = try await connection.answer()
            #expect(answer.status == 200)
            #expect(try await connection.remainder() == "")
        }
    }

    @Test func slowHeadsAndBodiesAreTimedOut() async throws {
        try await withServer(
            configure: {
                $0.limits.headTime = .milliseconds(300)
                $0.limits.bodyTime = .milliseconds(300)
            }, routes: { $0.addEcho() }
        ) { (server) async throws in
            for text in [
                "", "GET /ignore HTTP/1.1\r\nHo", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc",
            ] {
                let connection = try Connection(port: server.port)
                defer { connection.close() }
                if !text.isEmpty { try connection.send(text) }
                let start = ContinuousClock.now
                let all = try await connection.remainder()
                #expect(all.hasPrefix("HTTP/1.1 408 "))
                #expect(ContinuousClock.now - start < .seconds(15))
            }
            // Dripping bytes do not extend the time.
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            for _ in 0..<20 {
                try? connection.send("G")
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await connection.remainder().isEmpty == false)
            try await server.isAlive()
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await withServer(configure: { $0.limits.idleTime = .seconds(3) }, routes: { $0.addEcho() }) {
            (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            for _ in 0..<3 {
                try connection.send(request("GET", "/ignore"))
                _ = try await connection.answer()
                // Three of these are more than the time, and one is far less.
                try await Task.sleep(for: .milliseconds(1100))
            }
            #expect(try await connection.remainder(seconds: 20) == "")
        }
    }

    @Test func connectionsBeyondTheMostWait() async throws {
        try await withServer(configure: { $0.maximumConnections = 64 }, routes: { $0.addEcho() }) {
            (server) async throws in
            var held: [Connection] = []
            for _ in 0..<64 {
                let connection = try Connection(port: server.port)
                try connection.send(request("GET", "/ignore"))
                _ = try await connection.answer()
                held.append(connection)
            }
            let waiting = try Connection(port: server.port)
            defer { waiting.close() }
            try waiting.send(request("GET", "/ignore"))
            await #expect(throws: SocketError.self) { try await waiting.answer(seconds: 1) }
            for connection in held { connection.close() }
            #expect(try await waiting.answer().status == 200)
        }
    }

    @Test func requestsBeyondTheMostAreTurnedAway() async throws {
        let refused = Count()
        try await withServer(
            configure: { $0.maximumRequestsInFlight = 4 },
            routes: { router in
                router.get("/slow") { _, _ in
                    // Until the others have their answer, or it is clear that they get none.
                    for _ in 0..<300 where refused.value < 8 {
                        try await Task.sleep(for: .milliseconds(10))
                    }
                    return Response.json(.ok, text: "1")
                }
            }
        ) { (server) async throws in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        let status = try await server.get("/slow").status
                        if status == 503 { refused.add() }
                        return status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count == 4)
            #expect(statuses.filter { $0 == 503 }.count == 8)
            #expect(try await server.get("/slow").status == 200)
        }
    }
}
