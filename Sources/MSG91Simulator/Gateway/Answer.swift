/// What MSG91 answers: nearly always status 200, the outcome is in the body.
struct Answer: Sendable {
    var status = 200
    var body: JSONValue
    /// Overrides the account's content type: some of MSG91's families serve JSON as text/html.
    var contentType: String?

    init(status: Int = 200, body: JSONValue, contentType: String? = nil) {
        self.status = status
        self.body = body
        self.contentType = contentType
    }

    /// `POST /otp` accepted (observed order of members: request_id, type).
    static func accepted(requestID: String) -> Answer {
        Answer(body: .members(["request_id": .string(requestID), "type": "success"]))
    }

    /// Flow's acceptance carries the id in `message`.
    static func acceptedFlow(requestID: String) -> Answer {
        Answer(body: .members(["message": .string(requestID), "type": "success"]))
    }

    /// verify and retry carry no id.
    static func success(_ message: String) -> Answer {
        Answer(body: .members(["message": .string(message), "type": "success"]))
    }

    /// An error of the OTP and SMS family, with HTTP status 200.
    static func error(_ message: String, code: String? = nil) -> Answer {
        guard let code else { return Answer(body: .members(["message": .string(message), "type": "error"])) }
        return Answer(body: .members(["message": .string(message), "type": "error", "code": .string(code)]))
    }

    /// An error of the legacy family.
    static func legacyError(_ code: String) -> Answer {
        Answer(
            body: .members(["msg": .string(code), "msg_type": "error"]), contentType: "text/html; charset=utf-8")
    }

    /// What the WhatsApp and report family says of a request that it does not understand.
    static func badRequest(_ sentence: String) -> Answer {
        Answer(
            status: 400,
            body: .members([
                "status": "fail", "hasError": .bool(true), "errors": .string(sentence), "code": "400",
            ]), contentType: "text/html; charset=utf-8")
    }

    /// An error of the WhatsApp and report family: a real 401, JSON served as text/html.
    static func unauthorized(apiError: String) -> Answer {
        Answer(
            status: 401,
            body: .members([
                "status": "fail", "hasError": .bool(true), "errors": "Unauthorized", "code": "401",
                "apiError": .string(apiError),
            ]), contentType: "text/html; charset=utf-8")
    }
}

extension JSONValue: ExpressibleByStringLiteral {
    init(stringLiteral value: String) {
        self = .string(value)
    }
}
