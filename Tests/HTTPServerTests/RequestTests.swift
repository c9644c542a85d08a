import HTTPServer
import HTTPTypes
import Hummingbird
import Testing

private struct Body: JSONBody {
    static let members: Set<String> = ["name"]
    let name: String
}

private struct Unexpected: Error, CustomStringConvertible { let description = "SECRET_CANARY" }
private struct Away: Error {}

/// What every service's edge does, asked over real connections.
@Suite struct RequestTests {
    private func routes(_ router: PostkeyRouter) {
        router.post("/v1/test/names") { request, _ in
            let body = try await request.json(as: Body.self)
            return try Response.json(.created, ["name": body.name])
        }
        router.get("/v1/test/names/{name}") { request, context in
            try Response.json(.ok, ["name": try context.parameter("name"), "client": "\(context.clientAddress)"])
        }
        router.delete("/v1/test/names/{name}") { _, _ in Response.empty() }
        router.get("/v1/test/search") { request, _ in
            let limit = try request.query.integer("limit", default: 50, in: 1...200)
            return try Response.json(.ok, ["text": try request.query.string("text") ?? "-", "limit": String(limit)])
        }
        router.post("/v1/test/form") { request, _ in
            Response.json(.ok, text: "\"\(try await request.form()["token"] ?? "-")\"")
        }
        router.get("/v1/test/teapot") { _, _ -> Response in
            throw Problem(
                TestServer.problems.types.first { $0.code == "teapot" } ?? .notFound, detail: "Short \"and\" stout.",
                retryAfter: 7, members: ["attempts_left": 3])
        }
        router.get("/v1/test/defect") { _, _ -> Response in throw Unexpected() }
        router.get("/v1/test/away") { _, _ -> Response in throw Away() }
        router.get("/page") { _, _ in
            Response.html(.ok, "<p>", contentSecurityPolicy: "default-src 'self'", headers: [.cacheControl: "private"])
        }
    }

    private func server(_ body: (TestServer) async throws -> Void) async throws {
        try await withServer(
            translate: { $0 is Away ? Problem(.serviceUnavailable, retryAfter: 1) : nil }, routes: routes, body)
    }

