import Foundation
import HTTPClient
import Logging
import MSG91Simulator
import Testing

/// A running simulator and a client that speaks to it as a service would.
struct Phone: Sendable {
    let url: String
    let gateway: Gateway
    let client: HTTPClient

    static let key = SimulatorConfiguration.defaultAuthKey
    static let template = SimulatorConfiguration.defaultTemplateID
    static let flow = SimulatorConfiguration.defaultFlowID
    static let mobile = "919876543210"

    /// Sends any request; the key goes into the header unless `key` is nil.
    func call(
        _ path: String, method: String = "GET", key: String? = Self.key, body: String? = nil,
        contentType: String = "application/json", timeout: Duration = .seconds(5)
    ) async throws -> Reply {
        var headers: [(String, String)] = []
        if let key { headers.append(("authkey", key)) }
        if body != nil { headers.append(("Content-Type", contentType)) }
        let request = HTTPClientRequest(
            method: method, url: url + path, headers: headers, body: body.map { Array($0.utf8) })
        return Reply(try await client.send(request, timeout: timeout))
    }

    /// `POST /otp` with everything in the query and real-time errors.
    func sendCode(
        _ mobile: String = Self.mobile, otp: String? = "482913", realTime: Bool = true, extra: String = "",
        key: String? = Self.key, template: String = Self.template
    ) async throws -> Reply {
        var path = "/api/v5/otp?template_id=\(template)&mobile=\(mobile)\(extra)"
        if let otp { path += "&otp=\(otp)" }
        if realTime { path += "&realTimeResponse=1" }
        return try await call(path, method: "POST", key: key, body: "{}")
    }

    /// The error of a POST that gets no answer.
    func failure(_ path: String, timeout: Duration = .seconds(5)) async -> HTTPClientError? {
        do {
            let reply = try await call(path, method: "POST", timeout: timeout)
            Issue.record("answered \(reply.status)")
            return nil
        } catch {
            return error as? HTTPClientError
        }
    }

    /// `PUT` of a control path.
    func put(_ path: String, _ body: String) async throws -> Reply {
        try await call(path, method: "PUT", body: body)
    }
}

/// An answer, its body as text and as JSON.
struct Reply: Sendable {
    let status: Int
    let contentType: String
    let text: String

    init(_ response: HTTPClientResponse) {
        status = response.status
        contentType = response.header("Content-Type") ?? ""
        text = String(decoding: response.body, as: UTF8.self)
    }

    subscript(name: String) -> String? {
        let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return object?[name] as? String
    }

    var rows: [[String: Any]] {
        (try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]) ?? []
    }

    var requestID: String? { self["request_id"] }
}

func error(_ message: String, code: String? = nil) -> String {
    "{\"message\":\"\(message)\",\"type\":\"error\"" + (code.map { ",\"code\":\"\($0)\"" } ?? "") + "}"
}

let duplicateText = error("Same content to the same number within 10 seconds", code: "311")

/// Runs `body` with a simulator of its own.
func withPhone(
    _ configuration: SimulatorConfiguration = SimulatorConfiguration(),
    _ body: @escaping @Sendable (Phone) async throws -> Void
) async throws {
    let client = HTTPClient(configuration: HTTPClientConfiguration(), logger: Logger(label: "test"))
    try await withMSG91Simulator(configuration) { url, gateway in
        try await body(Phone(url: url, gateway: gateway, client: client))
    }
}
