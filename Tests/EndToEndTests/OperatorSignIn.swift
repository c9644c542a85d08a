import Foundation
import ServiceTestKit
import Testing

/// An operator who signs in on the console's pages, first with wrong codes; without JavaScript.
struct OperatorSignIn {
    private let deployment: Deployment
    private var cookies: [String: String] = [:]

    init(_ deployment: Deployment) { self.deployment = deployment }

    /// All codes that were typed, and the secret of the authenticator.
    mutating func callAsFunction() async throws -> (codes: Set<String>, secret: String) {
        let person = Person(deployment)
        let created = try await deployment.run(.admin, "create-admin", "--phone", person.phone, "--role", "owner")
        let secret = String(try #require(created.output.firstMatch(of: /secret=([A-Z2-7]+)/)?.1))
        #expect(try await submit("/sign-in", ["phone": "%2B" + person.digits]).status == 303)
        let code = try await person.receiveCode()
        let wrong = String(code.dropLast() + (code.hasSuffix("0") ? "1" : "0"))
        let factor = TOTP.code(base32: secret, at: .now)
        let wrongFactor = String(factor.dropLast() + (factor.hasSuffix("0") ? "1" : "0"))
        for (code, factor, status) in [(wrong, factor, 422), (code, wrongFactor, 422), (code, factor, 303)] {
            let answer = try await submit("/sign-in/confirm", ["code": code, "second_factor": factor])
            #expect(answer.status == status, "\(answer.text)")
        }
        return ([code, wrong, factor, wrongFactor], secret)
    }

    /// Fetches the page and sends its form with these fields, which are escaped already, and the hidden one.
    private mutating func submit(_ path: String, _ fields: [String: String]) async throws -> Answer {
        let page = try await send("GET", "/sign-in")
        let token = try #require(page.text.firstMatch(of: /name="form_token" value="([0-9a-f]+)"/)?.1)
        let form = fields.merging(["form_token": String(token)]) { $1 }
        return try await send("POST", path, form.map { "\($0.key)=\($0.value)" }.joined(separator: "&"))
    }

    private mutating func send(_ method: String, _ path: String, _ form: String? = nil) async throws -> Answer {
        let admin = deployment.api(.admin)
        var headers = [("Origin", admin.base), ("Sec-Fetch-Site", "same-origin")]
        if form != nil { headers.append(("Content-Type", "application/x-www-form-urlencoded")) }
        if !cookies.isEmpty {
            headers.append(("Cookie", cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")))
        }
        let answer = try await admin.call(method, path, form.map { Array($0.utf8) }, nil, headers)
        for (name, value) in answer.headers where name.lowercased() == "set-cookie" {
            let pair = value.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { cookies[String(pair[0])] = String(pair[1]) }
        }
        return answer
    }
}
