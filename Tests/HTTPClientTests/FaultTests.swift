import Deadlines
import HTTPClient
import Testing

/// What a server or a network may do to a request, and what the error says about its outcome.
@Suite struct FaultTests {
    @Test func refusedConnection() async throws {
        let port = try RawServer.deadPort()
        try await withClient { client in
            #expect(await client.failure(post("http://127.0.0.1:\(port)/")) == .connect)
        }
    }

    @Test func connectTimeoutIsBounded() async throws {
        // TEST-NET-1 (RFC 5737) is routed nowhere: it drops or refuses, and both are `.connect`.
        let configuration = HTTPClientConfiguration(connectTimeout: .milliseconds(300))
        try await withClient(configuration) { client in
            let started = ContinuousClock.now
            let error = await client.failure(post("https://192.0.2.1/"), timeout: .seconds(60))
            #expect(error == .connect)
            #expect(started.duration(to: .now) < .seconds(15))
        }
    }

    @Test func hangAfterAccept() async throws {
        let server = try RawServer { connection, _ in connection.waitForEnd() }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            let started = ContinuousClock.now
            #expect(await client.failure(post(url), timeout: .milliseconds(300)) == .timeout(maybeSent: true))
            let elapsed = started.duration(to: .now)
            #expect(elapsed >= .milliseconds(300) && elapsed < .seconds(15))
        }
    }

    @Test func tricklingAnswersEnd() async throws {
        let server = try RawServer { connection, _ in
            guard connection.readRequest() != nil else { return }
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nab")
            connection.waitForEnd()
        }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            #expect(await client.failure(post(url), timeout: .milliseconds(300)) == .timeout(maybeSent: true))
        }
    }

    @Test func requestDeadlineCutsTheTimeout() async throws {
        let server = try RawServer { connection, _ in connection.waitForEnd() }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            let started = ContinuousClock.now
            let error = await RequestDeadline.$current.withValue(started.advanced(by: .milliseconds(200))) {
                await client.failure(post(url), timeout: .seconds(30))
            }
            #expect(error == .timeout(maybeSent: true))
            #expect(started.duration(to: .now) < .seconds(15))
            let late = await RequestDeadline.$current.withValue(started) { await client.failure(post(url)) }
            #expect(late == .timeout(maybeSent: false))
        }
    }

    @Test func absurdTimeouts() async throws {
        let server = try RawServer.answering(ok)
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            let response = try await client.send(post(url), timeout: .seconds(Int64.max))
            #expect(response.status == 200)
            #expect(await client.failure(post(url), timeout: .seconds(-1)) == .timeout(maybeSent: false))
        }
    }

    @Test(arguments: [false, true]) func connectionEndsAfterTheRequest(resets: Bool) async throws {
        let server = try RawServer { connection, _ in
            _ = connection.readRequest()
            if resets { connection.reset() }
        }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            #expect(await client.failure(post(url)) == .reset(maybeSent: true))
        }
        #expect(server.connections == 1)
    }

    @Test func connectionEndsWithinTheAnswer() async throws {
        let server = try RawServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            #expect(await client.failure(post(url)) == .reset(maybeSent: true))
        }
    }

    @Test func resetBeforeTLSIsNotSent() async throws {
        let server = try RawServer { connection, _ in connection.reset() }
        defer { server.stop() }
        let port = server.port
        try await withClient { client in
            #expect(await client.failure(post("https://127.0.0.1:\(port)/"))?.maybeSent == false)
        }
    }

    /// libcurl by itself would send the POST again over a new connection, and the server could act on it twice.
    @Test func deadKeptConnectionDoesNotSendTwice() async throws {
        let posts = Seen(0)
        let server = try RawServer { connection, _ in
            guard connection.readRequest() != nil else { return }
            connection.write(ok)
            // The second request is taken, and the connection ends without an answer.
            if let second = connection.readRequest(), second.hasPrefix("POST") { posts.update { $0 += 1 } }
        }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            _ = try await client.send(HTTPClientRequest(url: url), timeout: .seconds(20))
            #expect(await client.failure(post(url)) == .reset(maybeSent: true))
            #expect(posts.value == 1)
            // A repeatable request may be sent again, and gets its answer.
            _ = try await client.send(HTTPClientRequest(url: url), timeout: .seconds(20))
            let response = try await client.send(HTTPClientRequest(url: url), timeout: .seconds(20))
            #expect(response.status == 200)
        }
    }

    @Test func largeAnswersAreCut() async throws {
        let announced = try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n")
        let chunked = try RawServer { connection, _ in
            _ = connection.readRequest()
            connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<64 { connection.write("1000\r\n\(String(repeating: "x", count: 4096))\r\n") }
            connection.waitForEnd()
        }
        let exact = try RawServer.answering(
            "HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n\(String(repeating: "x", count: 4096))")
        let line = "X: \(String(repeating: "y", count: 1000))\r\n"
        let headers = try RawServer.answering(
            "HTTP/1.1 200 OK\r\n\(String(repeating: line, count: 40))Content-Length: 0\r\n\r\n")
        let oneHeader = try RawServer.answering(
            "HTTP/1.1 200 OK\r\nX: \(String(repeating: "y", count: 400_000))\r\nContent-Length: 0\r\n\r\n")
        let endless = try RawServer { connection, _ in
            _ = connection.readRequest()
            for _ in 0..<1000 { connection.write("HTTP/1.1 103 Early Hints\r\n\(line)\r\n") }
            connection.waitForEnd()
        }
        let servers = [announced, chunked, headers, oneHeader, endless]
        defer { (servers + [exact]).forEach { $0.stop() } }
        let fitting = exact.url
        try await withClient(HTTPClientConfiguration(maximumBodySize: 4096)) { client in
            for server in servers { #expect(await client.failure(post(server.url)) == .tooLarge) }
            let response = try await client.send(post(fitting), timeout: .seconds(20))
            #expect(response.body.count == 4096)
        }
    }

    @Test(arguments: ["SSH-2.0-OpenSSH_9.2\r\n\r\n", "hello", "HTTP/1.1 abc\r\n\r\n"])
    func otherProtocols(_ answer: String) async throws {
        let server = try RawServer { connection, _ in
            _ = connection.readRequest()
            connection.write(answer)
        }
        defer { server.stop() }
        let url = server.url
        try await withClient { client in
            let error = await client.failure(post(url))
            #expect(error == .malformedResponse || error == .reset(maybeSent: true))
            #expect(error?.maybeSent == true)
        }
    }
}
