import Foundation
import HTTPClient
import Identity
import ServiceTestKit
import Testing

@testable import AdminService

@Suite("Console: security", .timeLimit(.minutes(2)))
struct ConsoleSecurityTests {
    @Test("ADM-11, ADM-13: headers of pages, files and errors")
    func headers() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.viewer)
            let page = try await browser.get("/")
            let style = try #require(page.text.firstMatch(of: /href="(\/assets\/console-[0-9a-f]{12}\.css)"/)).1
            let signedOut = TestBrowser(server)
            for answer in [
                page, try await browser.get("/users"),
                try await browser.get("/nothing", headers: [("Accept", "text/html")]),
                try await signedOut.get("/sign-in"), try await browser.get("/users/no-id"),
            ] {
                let policy = try #require(answer.header("Content-Security-Policy"))
                for part in [
                    "default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'",
                    "form-action 'self'", "script-src 'self'", "style-src 'self'",
                ] { #expect(policy.contains(part)) }
                #expect(!policy.contains("unsafe"))
                #expect(answer.header("Content-Type") == "text/html; charset=utf-8")
                #expect(answer.header("X-Content-Type-Options") == "nosniff")
                #expect(answer.header("Cache-Control") == "no-store" && answer.header("Server") == nil)
                #expect(answer.header("Cross-Origin-Opener-Policy") == "same-origin")
                #expect(answer.header("Referrer-Policy") == "same-origin")
            }
            let file = try await signedOut.get(String(style))
            #expect(file.status == 200 && file.header("Content-Type") == "text/css; charset=utf-8")
            #expect(file.header("Cache-Control") == "public, max-age=31536000, immutable")
            #expect(file.header("X-Content-Type-Options") == "nosniff")
            #expect(file.header("Referrer-Policy") == "no-referrer")
            // Once each: what a page says for itself is not said again.
            let secure = try await signedOut.get("/sign-in", headers: [("X-Forwarded-Proto", "https")])
            for name in ["referrer-policy", "strict-transport-security", "content-security-policy"] {
                #expect(secure.headers.count { $0.0.lowercased() == name } == 1, "\(name)")
            }
        }
    }

    @Test("no page has an inline script, style or handler")
    func inline() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.owner)
            for path in [
                "/", "/users", "/users/\(StubService.userID)", "/messages", "/destinations", "/audit", "/operators",
                "/caches",
                "/account", "/nothing",
            ] {
                let text = try await browser.get(path).text
                #expect(text.firstMatch(of: /<style|\sstyle=|\son[a-z]+=|javascript:/) == nil, "\(path)")
                #expect(text.matches(of: /<script/).count <= 1 && text.firstMatch(of: /<script>/) == nil)
            }
        }
    }

    @Test("ADM-10: what users wrote is shown literally, in text and in attributes")
    func escaping() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.viewer)
            for path in ["/users", "/users/\(StubService.userID)"] {
                let text = try await browser.get(path).text
                #expect(text.contains("Asha &quot;&lt;script&gt;&quot;"))
                #expect(!text.contains("\"<script>"))
            }
            let hostile = #""><img src=x onerror=a>{{7*7}}"#
            let search = try await browser.submit("/users", to: "/users", ["search": hostile])
            let page = try await browser.get(try #require(search.header("Location")))
            #expect(page.text.contains(#"value="&quot;&gt;&lt;img src=x onerror=a&gt;{{7*7}}""#))
        }
    }

    @Test("ADM-12: a form from elsewhere, or without the session's hidden field, changes nothing")
    func forgery() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.owner)
            let other = try await server.browser(.owner, phone: "+919876500001")
            let token = try TestBrowser.formToken(try await browser.get("/account").text)
            let foreign = try TestBrowser.formToken(try await other.get("/account").text)
            let good = ["form_token": token]
            let own = ("Origin", server.baseURL)
            let attempts: [([String: String], [(String, String)])] = [
                (good, [("Origin", "https://evil.example")]),
                (good, [("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]),
                (good, [own, ("Sec-Fetch-Site", "cross-site")]), (good, [own, ("Sec-Fetch-Site", "same-site")]),
                (good, []), ([:], [own]), (["form_token": foreign], [own]), (["form_token": ""], [own]),
            ]
            for (fields, headers) in attempts {
                let answer = try await browser.post("/caches/clear", fields, headers: headers)
                #expect(answer.status == 403 && answer.header("Content-Type")?.hasPrefix("text/html") == true)
            }
            // Other ways to send: no form at all.
            for type in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
                let response = try await server.client.send(
                    HTTPClientRequest(
                        method: "POST", url: server.baseURL + "/caches/clear",
                        headers: [
                            ("Cookie", "postkey_admin=\(await browser.cookies["postkey_admin"] ?? "")"), own,
                            ("Content-Type", type),
                        ], body: Array("form_token=\(token)".utf8)), timeout: .seconds(10))
                #expect(response.status == 415)
            }
            #expect(try await browser.get("/caches/clear").status == 405)
            #expect(try await server.database.recorded().allSatisfy { !$0.hasPrefix("cache.") })
            let answer = try await browser.post("/caches/clear", good, headers: [own])
            #expect(answer.status == 303)
            #expect(try await server.database.recorded().contains("cache.cleared"))
        }
    }

    @Test("ADM-24: only the files of the console are served, by their exact names")
    func files() async throws {
        try await withAdminServer { server in
            let browser = TestBrowser(server)
            for path in [
                "/.git/HEAD", "/.env", "/assets/", "/assets/console.css", "/assets/..%2f..%2fetc%2fpasswd",
                "/assets/../Pages/layout.mustache", "/Pages/layout.mustache", "/assets/%00",
            ] {
                let status = try await browser.get(path).status
                #expect([404, 400].contains(status), "\(path)")
            }
        }
    }

    @Test("ADM-24: nor by paths, ranges and versions that no client sends")
    func rawFiles() async throws {
        try await withAdminServer { server in
            let port = try #require(URLComponents(string: server.baseURL)?.port)
            let host = "127.0.0.1:\(port)"
            func get(_ target: String, _ version: String = "HTTP/1.1", _ headers: [String] = []) async throws
                -> RawExchange
            {
                try await RawExchange.send(["GET \(target) \(version)", "Host: \(host)"] + headers, port: port)
            }
            for target in [
                "/../../etc/passwd", "/assets/../Pages/layout.mustache", "/assets/../../../../../../etc/passwd",
                "/assets/./../Pages/layout.mustache", "/assets/..%2fPages%2flayout.mustache",
                "/assets/%2e%2e/Pages/layout.mustache", "/assets//etc/passwd", "/assets/..\\Pages\\layout.mustache",
                "http://\(host)/assets/../Pages/layout.mustache", "file:///etc/passwd", "/.git/HEAD", "/assets/",
            ] {
                for version in ["HTTP/1.1", "HTTP/1.0"] {
                    let answer = try await get(target, version)
                    #expect([400, 404].contains(answer.status), "\(target) \(version): \(answer.status)")
                    #expect(!answer.text.contains("root:") && !answer.text.contains("{{"), "\(target)")
                }
            }
            let page = try await TestBrowser(server).get("/sign-in").text
            let style = String(try #require(page.firstMatch(of: /href="(\/assets\/console-[0-9a-f]{12}\.css)"/)).1)
            let size = try await get(style).text.utf8.count
            for headers in [
                ["Range: bytes=-9223372036854775808"], ["Range: bytes=9223372036854775807-"],
                ["Range: bytes=" + Array(repeating: "0-0", count: 1000).joined(separator: ",")],
                ["If-None-Match: " + Array(repeating: #""x""#, count: 1000).joined(separator: ",")],
                ["If-None-Match: *"], ["If-Modified-Since: never"],
            ] {
                let answer = try await get(style, "HTTP/1.1", headers)
                #expect([200, 304, 416].contains(answer.status), "\(headers): \(answer.status)")
                #expect(answer.text.utf8.count <= size + 200)
            }
            #expect(try await get(style, "HTTP/1.0").status == 200)
            #expect(try await TestBrowser(server).get("/sign-in").status == 200)
        }
    }

    @Test("a role that is not enough gets a page that says so, and the audit log a row")
    func roles() async throws {
        try await withAdminServer { server in
            let browser = try await server.browser(.viewer)
            let page = try await browser.get("/caches").text
            #expect(!page.contains("Forget everything"))
            let refused = try await browser.submit("/account", to: "/caches/clear", [:])
            #expect(refused.status == 403 && refused.text.contains("You may not do this"))
            #expect(try await server.database.recorded().contains { $0.hasPrefix("operator.denied needs support") })
        }
    }

    @Test("paths of the API answer documents, paths of the console pages")
    func documents() async throws {
        try await withAdminServer { server in
            let browser = TestBrowser(server)
            let html = ("Accept", "text/html")
            #expect(
                try await browser.get("/v1/admin/users", headers: [html]).string("code") == "authentication-required")
            #expect(try await browser.get("/v1/admin/nothing", headers: [html]).string("code") == "not-found")
            #expect(try await browser.get("/nothing").string("code") == "not-found")
            let page = try await browser.get("/nothing", headers: [html])
            #expect(page.status == 404 && page.text.contains("There is no such page"))
        }
    }

    @Test(
        "only a path of our own is returned to",
        arguments: [
            ("/users?status=active", "/users?status=active"), ("//evil.example", "/"), ("/\\evil.example", "/"),
            ("https://evil.example", "/"), ("/a b", "/"), ("/x\r\nSet-Cookie: a", "/"), ("", "/"), ("/sign-in", "/"),
        ])
    func returnPaths(text: String, expected: String) {
        #expect(ReturnPath.checked(text) == expected)
    }
}
