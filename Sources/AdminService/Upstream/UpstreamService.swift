import HTTPClient
import HTTPServer
import Identity
import Metrics
import Tokens

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Another service of ours, asked over its internal endpoints.
struct UpstreamService: Sendable {
    let name: ServiceName
    /// Without a slash at its end.
    let baseURL: String
    let client: HTTPClient
    let signer: TokenSigner
    /// Whether it answers, for the log.
    let attendance: Attendance
    /// For one question. Two of them, one after the other, fit into the deadline of a request.
    let timeout = Duration.milliseconds(2000)

    /// Asks for a JSON document. Throws `UpstreamError`.
    func get<Answer: Decodable & Sendable>(
        _ path: String, query: [(String, String)] = [], as type: Answer.Type, trace: RequestTrace?
    ) async throws(UpstreamError) -> Answer {
        let started = ContinuousClock.now
        do throws(UpstreamError) {
            let answer = try await ask(path, query, type, trace)
            count("answered", since: started)
            return answer
        } catch {
            count(error.outcome, since: started)
            throw error
        }
    }

    /// Asks again if there was no answer in time: what has to be read from the disk for the first time may take longer than anybody
    /// waits, and is in memory for the next. Who is not there, or says that it cannot, is not asked again. Throws `UpstreamError`.
    func getPatiently<Answer: Decodable & Sendable>(
        _ path: String, query: [(String, String)], as type: Answer.Type, trace: RequestTrace?
    ) async throws(UpstreamError) -> Answer {
        let started = ContinuousClock.now
        do throws(UpstreamError) {
            return try await get(path, query: query, as: type, trace: trace)
        } catch {
            guard case .unavailable = error, ContinuousClock.now - started >= timeout else { throw error }
            return try await get(path, query: query, as: type, trace: trace)
        }
    }

    private func ask<Answer: Decodable & Sendable>(
        _ path: String, _ query: [(String, String)], _ type: Answer.Type, _ trace: RequestTrace?
    ) async throws(UpstreamError) -> Answer {
        guard let response = await send("GET", path + Self.encode(query), trace) else { throw .unavailable(name) }
        switch response.status {
        case 200:
            guard let answer = try? JSONDecoder().decode(type, from: Data(response.body)) else {
                throw .unreadable(name)
            }
            return answer
        case 400: throw .refused(name, field: Refusal.field(in: response.body))
        case 404: throw .notFound(name)
        default: throw .unavailable(name)
        }
    }

    /// Has it do something, under a key by which it knows the same request again.
    func post(_ path: String, key: String, reason: Reason? = nil, trace: RequestTrace?) async -> UpstreamDeed {
        let started = ContinuousClock.now
        let deed: UpstreamDeed
        var headers = [("Idempotency-Key", key)]
        let body = reason.flatMap { try? JSONEncoder().encode(["reason": $0.text]) }.map(Array.init)
        if body != nil { headers.append(("Content-Type", "application/json")) }
        if let response = await send("POST", path, trace, headers: headers, body: body) {
            switch response.status {
            case 200..<300: deed = .done
            // It will say the same again. What it says to 401, 408 and 429 it may say otherwise in a moment.
            case 400, 403, 404, 409, 410, 422: deed = .refused(code: Refusal.code(in: response.body) ?? "refused")
            default: deed = .noAnswer
            }
        } else {
            deed = .noAnswer
        }
        count(deed.word, since: started)
        return deed
    }

    /// Nil if there was no answer in time.
    private func send(
        _ method: String, _ path: String, _ trace: RequestTrace?, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) async -> HTTPClientResponse? {
        let now = Date()
        let token = ServiceToken(service: .admin, audience: name, expiresAt: now + ServiceToken.lifetime)
        guard let bearer = try? signer.sign(token, now: now) else { return nil }
        let request = HTTPClientRequest(
            method: method, url: baseURL + path,
            headers: [("Authorization", "Bearer \(bearer)"), ("Accept", "application/json")] + headers
                + (trace?.headers ?? []), body: body)
        let response = try? await client.send(request, timeout: timeout)
        if let response, response.status < 500 {
            attendance.answered()
        } else if !Task.isCancelled {
            attendance.failed()
        }
        return response
    }

    private func count(_ outcome: String, since started: ContinuousClock.Instant) {
        let dimensions = [("service", name.rawValue), ("outcome", outcome)]
        Counter(label: "upstream_requests_total", dimensions: dimensions).increment()
        Metrics.Timer(label: "upstream_seconds", dimensions: [("service", name.rawValue)])
            .recordSeconds((ContinuousClock.now - started) / .seconds(1))
    }

    /// `?name=value&…`, everything but RFC 3986's unreserved characters encoded.
    static func encode(_ query: [(String, String)]) -> String {
        if query.isEmpty { return "" }
        return "?" + query.map { "\($0.0)=\(encode($0.1))" }.joined(separator: "&")
    }

    /// Everything but RFC 3986's unreserved characters encoded, for a part of a path or a query.
    static func encode(_ value: String) -> String {
        let hexadecimal = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), hexadecimal[Int(byte >> 4)], hexadecimal[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// The part of a problem document (RFC 9457) that names what was malformed.
private struct Refusal: Decodable {
    struct Item: Decodable { let field: String }
    let code: String?
    let errors: [Item]?

    static func field(in body: [UInt8]) -> String? { read(body)?.errors?.first?.field }

    /// The code if it looks like one.
    static func code(in body: [UInt8]) -> String? {
        guard let code = read(body)?.code, (1...64).contains(code.utf8.count),
            code.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") })
        else { return nil }
        return code
    }

    private static func read(_ body: [UInt8]) -> Refusal? {
        try? JSONDecoder().decode(Refusal.self, from: Data(body))
    }
}

/// What came of a request that changes something.
enum UpstreamDeed: Sendable, Equatable {
    case done
    /// It will not: its problem code.
    case refused(code: String)
    /// It may have happened or not.
    case noAnswer

    fileprivate var word: String {
        switch self {
        case .done: "answered"
        case .refused: "refused"
        case .noAnswer: "unavailable"
        }
    }
}

/// Why another service gave no answer that can be used.
enum UpstreamError: Error, Sendable, Equatable {
    /// Nobody there, no answer in time, or it said that it cannot.
    case unavailable(ServiceName)
    /// It found the question malformed: this parameter, if it said which.
    case refused(ServiceName, field: String?)
    /// It has no such thing.
    case notFound(ServiceName)
    /// It answered something else than agreed.
    case unreadable(ServiceName)

    fileprivate var outcome: String {
        switch self {
        case .unavailable: "unavailable"
        case .refused: "refused"
        case .notFound: "not_found"
        case .unreadable: "unreadable"
        }
    }
}
