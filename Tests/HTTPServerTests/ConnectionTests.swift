import FoundationEssentials
import HTTPServer
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// What connections do that behave badly, or slowly, or not at all.
@Suite(.serialized) struct ConnectionTests {
    private func echo(_ router: PostkeyRouter) {
        router.post("/echo") { request, _ in Response.json(.ok, text: "\(try await request.bytes().count)") }
        router.get("/ignore") { _, _ in Response.json(.ok, text: "1") }
    }

    private func isAlive(_ server: TestServer) async throws {
        let answer = try await server.get("/health/live")
        #expect(answer.status == 200)
    }

    @Test func largeBodiesAreRefusedBeforeTheyCome() async throws {
        try await withServer(routes: echo) { (server) async throws in
            for length in ["16385", "10485760", "1073741824", "9223372036854775807", "99999999999999999999"] {
                let connection = try Connection(port: server.port)
                defer { connection.close() }
                try connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n0123456789")
                let answer = try await connection.answer()
                // More than the parser itself can count is malformed to it.
                #expect(answer.status == (length.utf8.count > 19 ? 400 : 413))
                #expect(answer["Connection"] == "close")
                #expect(try answer.json["request_id"]?.text?.isEmpty == false)
                #expect(try await connection.remainder() == "")
            }
            let fits = try await server.post("/echo", String(repeating: "x", count: 16_384))
            #expect(fits.body == "16384")
            #expect(server.records.all.contains { $0.status == 413 && $0.problem == "payload-too-large" })
        }
    }

