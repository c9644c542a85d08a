import FoundationEssentials
import HTTPServer
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing

/// Bodies that are too large, endless, cut short, or of no use to anybody.
@Suite(.serialized) struct RequestBodyTests {
    @Test func largeBodiesAreRefusedBeforeTheyCome() async throws {
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
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
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
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
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
            let answer = try await server.ask(
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n"
            )
            #expect(answer.body == "5")
        }
    }

    @Test func bodiesThatNobodyReadsDoNoHarm() async throws {
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
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
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
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

    @Test func aClientThatAsksFirstIsToldToSend() async throws {
        try await withServer(routes: { $0.addEcho() }) { (server) async throws in
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
            try await server.isAlive()
        }
        #expect(asked.load(ordering: .relaxed) == 0)
    }
}
