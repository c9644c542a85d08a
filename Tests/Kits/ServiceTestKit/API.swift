import Foundation
import HTTPClient
import Logging

/// An HTTP answer as tests look at it.
package struct Answer: Sendable {
    package let status: Int
    package let headers: [(String, String)]
    package let body: [UInt8]

    package func header(_ name: String) -> String? {
        headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }

    package var text: String { String(decoding: body, as: UTF8.self) }

    private var object: [String: Any] {
        (try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any] ?? [:]
    }

    /// A member of the JSON object, when it is a string.
    package func string(_ member: String) -> String? { object[member] as? String }
    /// A member of the JSON object, when it is a number.
    package func integer(_ member: String) -> Int? { object[member] as? Int }
    /// A member of an object that is itself a member.
    package func string(_ outer: String, _ inner: String) -> String? {
        (object[outer] as? [String: Any])?[inner] as? String
    }
    /// The members of the JSON object.
    package var members: Set<String> { Set(object.keys) }

    /// The code of a problem document; nil when the answer is not one that says its own status.
    package var problem: String? {
        guard header("content-type")?.hasPrefix("application/problem+json") == true, integer("status") == status
        else { return nil }
        return string("code")
    }
}

/// Calls a service as an app would, and throws where an answer is not what the service's contract says.
package struct API: Sendable {
    package let base: String
    private let contract: APIContract?
    private static let client = HTTPClient(
        configuration: HTTPClientConfiguration(), logger: Logger(label: "tests"))

    package init(port: Int, contract: APIContract? = nil) {
        base = "http://127.0.0.1:\(port)"
        self.contract = contract
    }

    package func get(_ path: String, token: String? = nil, headers: [(String, String)] = []) async throws -> Answer {
        try await call("GET", path, nil, token, headers)
    }

    package func delete(_ path: String, token: String? = nil) async throws -> Answer {
        try await call("DELETE", path, nil, token, [])
    }

    package func post(
        _ path: String, _ json: String, token: String? = nil, headers: [(String, String)] = []
    ) async throws -> Answer {
        try await call("POST", path, Array(json.utf8), token, [("Content-Type", "application/json")] + headers)
    }

    package func put(_ path: String, _ json: String) async throws -> Answer {
        try await call("PUT", path, Array(json.utf8), nil, [("Content-Type", "application/json")])
    }

    package func patch(_ path: String, _ json: String, token: String? = nil) async throws -> Answer {
        try await call("PATCH", path, Array(json.utf8), token, [("Content-Type", "application/json")])
    }

    /// Any request, with any bytes.
    package func call(
        _ method: String, _ path: String, _ body: [UInt8]?, _ token: String?, _ headers: [(String, String)]
    ) async throws -> Answer {
        let authorization = token.map { [("Authorization", "Bearer \($0)")] } ?? []
        let response = try await API.client.send(
            HTTPClientRequest(method: method, url: base + path, headers: headers + authorization, body: body),
            timeout: .seconds(10))
        try contract?.check(
            method, path, status: response.status, headers: response.headers, body: response.body)
        return Answer(status: response.status, headers: response.headers, body: response.body)
    }

    /// Waits until `GET path` answers with `status`. Throws after `limit`.
    package func wait(for path: String, status: Int, within limit: Duration = .seconds(20)) async throws {
        let end = ContinuousClock.now.advanced(by: limit)
        while ContinuousClock.now < end {
            if let answer = try? await get(path), answer.status == status { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw ServiceTestError("\(base)\(path) did not answer \(status) within \(limit)")
    }
}
