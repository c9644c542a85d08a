import Foundation
import HTTPClient
import Identity
import Testing

@testable import AdminService

/// What a browser without JavaScript does: keeps cookies, and sends forms with the fields that the page has.
actor TestBrowser {
    let server: AdminServer
    private(set) var cookies: [String: String] = [:]

    init(_ server: AdminServer, session: String? = nil) {
        self.server = server
        if let session { cookies["postkey_admin"] = session }
    }

    func keep(_ name: String, _ value: String) { cookies[name] = value }

    func get(_ path: String, headers: [(String, String)] = []) async throws -> AdminServer.Answer {
        try await send("GET", path, headers: headers)
    }

    /// Sends a form of a page of ours.
    /// - Parameter headers: instead of the `Origin` and `Sec-Fetch-Site` that a browser sends.
    func post(
        _ path: String, _ fields: [String: String], headers: [(String, String)]? = nil
    ) async throws -> AdminServer.Answer {
        let body = fields.map { "\($0.key)=\(PercentText.encode($0.value))" }.joined(separator: "&")
        return try await send(
            "POST", path,
            headers: (headers ?? [("Origin", server.baseURL), ("Sec-Fetch-Site", "same-origin")])
                + [("Content-Type", "application/x-www-form-urlencoded")], body: body)
    }

    /// Fetches a page and sends its form with these fields and the hidden one.
    func submit(_ page: String, to path: String, _ fields: [String: String]) async throws -> AdminServer.Answer {
        let token = try Self.formToken(try await get(page).text)
        return try await post(path, fields.merging(["form_token": token]) { $1 })
    }

    static func formToken(_ html: String) throws -> String {
        let match = try #require(html.firstMatch(of: /name="form_token" value="([0-9a-f]+)"/), "no form in \(html)")
        return String(match.1)
    }

    private func send(
        _ method: String, _ path: String, headers: [(String, String)], body: String? = nil
    ) async throws -> AdminServer.Answer {
        var headers = headers
        if !cookies.isEmpty {
            headers.append(("Cookie", cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")))
        }
        let response = try await server.client.send(
            HTTPClientRequest(
                method: method, url: server.baseURL + path, headers: headers, body: body.map { Array($0.utf8) }),
            timeout: .seconds(30))
        for (name, value) in response.headers where name.lowercased() == "set-cookie" {
            let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { cookies[String(pair[0])] = pair[1].isEmpty ? nil : String(pair[1]) }
        }
        return AdminServer.Answer(
            status: response.status, headers: response.headers, text: String(decoding: response.body, as: UTF8.self))
    }
}

extension AdminServer {
    /// A browser in which an operator of this role is signed in.
    func browser(_ role: Role, phone: String = "+919876543210") async throws -> TestBrowser {
        TestBrowser(self, session: try await token(role, phone: phone))
    }
}
