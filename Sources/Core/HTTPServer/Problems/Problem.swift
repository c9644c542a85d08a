package import HTTPTypes
package import Hummingbird

/// An answer that is not a success, as problem details (RFC 9457). Throw it, or return it.
///
/// Everything in it goes to the client: never put an error's description into it.
package struct Problem: Error, Sendable {
    package var type: ProblemType
    /// What is particular to this occurrence, in a sentence for the developer of the client; nil: the explanation of the type.
    package var detail: String?
    /// Seconds after which trying again makes sense; goes into `Retry-After` (RFC 9110 §10.2.3).
    package var retryAfter: Int?
    /// What is wrong with which field of the request.
    package var errors: [FieldError]
    /// Extension members (RFC 9457 §3.2) in `snake_case`.
    package var members: [String: ProblemMember]
    /// Further headers of the answer.
    package var headers: HTTPFields

    package init(
        _ type: ProblemType, detail: String? = nil, retryAfter: Int? = nil, errors: [FieldError] = [],
        members: [String: ProblemMember] = [:], headers: HTTPFields = [:]
    ) {
        self.type = type
        self.detail = detail
        self.retryAfter = retryAfter
        self.errors = errors
        self.members = members
        self.headers = headers
    }

    /// 400 for one field of the request.
    /// - Parameters:
    ///   - field: the name of the member or parameter; empty for the body as a whole.
    ///   - message: how it should be, "must begin with +".
    package static func invalid(_ field: String, _ message: String) -> Problem {
        Problem(.invalidRequest, errors: [FieldError(field, message)])
    }
}

/// What is wrong with one field of a request.
package struct FieldError: Hashable, Sendable {
    /// The member, with dots between levels; empty for the body as a whole.
    package let field: String
    /// A sentence without its subject: "must be a string".
    package let message: String

    package init(_ field: String, _ message: String) {
        self.field = field
        self.message = message
    }
}

/// The value of an extension member of a problem.
package enum ProblemMember: Hashable, Sendable {
    case integer(Int)
    case string(String)
    case boolean(Bool)
}

extension ProblemMember: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral {
    package init(integerLiteral value: Int) { self = .integer(value) }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension Problem: ResponseGenerator {
    /// Throws the problem itself: it is rendered in one place, where the request's id and the service's prefix are known.
    package func response(from request: Request, context: some RequestContext) throws -> Response { throw self }
}
