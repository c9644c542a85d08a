import Foundation
package import HTTPClient

/// Reads what MSG91 answered. HTTP 200 does not mean success and an error does not mean HTTP 400: the body decides
/// (design document `msg91.md` §11.2, rules 1 and 2).
package enum MSG91Answer {
    /// - Parameter needsID: a send without an id is an unknown outcome; a retry has none.
    package static func outcome(_ response: HTTPClientResponse, needsID: Bool) -> GatewayOutcome {
        guard let body = try? JSONDecoder().decode([String: LooseValue].self, from: Data(response.body)) else {
            return withoutBody(response)
        }
        if let error = failure(body) { return failed(error, response) }
        guard (200..<300).contains(response.status), body.text("type")?.lowercased() == "success" else {
            return withoutBody(response)
        }
        guard needsID else { return .accepted(id: "") }
        guard let id = ["request_id", "message"].lazy.compactMap(body.text).first(where: isID) else {
            return .unknown(reason: "success without an id")
        }
        return .accepted(id: id)
    }

    /// Ids are opaque, but a sentence in `message` is none.
    private static func isID(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"): true
                default: false
                }
            }
    }

    /// The answer to a question that sends nothing: any of MSG91's envelopes that does not complain about key, address, account or
    /// template means that they are good.
    package static func probe(_ response: HTTPClientResponse) -> GatewayProbe {
        switch outcome(response, needsID: false) {
        // The template is asked about without a key.
        case .refused(let refusal) where refusal.code == "missing-key": .passed
        case .refused(let refusal) where refusal.kind.concernsAll: .refused(refusal)
        // Not MSG91 but some other server: it answers these questions with 200, and what it refuses in an envelope of its own.
        case .refused(let refusal) where refusal.kind == .unrecognised && !(200..<300).contains(response.status):
            .unanswered(reason: "http-\(response.status)")
        case .transient(let reason, _), .unknown(let reason): .unanswered(reason: reason)
        case .accepted, .duplicate, .nothingToRepeat, .refused: .passed
        }
    }

    /// The code and text of a body that reports a failure, in any of the shapes that its pages have; nil if it does not.
    private static func failure(_ body: [String: LooseValue]) -> (code: Int?, text: String)? {
        let code = (body.text("code") ?? body.text("apiError")).flatMap(Int.init)
        let says =
            body.text("type")?.lowercased() == "error" || body.text("msg_type")?.lowercased() == "error"
            || body["hasError"] == .flag(true) || body.text("status")?.lowercased() == "fail"
            || body["error"]?.isSubstantial == true || body["errors"]?.isSubstantial == true || (code ?? 0) >= 400
        guard says else { return nil }
        let text = ["message", "msg", "errors", "error"].lazy.compactMap(body.text).first ?? ""
        let apiError = body.text("apiError").flatMap(Int.init)
        return (apiError ?? code ?? Int(text), text)
    }

    private static func failed(_ error: (code: Int?, text: String), _ response: HTTPClientResponse) -> GatewayOutcome {
        if let outcome = error.code.flatMap(MSG91Codes.outcome(code:)) { return outcome }
        if let outcome = MSG91Codes.outcome(text: error.text) { return outcome }
        switch response.status {
        case 300..<400, 401, 403, 418, 429, 500...: return withoutBody(response)
        default: break
        }
        return .refused(GatewayRefusal(.unrecognised, error.code.map(String.init) ?? "text"))
    }

    /// What the HTTP status alone can tell.
    private static func withoutBody(_ response: HTTPClientResponse) -> GatewayOutcome {
        switch response.status {
        case 300..<400, 401, 403, 418: .refused(GatewayRefusal(.configuration, "http-\(response.status)"))
        case 429: .transient(reason: "http-429", after: retryAfter(response))
        case 400..<500: .refused(GatewayRefusal(.unrecognised, "http-\(response.status)"))
        default: .unknown(reason: "http-\(response.status)")
        }
    }

    /// `Retry-After` in seconds, at most ten minutes; dates are not understood.
    private static func retryAfter(_ response: HTTPClientResponse) -> Duration? {
        response.header("retry-after").flatMap(Int.init).map { .seconds(min(max($0, 0), 600)) }
    }
}

/// A JSON value of which only simple ones matter: MSG91 writes the same member now as a string, now as a number.
enum LooseValue: Decodable, Equatable {
    case text(String)
    case flag(Bool)
    /// Also an empty array or object.
    case null
    case compound

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let flag = try? container.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? container.decode(Int.self) {
            self = .text(String(number))
        } else if let array = try? decoder.unkeyedContainer() {
            self = array.isAtEnd ? .null : .compound
        } else if let object = try? decoder.container(keyedBy: AnyName.self) {
            self = object.allKeys.isEmpty ? .null : .compound
        } else {
            self = .compound
        }
    }

    private struct AnyName: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init?(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Whether it is more than null, false, or an empty text, array or object.
    var isSubstantial: Bool {
        switch self {
        case .text(let text): !text.isEmpty
        case .flag(let flag): flag
        case .null: false
        case .compound: true
        }
    }
}

extension [String: LooseValue] {
    fileprivate func text(_ member: String) -> String? {
        if case .text(let text)? = self[member] { text } else { nil }
    }
}
