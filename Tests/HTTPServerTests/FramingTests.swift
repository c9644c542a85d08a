import FoundationEssentials
import HTTPServer
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// Requests that are not well formed, or too large in their head: none may be taken for two.
@Suite(.serialized) struct FramingTests {
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
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            // What follows would be the smuggled request.
            try connection.send(text + request("GET", "/ignore"))
            let all = try await connection.remainder()
            #expect(all.hasPrefix("HTTP/1.1 400 "), "\(text)")
            #expect(all.components(separatedBy: "HTTP/1.1 ").count == 2, "\(text)")
            #expect(all.contains("Connection: close\r\n") && all.contains("\"code\":\"invalid-request\""))
            try await server.isAlive()
        }
    }

    @Test func absoluteTargetsAreTheirPath() async throws {
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
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
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
            let fields = (0..<count).map { "X-\($0): 1" }
            let answer = try await server.get("/ignore", headers: fields)
            #expect(answer.status == status)
            let same = try await server.get("/ignore", headers: Array(repeating: "X: 1", count: count))
            #expect(same.status == status)
        }
    }

    @Test(arguments: [(30_000, 200), (33_000, 431), (5_000_000, 431)])
    func headerBytesAreCounted(_ size: Int, _ status: Int) async throws {
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
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
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try? connection.send(request("GET", "/" + String(repeating: "x", count: size)))
            let answer = try await connection.answer()
            #expect(answer.status == status)
        }
    }
}
