import HTTPClient
import Logging
import Testing

/// What is sent and what comes back.
@Suite struct ExchangeTests {
    @Test func sendsExactlyWhatWasAsked() async throws {
        let seen = Seen<[String]>([])
        let server = try RawServer { connection, _ in
            while let request = connection.readRequest() {
                seen.update { $0.append(request) }
                connection.write(ok)
            }
        }
        defer { server.stop() }
        let url = "\(server.url)a%20b?c=d"
        let response = try await withClient { client in
            _ = try await client.send(HTTPClientRequest(url: url, headers: [("X-Empty", "")]), timeout: .seconds(20))
            _ = try await client.send(HTTPClientRequest(method: "POST", url: url), timeout: .seconds(20))
            return try await client.send(post(url, "{\"a\":1}"), timeout: .seconds(20))
        }
        #expect(response.status == 200)
        #expect(response.body == Array("ok".utf8))
        #expect(response.header("x-ONE") == "a b")
        let host = "Host: 127.0.0.1:\(server.port)\r\nAccept: */*\r\n"
        #expect(
            seen.value == [
                "GET /a%20b?c=d HTTP/1.1\r\n\(host)X-Empty:\r\n\r\n",
                "POST /a%20b?c=d HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n",
                "POST /a%20b?c=d HTTP/1.1\r\n\(host)Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
            ])
        #expect(server.connections == 1, "the connection is kept")
    }

    @Test func interimAnswersAndTrailersAreDropped() async throws {
        let server = try RawServer.answering(
            "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 201 Created\r\nX-Late: 2\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Trailer: 3\r\n\r\n")
        defer { server.stop() }
        let url = server.url
        let response = try await withClient {
            try await $0.send(HTTPClientRequest(url: url), timeout: .seconds(20))
        }
        #expect(response.status == 201)
        #expect(response.body == Array("hi".utf8))
        #expect(response.header("X-Late") == "2")
        #expect(response.header("X-Early") == nil)
        #expect(response.header("X-Trailer") == nil)
    }

    @Test func redirectsAreNotFollowed() async throws {
        let target = try RawServer.answering(ok)
        let server = try RawServer.answering(
            "HTTP/1.1 302 Found\r\nLocation: \(target.url)\r\nContent-Length: 0\r\n\r\n")
        defer {
            server.stop()
            target.stop()
        }
        let url = server.url
        let response = try await withClient {
            try await $0.send(HTTPClientRequest(url: url), timeout: .seconds(20))
        }
        #expect(response.status == 302)
        #expect(target.connections == 0)
    }

    @Test func contentCodingsAreNeitherAskedForNorUndone() async throws {
        let seen = Seen<String>("")
        let server = try RawServer { connection, _ in
            seen.update { $0 = connection.readRequest() ?? "" }
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nrawr")
        }
        defer { server.stop() }
        let url = server.url
        let response = try await withClient {
            try await $0.send(HTTPClientRequest(url: url), timeout: .seconds(20))
        }
        #expect(response.body == Array("rawr".utf8))
        #expect(!seen.value.lowercased().contains("accept-encoding"))
    }

    @Test func headHasNoBody() async throws {
        let server = try RawServer.answering("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        defer { server.stop() }
        let url = server.url
        let response = try await withClient {
            try await $0.send(HTTPClientRequest(method: "HEAD", url: url), timeout: .seconds(1))
        }
        #expect(response.status == 200)
        #expect(response.body.isEmpty)
    }

    @Test(arguments: [
        "https://user:pass@127.0.0.1/", "http://10.0.0.1/", "http://127.0.0.1.example.com/", "http://example.com/",
        "ftp://127.0.0.1/", "file:///etc/passwd", "127.0.0.1", "", "http://", "http://127.0.0.1/ x",
        "http://127.0.0.1/\r\nX: y", "http://127.0.0.1/\0", "http://[::2]/", "http://0.0.0.0/", "http://127.1.1.999/",
        "gopher://127.0.0.1/", "http://loopback/",
    ])
    func refusedURLs(_ url: String) async throws {
        try await withClient { client in
            #expect(await client.failure(HTTPClientRequest(url: url)) == .invalidURL)
        }
    }

    @Test func plainHTTPNeedsPermission() async throws {
        let allowed = HTTPClientConfiguration(connectTimeout: .seconds(1), plainHTTPHosts: ["Gateway.Invalid"])
        try await withClient(allowed) { client in
            #expect(await client.failure(HTTPClientRequest(url: "http://gateway.invalid/")) == .connect)
            #expect(await client.failure(HTTPClientRequest(url: "http://other.invalid/")) == .invalidURL)
            #expect(await client.failure(HTTPClientRequest(url: "https://other.invalid/")) == .connect)
        }
    }

    @Test(arguments: [
        ("X-A", "b\r\nX-C: d"), ("X-A", "b\nc"), ("X-A", "b\0"), ("X A", "b"), ("X-A:", "b"), ("", "b"),
        ("Host", "example.com"), ("content-length", "3"), ("Transfer-Encoding", "chunked"), ("Connection", "close"),
    ])
    func refusedHeaders(_ header: (String, String)) async throws {
        try await withClient { client in
            let request = HTTPClientRequest(url: "http://127.0.0.1:1/", headers: [header])
            #expect(await client.failure(request) == .invalidRequest)
        }
    }

    @Test(arguments: ["", "GE T", "GET\r\n", "GÉT"]) func refusedMethods(_ method: String) async throws {
        try await withClient { client in
            #expect(
                await client.failure(HTTPClientRequest(method: method, url: "http://127.0.0.1:1/")) == .invalidRequest)
        }
    }

    @Test func errorsNameNothingOfTheRequest() {
        let errors: [HTTPClientError] = [
            .invalidURL, .invalidRequest, .connect, .tls, .timeout(maybeSent: true), .reset(maybeSent: false),
            .tooLarge, .malformedResponse, .cancelled(maybeSent: true), .stopped(maybeSent: false),
        ]
        #expect(errors.map(\.maybeSent) == [false, false, false, false, true, false, true, true, true, false])
        for error in errors { #expect(!"\(error)".contains("/")) }
    }
}
