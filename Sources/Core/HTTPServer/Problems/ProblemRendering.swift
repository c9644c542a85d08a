package import HTTPTypes
package import Hummingbird
import NIOCore

/// Another answer to a problem than the document, for who asked with this head: a page. Nil: the document.
///
/// The last argument is the request's id.
package typealias ProblemPresentation = @Sendable (Problem, HTTPRequest, String) -> Response?

extension Problem {
    /// The document of RFC 9457 §3, with `code` and `request_id` besides.
    func document(prefix: String, requestID: String?) -> JSONText {
        var text = JSONText(capacity: 384)
        text.open("{")
        text.member("type", "\(prefix)/problems/\(type.code)")
        text.member("title", type.title)
        text.member("status", type.status)
        text.member("detail", detail ?? type.explanation)
        text.member("code", type.code)
        if let requestID { text.member("request_id", requestID) }
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            switch value {
            case .integer(let value): text.member(name, value)
            case .string(let value): text.member(name, value)
            case .boolean(let value): text.member(name, value)
            }
        }
        if !errors.isEmpty {
            text.name("errors")
            text.open("[")
            for error in errors {
                text.open("{")
                text.member("field", error.field)
                text.member("message", error.message)
                text.close("}")
            }
            text.close("]")
        }
        text.close("}")
        return text
    }

    /// The whole answer.
    func response(prefix: String, requestID: String?) -> Response {
        var fields = HTTPFields()
        fields.reserveCapacity(headers.count + 10)
        fields.append(HTTPField(name: .contentType, value: "application/problem+json"))
        if let retryAfter { fields.append(HTTPField(name: .retryAfter, value: String(max(0, retryAfter)))) }
        for field in headers { fields.append(field) }
        let body = document(prefix: prefix, requestID: requestID).bytes
        return Response(
            status: HTTPResponse.Status(code: type.status), headers: fields,
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: body)))
    }
}
