import FoundationEssentials
import HTTPTypes
package import Hummingbird
import NIOCore

/// What `request.json(as:)` can read: a flat list of known members.
package protocol JSONBody: Decodable, Sendable {
    /// The names that the object may have, as they are on the wire; any other is refused.
    static var members: Set<String> { get }
}

extension Request {
    /// Reads the body as a JSON object of known members.
    ///
    /// Throws `unsupported-media-type` unless it is `application/json` in UTF-8, `payload-too-large` beyond 16 KiB, and
    /// `invalid-request` with the field at fault for everything else.
    package func json<Body: JSONBody>(as type: Body.Type) async throws -> Body {
        try requireMediaType("application/json")
        return try JSONBodies.decode(type, from: try await bytes())
    }

    /// Reads the body as `json(as:)` does; nil if there is none.
    package func optionalJSON<Body: JSONBody>(as type: Body.Type) async throws -> Body? {
        let bytes = try await bytes()
        if bytes.isEmpty { return nil }
        try requireMediaType("application/json")
        return try JSONBodies.decode(type, from: bytes)
    }

    /// Reads the body as it is. Throws `payload-too-large` beyond `limit` bytes, before the rest of it has come.
    package func bytes(upTo limit: Int = HTTPServer.maximumBodySize) async throws -> [UInt8] {
        if let length = header(.contentLength).flatMap(Int.init), length > limit { throw Problem.tooLarge }
        var result: [UInt8] = []
        for try await chunk in body {
            guard result.count + chunk.readableBytes <= limit else { throw Problem.tooLarge }
            result.append(contentsOf: chunk.readableBytesView)
        }
        return result
    }

    /// Throws `unsupported-media-type` unless the body is uncompressed text of a type in UTF-8.
    func requireMediaType(_ name: String) throws(Problem) {
        let value = header(.contentType)
        // As nearly all clients write it.
        guard value == name || value.flatMap(MediaType.init)?.isUTF8(name) == true else {
            throw Problem(.unsupportedMediaType, detail: "The body must be \(name) in UTF-8.")
        }
        for field in headers where field.name == .contentEncoding && field.value.lowercased() != "identity" {
            throw Problem(.unsupportedMediaType, detail: "The body must not be compressed.")
        }
    }

    /// The value of a header that came exactly once.
    package func header(_ name: HTTPField.Name) -> String? {
        var found: String?
        for field in headers where field.name == name {
            guard found == nil else { return nil }
            found = field.value
        }
        return found
    }
}

extension Problem {
    /// 413, which also ends the connection: the rest of the body is not waited for.
    static var tooLarge: Problem { Problem(.payloadTooLarge, headers: [.connection: "close"]) }
}

/// Reading JSON bodies, apart from the request they came with.
package enum JSONBodies {
    private static let decoder: JSONDecoder = {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        return decoder
    }()

    /// Decodes an object of known members. Throws `invalid-request`.
    package static func decode<Body: JSONBody>(_ type: Body.Type, from bytes: [UInt8]) throws(Problem) -> Body {
        let numberField = try check(bytes, allowed: type.members)
        do {
            return try decoder.decode(type, from: Data(bytes))
        } catch {
            throw Problem(.invalidRequest, errors: [fieldError(error, numberField: numberField)])
        }
    }

    /// Checks that bytes are well-formed JSON of bounded depth, whatever is in it. Throws `invalid-request`.
    package static func check(_ bytes: [UInt8]) throws(Problem) { _ = try check(bytes, allowed: nil) }

    private static func check(_ bytes: [UInt8], allowed: Set<String>?) throws(Problem) -> String? {
        do throws(JSONScanner.Defect) {
            return try JSONScanner.check(bytes, allowed: allowed)
        } catch {
            throw .invalid(error.field, error.message)
        }
    }

    /// What the decoder found, without its words: those name Swift types.
    private static func fieldError(_ error: any Error, numberField: String?) -> FieldError {
        guard let error = error as? DecodingError else { return FieldError("", "is not valid") }
        switch error {
        case .keyNotFound(let key, let context):
            return FieldError(path(context.codingPath + [key]), "is required")
        case .valueNotFound(let type, let context):
            return FieldError(path(context.codingPath), expectation(type))
        case .typeMismatch(let type, let context):
            return FieldError(path(context.codingPath), expectation(type))
        case .dataCorrupted(let context) where context.codingPath.isEmpty:
            // The text is well-formed, so a number does not fit; Foundation does not say which.
            return FieldError(numberField ?? "", "must be a number within its range")
        case .dataCorrupted(let context):
            return FieldError(path(context.codingPath), "is not valid")
        @unknown default:
            return FieldError("", "is not valid")
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    }

    private static func expectation(_ type: any Any.Type) -> String {
        switch type {
        case is String.Type: "must be a string"
        case is Bool.Type: "must be true or false"
        case is any BinaryInteger.Type: "must be a whole number within its range"
        case is any BinaryFloatingPoint.Type: "must be a number"
        case is [Any].Type: "must be an array"
        case is [String: Any].Type: "must be an object"
        default: "is of the wrong type"
        }
    }
}
