import Foundation
import HTTPServer
import Identity

/// Reads the webhook's body in each of its shapes: old v2 (a form whose field `data` is JSON), v3 (a flat object), v4 (events), the
/// new one (an object of the customer's making), and what integrators have seen besides. Names are compared without case
/// and underscores, numbers may be strings, unknown members do not matter.
struct ReportReader {
    /// What was found in a body.
    struct Result: Equatable {
        var reports: [DeliveryReport] = []
        /// Reports that name no message, say nothing of one, or are too many.
        var unusable = 0
    }

    /// More than MSG91 has ever been seen to put into one body.
    static let mostReports = 1000

    private var result = Result()
    /// Texts within texts: a stringified array within a form within JSON is the most there is. However many stand side by side.
    private static let deepestText = 3

    /// Reads a body, whatever its media type says; nil if it is none of the shapes.
    static func read(_ bytes: [UInt8]) -> Result? {
        var reader = ReportReader()
        guard let value = reader.value(bytes) else { return nil }
        reader.collect(value, [:], texts: 0)
        return reader.result.reports.isEmpty && reader.result.unusable == 0 ? nil : reader.result
    }

    private func value(_ bytes: [UInt8]) -> Any? {
        let start = bytes.first { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        if start == UInt8(ascii: "{") || start == UInt8(ascii: "[") { return json(bytes) }
        guard bytes.contains(UInt8(ascii: "=")), let text = String(validating: bytes, as: UTF8.self) else { return nil }
        return form(text)
    }

    /// Depth is bounded before Foundation reads it.
    private func json(_ bytes: [UInt8]) -> Any? {
        guard (try? JSONBodies.check(bytes)) != nil else { return nil }
        return try? JSONSerialization.jsonObject(with: Data(bytes))
    }

    private func form(_ text: String) -> [String: Any] {
        var members: [String: Any] = [:]
        for pair in text.split(separator: "&").prefix(64) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = Self.unescaped(parts[0]), let value = Self.unescaped(parts[1]) else {
                continue
            }
            members[name] = value
        }
        return members
    }

    private static func unescaped(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }

    /// Walks arrays and objects; what an outer object says holds for the reports inside it.
    ///
    /// - Parameter texts: in how many texts within texts it stood.
    private mutating func collect(_ value: Any, _ inherited: [String: String], texts: Int) {
        if let list = value as? [Any] {
            for element in list { collect(element, inherited, texts: texts) }
            return
        }
        guard let object = value as? [String: Any] else { return }
        var fields = inherited
        var inner: [(value: Any, texts: Int)] = []
        for (name, value) in object {
            let key = name.lowercased().replacing("_", with: "")
            if key == "report" || key == "reports" || key == "data" {
                if let text = value as? String {
                    if let value = nested(text, in: texts) { inner.append((value, texts + 1)) }
                } else {
                    inner.append((value, texts))
                }
            } else if let text = scalar(value) {
                fields[key] = text
            }
        }
        for (value, texts) in inner { collect(value, fields, texts: texts) }
        if inner.isEmpty, !fields.isEmpty { add(fields) }
    }

    private func nested(_ text: String, in texts: Int) -> Any? {
        guard texts < Self.deepestText, text.first == "[" || text.first == "{" else { return nil }
        return json(Array(text.utf8))
    }

    /// A string or number as text; of an array, also a stringified one, its first.
    private func scalar(_ value: Any) -> String? {
        switch value {
        case let text as String where text.first == "[":
            return (json(Array(text.utf8)) as? [Any])?.first.flatMap { $0 is [Any] ? nil : scalar($0) }
        case let text as String: return text
        case let number as NSNumber: return number.stringValue
        default: return nil
        }
    }

    private mutating func add(_ fields: [String: String]) {
        let status = fields["status"] ?? fields["event"] ?? fields["statuscode"] ?? ""
        let description =
            ["failedreason", "failurereason", "desc", "description", "pausereason"].lazy
            .compactMap { fields[$0] }.first { !$0.isEmpty } ?? ""
        guard !status.isEmpty, result.reports.count < Self.mostReports,
            let state = ReportVocabulary.state(status: status, description: description)
        else {
            result.unusable += 1
            return
        }
        let report = DeliveryReport(
            name: fields["crqid"].flatMap(MessageName.init), gatewayID: fields["requestid"].flatMap(Self.gatewayID),
            phone: (fields["number"] ?? fields["telnum"] ?? fields["mobile"]).flatMap(Self.phone), state: state,
            reason: state == .failed ? ReportVocabulary.reason(status: status, description: description) : nil)
        if report.name == nil, report.gatewayID == nil || report.phone == nil {
            result.unusable += 1
        } else {
            result.reports.append(report)
        }
    }

    private static func gatewayID(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        return isPlain && (1...64).contains(text.utf8.count) ? text : nil
    }

    private static func phone(_ text: String) -> PhoneNumber? {
        PhoneNumber(e164: text.hasPrefix("+") ? text : "+" + text)
    }
}