    @Test func aProblemHasItsShape() async throws {
        try await server { (server) async throws in
            let answer = try await server.get("/v1/test/teapot", headers: ["X-Request-Id: abc.DEF_1-2"])
            #expect(answer.status == 418)
            #expect(answer["Content-Type"] == "application/problem+json")
            #expect(answer["Retry-After"] == "7")
            #expect(
                answer.body == """
                    {"type":"/v1/test/problems/teapot","title":"I am a teapot","status":418,"detail":"Short \\"and\\" stout.",\
                    "code":"teapot","request_id":"abc.DEF_1-2","attempts_left":3}
                    """)
            #expect(server.records.all.last?.problem == "teapot")
        }
    }

    @Test func everyAnswerHasTheHeaders() async throws {
        try await server { (server) async throws in
            for path in ["/health/live", "/v1/test/teapot", "/nowhere", "/v1/test/defect"] {
                let answer = try await server.get(path)
                #expect(answer["Cache-Control"] == "no-store")
                #expect(answer["X-Content-Type-Options"] == "nosniff")
                #expect(answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'")
                #expect(answer["Date"]?.hasSuffix(" GMT") == true)
                #expect(answer["Access-Control-Allow-Origin"] == nil)
                #expect(answer["Server"] == nil)
                #expect(answer["Referrer-Policy"] == "no-referrer" && answer["Strict-Transport-Security"] == nil)
                let behindTLS = try await server.get(path, headers: ["X-Forwarded-Proto: https"])
                #expect(behindTLS["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains")
            }
            let problem = try await server.get("/v1/test/problems/teapot")
            #expect(problem["Content-Type"] == "text/html; charset=utf-8")
            #expect(problem["Cross-Origin-Opener-Policy"] == "same-origin")
            for part in ["object-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"] {
                #expect(problem["Content-Security-Policy"]?.contains(part) == true)
            }
            let page = try await server.get("/page")
            #expect(page["Content-Security-Policy"] == "default-src 'self'")
            #expect(page["Cache-Control"] == "private")
        }
    }

    @Test func unknownPathsAre404AndKnownOnesWithAnotherMethod405() async throws {
        try await server { (server) async throws in
            for path in ["/", "/v1", "/v2/test/names", "/v1/test/names/a/b", "/V1/test/names", "/v1/test/../names"] {
                let answer = try await server.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(try answer.json["code"] == .string("not-found"))
            }
            let post = try await server.post("/v1/test/names/x", "{}")
            #expect(post.status == 405)
            #expect(post["Allow"] == "DELETE, GET, HEAD")
            #expect(try post.json["type"] == .string("/v1/test/problems/method-not-allowed"))
            #expect(try await server.get("/v1/test/names")["Allow"] == "POST")
            for method in ["TRACE", "PUT", "PURGE", "OPTIONS"] {
                #expect(try await server.ask(request(method, "/v1/test/names")).status == 405, "\(method)")
            }
            // Not in the parser's list of methods, so it never becomes a request.
            #expect(try await server.ask(request("FOO", "/v1/test/names")).status == 400)
            #expect(server.records.all.allSatisfy { $0.route == "unmatched" })
        }
    }

    @Test func aPathHasOneSpelling() async throws {
        try await server { (server) async throws in
            for path in [
                "//metrics", "/metrics/", "/health//live", "//v1/test/search", "/v1/test/search/?text=a", "//", "/v1//",
            ] {
                let answer = try await server.get(path)
                #expect(answer.status == 404, "\(path)")
                #expect(try answer.json["code"] == .string("not-found"), "\(path)")
                #expect(try await server.ask(request("OPTIONS", path)).status == 404, "\(path)")
            }
            for path in ["/metrics", "/v1/test/search?text=//", "/v1/test/search?text=a/"] {
                #expect(try await server.get(path).status == 200, "\(path)")
            }
        }
    }

    @Test func optionsAndHead() async throws {
        try await server { (server) async throws in
            #expect(try await server.ask(request("OPTIONS", "*")).status == 204)
            // No other origin is let in, so a preflight has nothing to learn.
            let options = try await server.ask(request("OPTIONS", "/v1/test/names"))
            #expect(options.status == 405)
            #expect(options["Allow"] == "POST")
            #expect(try await server.ask(request("OPTIONS", "/nowhere")).status == 404)
            let connection = try Connection(port: server.port)
            defer { connection.close() }
            try connection.send(request("HEAD", "/health/live") + request("GET", "/health/live"))
            let head = try await connection.answer(isHead: true)
            #expect(head.status == 200)
            #expect(head["Content-Length"] == "17")
            // No body came between: the next answer begins right there.
            #expect(try await connection.answer().body == #"{"status":"live"}"#)
        }
    }

    @Test(
        arguments: [
            (nil, 415), ("text/plain", 415), ("application/xml", 415), ("application/problem+json", 415),
            ("application/json", 201),
            ("application/json; charset=utf-8", 201), ("Application/JSON;charset=\"UTF-8\"", 201),
            ("application/json; charset=utf-16", 415),
            ("application/json; charset=latin1", 415), ("application/jsonx", 415), ("application/json;", 201),
            ("multipart/form-data; boundary=x", 415),
            ("application/json, text/plain", 415), ("application/x-www-form-urlencoded", 415),
            ("application/json; charset=utf-8; charset=utf-16", 415),
        ] as [(String?, Int)])
    func onlyJSONInUTF8IsTaken(_ type: String?, _ status: Int) async throws {
        try await server { (server) async throws in
            let answer = try await server.post("/v1/test/names", #"{"name":"x"}"#, type: type)
            #expect(answer.status == status)
            if status == 415 { #expect(try answer.json["code"] == .string("unsupported-media-type")) }
        }
    }

    @Test func compressedBodiesAreNotTaken() async throws {
        try await server { (server) async throws in
            let answer = try await server.post(
                "/v1/test/names", #"{"name":"x"}"#, headers: ["Content-Encoding: gzip"])
            #expect(answer.status == 415)
        }
    }

    @Test func fieldsAtFaultAreNamed() async throws {
        try await server { (server) async throws in
            let answer = try await server.post("/v1/test/names", #"{"nam":"x"}"#)
            #expect(answer.status == 400)
            #expect(
                try answer.json["errors"]
                    == .array([
                        .object(["field": .string("nam"), "message": .string("is not a member of this request")])
                    ]))
        }
    }

    @Test func pathAndQueryAreDecodedStrictly() async throws {
        try await server { (server) async throws in
            #expect(try await server.get("/v1/test/names/a%20b%C3%A9").json["name"] == .string("a bé"))
            for path in ["a%", "a%2", "a%zz", "%ff", "%00", "%C0%80"] {
                #expect(try await server.get("/v1/test/names/\(path)").status == 404, "\(path)")
            }
            let found = try await server.get("/v1/test/search?text=a+b%26&limit=7").json
            #expect(found == .object(["limit": .string("7"), "text": .string("a b&")]))
            for query in [
                "limit=0", "limit=201", "limit=x", "limit=99999999999999999999", "text=%00", "text=%ff", "text=%",
                "text=1&text=2",
                (0..<100).map { "k\($0)=1" }.joined(separator: "&"),
            ] {
                #expect(try await server.get("/v1/test/search?\(query)").status == 400, "\(query)")
            }
        }
    }

    @Test func formsAreRead() async throws {
        try await server { (server) async throws in
            let type = "application/x-www-form-urlencoded"
            let answer = try await server.post("/v1/test/form", "token=a%2Bb+c&hint=x", type: type)
            #expect(answer.body == "\"a+b c\"")
            #expect(try await server.post("/v1/test/form", "token=1&token=2", type: type).status == 400)
            #expect(try await server.post("/v1/test/form", "token=1").status == 415)
        }
    }

    @Test func requestIDsAreTakenOrMade() async throws {
        try await server { (server) async throws in
            let good = String(repeating: "a", count: 64)
            #expect(try await server.get("/health/live", headers: ["X-Request-Id: \(good)"])["X-Request-Id"] == good)
            for bad in [String(repeating: "a", count: 65), "a b", "a\"b", "é", "", "a\tb", "<x>"] {
                let id = try #require(
                    try await server.get("/health/live", headers: ["X-Request-Id: \(bad)"])["X-Request-Id"])
                #expect(id != bad)
                #expect(RequestTrace.isRequestID(id) && id.utf8.count == 32)
            }
            let first = try await server.get("/health/live")["X-Request-Id"]
            #expect(try await server.get("/health/live")["X-Request-Id"] != first)
        }
    }

    @Test func traceparentIsPassedOnIfWellFormed() async throws {
        try await server { (server) async throws in
            let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            #expect(try await server.get("/health/live", headers: ["traceparent: \(good)"])["traceparent"] == good)
            for bad in [
                good + "x", good.uppercased(), "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                "01" + good.dropFirst(2),
            ] {
                #expect(try await server.get("/health/live", headers: ["traceparent: \(bad)"])["traceparent"] == nil)
            }
        }
    }

    @Test func internalsStayInside() async throws {
        let log = TestLog()
        try await withServer(logger: log.logger, routes: routes) { (server) async throws in
            let answer = try await server.get("/v1/test/defect", headers: ["X-Request-Id: find-me"])
            #expect(answer.status == 500)
            #expect(try answer.json["code"] == .string("internal-error"))
            #expect(!answer.body.contains("CANARY") && !answer.body.contains("Unexpected"))
            #expect(log.lines.contains { $0.contains("SECRET_CANARY") })
        }
    }

    @Test func errorsOfDependenciesAreTranslated() async throws {
        try await server { (server) async throws in
            let answer = try await server.get("/v1/test/away")
            #expect(answer.status == 503)
            #expect(answer["Retry-After"] == "1")
        }
    }

    @Test func spoofedAddressesAreNotBelieved() async throws {
        try await server { (server) async throws in
            let answer = try await server.get("/v1/test/names/x", headers: ["X-Forwarded-For: 198.51.100.1"])
            #expect(try answer.json["client"] == .string("127.0.0.1"))
        }
        try await withServer(configure: { $0.trustedProxies = AddressRange.list("127.0.0.0/8").ranges }, routes: routes)
        { (server) async throws in
            let answer = try await server.get(
                "/v1/test/names/x", headers: ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 198.51.100.1"])
            #expect(try answer.json["client"] == .string("198.51.100.1"))
        }
    }

    @Test func theAccessRecordHoldsTheTemplateOnly() async throws {
        try await server { (server) async throws in
            _ = try await server.get("/v1/test/names/private?secret=1", headers: ["X-Request-Id: r1"])
            let record = try #require(server.records.all.first)
            #expect(record.route == "/v1/test/names/{name}")
            #expect(record.requestID == "r1")
            #expect(record.status == 200)
            #expect(record.method == "GET")
            #expect(record.duration > .zero && record.duration < .seconds(5))
        }
    }

    @Test func problemPagesExplainEveryCode() async throws {
        try await server { (server) async throws in
            for type in TestServer.problems.types {
                let page = try await server.get("/v1/test/problems/\(type.code)")
                #expect(page.status == 200)
                #expect(page["Content-Type"] == "text/html; charset=utf-8")
                #expect(page.body.contains("<code>\(type.code)</code>"))
            }
            #expect(try await server.get("/v1/test/problems/teapot").body.contains("Use the other &lt;pot&gt;."))
            #expect(try await server.get("/v1/test/problems/none").status == 404)
            #expect(TestServer.problems.codes.count == ProblemType.shared.count + 1)
        }
    }

    @Test func theOpenAPIFileIsServedTwice() async throws {
        try await server { (server) async throws in
            for path in ["/openapi.yaml", "/v1/test/openapi.yaml"] {
                #expect(try await server.get(path).body == "openapi: 3.1.0\n")
            }
            #expect(try await server.get("/metrics").body == "up 1\n")
        }
    }
}