    @Test func endlessChunksAreCutOff() async throws {
        try await withServer(routes: echo) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "400\r\n" + String(repeating: "x", count: 1024) + "\r\n"
            for _ in 0..<64 { try? connection.send(chunk) }
            let answer = try await connection.answer()
            #expect(answer.status == 413)
            #expect(answer["Connection"] == "close")
        }
    }

    @Test func chunkedBodiesAreRead() async throws {
        try await withServer(routes: echo) { (server) async throws in
            let answer = try await server.ask(
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"
            )
            #expect(answer.body == "5")
        }
    }

    @Test func bodiesThatNobodyReadsDoNoHarm() async throws {
        try await withServer(routes: echo) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            for _ in 0..<3 {
                try connection.send(request("GET", "/ignore", body: "GET /nowhere HTTP/1.1\r\n\r\n"))
                let answer = try await connection.answer()
                #expect(answer.status == 200)
            }
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withServer(routes: echo) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            let bodies = (0..<50).map { String(repeating: "x", count: $0) }
            try connection.send(bodies.map { request("POST", "/echo", body: $0) }.joined())
            for body in bodies {
                let answer = try await connection.answer()
                #expect(answer.body == "\(body.utf8.count)")
            }
        }
    }

    @Test(arguments: [
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\nabcde",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5\r\n\r\nabcde",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\nabcde",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4,4\r\n\r\nabcd",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n0\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nab\r\n0\r\n\r\n",
        "GET /ignore HTTP/1.1\r\n\r\n", "GET /ignore HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /ignore HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "GET /ignore HTTP/1.1\r\nHost: a\r\nX\r\n\r\n",
        "GET ignore HTTP/1.1\r\nHost: a\r\n\r\n", "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ig nore HTTP/1.1\r\nHost: a\r\n\r\n", "GET /é HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /ignore HTTP/1.1\r\nHost: a\r\nX: a\u{0}b\r\n\r\n", "GET /ignore HTTP/9.9\r\nHost: a\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "{\"phone\":\"1\"}\r\n\r\n",
        "GET http:///ignore HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET ftp://a/ignore HTTP/1.1\r\nHost: a\r\n\r\n",
    ])
    func ambiguousAndBrokenRequestsGetOneAnswerAndTheEnd(_ text: String) async throws {
        try await withServer(routes: echo) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            // What follows would be the smuggled request.
            try connection.send(text + request("GET", "/ignore"))
            let all = try await connection.remainder()
            #expect(all.hasPrefix("HTTP/1.1 400 "), "\(text)")
            #expect(all.components(separatedBy: "HTTP/1.1 ").count == 2, "\(text)")
            #expect(all.contains("Connection: close\r\n") && all.contains("\"code\":\"invalid-request\""))
            try await isAlive(server)
        }
    }

    @Test func absoluteTargetsAreTheirPath() async throws {
        try await withServer(routes: echo) { (server) async throws in
            for target in ["http://evil.example/ignore", "HTTPS://evil.example:1/ignore?x=1"] {
                let answer = try await server.ask("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(answer.status == 200)
                #expect(!answer.body.contains("evil"))
            }
            let root = try await server.ask("GET http://evil.example HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(root.status == 404)
        }
    }

    @Test(arguments: [(90, 200), (200, 431), (2000, 431)])
    func headerFieldsAreCounted(_ count: Int, _ status: Int) async throws {
        try await withServer(routes: echo) { (server) async throws in
            let fields = (0..<count).map { "X-\($0): 1" }
            let answer = try await server.get("/ignore", headers: fields)
            #expect(answer.status == status)
            let same = try await server.get("/ignore", headers: Array(repeating: "X: 1", count: count))
            #expect(same.status == status)
        }
    }

    @Test(arguments: [(30_000, 200), (33_000, 431), (5_000_000, 431)])
    func headerBytesAreCounted(_ size: Int, _ status: Int) async throws {
        try await withServer(routes: echo) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try? connection.send(request("GET", "/ignore", headers: ["X: " + String(repeating: "x", count: size)]))
            let answer = try await connection.answer()
            #expect(answer.status == status)
            if status == 431 { #expect(try answer.json["code"] == .string("headers-too-large")) }
        }
    }

    @Test(arguments: [(8000, 404), (9000, 400), (1_000_000, 431)])
    func longTargetsAreRefused(_ size: Int, _ status: Int) async throws {
        try await withServer(routes: echo) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try? connection.send(request("GET", "/" + String(repeating: "x", count: size)))
            let answer = try await connection.answer()
            #expect(answer.status == status)
        }
    }

    @Test func aClientThatAsksFirstIsToldToSend() async throws {
        try await withServer(routes: echo) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try connection.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
            let first = try await connection.answer()
            #expect(first.status == 100)
            try connection.send("abc")
            let second = try await connection.answer()
            #expect(second.body == "3")
            // Too large: no invitation.
            try connection.send(
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1073741824\r\nExpect: 100-continue\r\n\r\n")
            let refused = try await connection.answer()
            #expect(refused.status == 413)
        }
    }

    @Test func connectionsStayOpenAsTheClientWishes() async throws {
        try await withServer(routes: echo) { (server) async throws in
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

    @Test func aBodyCutShortIsNoBody() async throws {
        let asked = Atomic<Int>(0)
        try await withServer(routes: { router in
            router.post("/count") { request, _ in
                asked.add(1, ordering: .relaxed)
                return Response.json(.ok, text: "\(try await request.bytes().count)")
            }
        }) { (server) async throws in
            let connection = try Connection(port: server.port)
            try connection.send("POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{}")
            connection.endSending()
            #expect(try await connection.remainder() == "")
            connection.close()
            try await isAlive(server)
        }
        #expect(asked.load(ordering: .relaxed) == 0)
    }

    @Test func slowHeadsAndBodiesAreTimedOut() async throws {
        try await withServer(
            configure: {
                $0.limits.headTime = .milliseconds(300)
                $0.limits.bodyTime = .milliseconds(300)
            }, routes: echo
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
                #expect(ContinuousClock.now - start < .seconds(5))
            }
            // Dripping bytes do not extend the time.
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            for _ in 0..<20 {
                try? connection.send("G")
                try await Task.sleep(for: .milliseconds(50))
            }
            #expect(try await connection.remainder().isEmpty == false)
            try await isAlive(server)
        }
    }

    @Test func idleConnectionsAreClosed() async throws {
        try await withServer(configure: { $0.limits.idleTime = .milliseconds(1500) }, routes: echo) {
            (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            for _ in 0..<3 {
                try connection.send(request("GET", "/ignore"))
                _ = try await connection.answer()
                try await Task.sleep(for: .milliseconds(700))
            }
            #expect(try await connection.remainder(seconds: 3) == "")
        }
    }

    @Test func connectionsBeyondTheMostWait() async throws {
        try await withServer(configure: { $0.maximumConnections = 64 }, routes: echo) { (server) async throws in
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
        try await withServer(
            configure: { $0.maximumRequestsInFlight = 4 },
            routes: { router in
                router.get("/slow") { _, _ in
                    try await Task.sleep(for: .milliseconds(400))
                    return Response.json(.ok, text: "1")
                }
            }
        ) { (server) async throws in
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<12 { group.addTask { try await server.get("/slow").status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.filter { $0 == 200 }.count >= 4)
            #expect(statuses.allSatisfy { $0 == 200 || $0 == 503 })
            #expect(statuses.contains(503))
            #expect(try await server.get("/slow").status == 200)
        }
    }
}
