import FoundationEssentials
package import HTTPTypes
package import Hummingbird
import NIOCore
import NIOFoundationEssentialsCompat

extension Response {
    private static let encoder: JSONEncoder = {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Timestamp.text(date))
        }
        return encoder
    }()

    /// A JSON answer. Dates are written as RFC 3339 in UTC with milliseconds. Throws `EncodingError`.
    package static func json(
        _ status: HTTPResponse.Status = .ok, _ value: some Encodable, headers: HTTPFields = [:]
    ) throws -> Response {
        json(status, body: ByteBuffer(data: try encoder.encode(value)), headers: headers)
    }

    /// An answer whose JSON is written already.
    package static func json(_ status: HTTPResponse.Status, text: String, headers: HTTPFields = [:]) -> Response {
        json(status, body: ByteBuffer(string: text), headers: headers)
    }

    private static func json(_ status: HTTPResponse.Status, body: ByteBuffer, headers: HTTPFields) -> Response {
        Response(
            status: status, headers: fields("application/json; charset=utf-8", headers),
            body: ResponseBody(byteBuffer: body))
    }

    /// An answer without a body.
    package static func empty(_ status: HTTPResponse.Status = .noContent, headers: HTTPFields = [:]) -> Response {
        Response(status: status, headers: headers)
    }

    /// A page, with the Content-Security-Policy that it needs.
    package static func html(
        _ status: HTTPResponse.Status = .ok, _ text: String, contentSecurityPolicy: String, headers: HTTPFields = [:]
    ) -> Response {
        var fields = fields("text/html; charset=utf-8", headers)
        fields.append(HTTPField(name: .contentSecurityPolicy, value: contentSecurityPolicy))
        return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// A text of any type.
    package static func text(
        _ status: HTTPResponse.Status = .ok, _ text: String, type: String, headers: HTTPFields = [:]
    ) -> Response {
        Response(
            status: status, headers: fields(type, headers), body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// Leaves room for what is added to every answer.
    private static func fields(_ type: String, _ headers: HTTPFields) -> HTTPFields {
        var fields = HTTPFields()
        fields.reserveCapacity(headers.count + 10)
        fields.append(HTTPField(name: .contentType, value: type))
        for field in headers { fields.append(field) }
        return fields
    }
}
