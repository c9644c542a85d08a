/// The bytes of an answer, after whatever a fault does to it.
struct FaultyAnswer {
    let status: Int
    let contentType: String
    let text: String
    /// Where a redirect leads.
    let location: String?
    /// Seconds that the caller is asked to wait.
    let retryAfter: Int?
    /// Whether the text is followed by a gigabyte of blanks.
    let isHuge: Bool

    init(_ answer: Answer, fault: Fault?, contentType: String) {
        let ordinary = answer.contentType ?? contentType
        location = fault?.redirect
        retryAfter = fault?.retryAfter
        isHuge = fault?.body == .huge
        status = min(max(fault?.status ?? (location == nil ? answer.status : 302), 200), 599)
        var body = answer.body
        if let code = fault?.errorCode {
            body = Answer.error(fault?.errorMessage ?? "error \(code)", code: code).body
        } else if let status = fault?.status, status >= 400, fault?.body == nil, status < 500 {
            body = Answer.error(fault?.errorMessage ?? "refused", code: "\(status)").body
        }
        switch fault?.body {
        case .html:
            (self.contentType, text) = ("text/html; charset=utf-8", Self.page(status))
        case .empty:
            (self.contentType, text) = (ordinary, "")
        case .truncated:
            (self.contentType, text) = (ordinary, String(body.text.dropLast(max(1, body.text.count / 2))))
        case .withoutID, .idInMessage, .extraFields, .codeAsNumber:
            (self.contentType, text) = (ordinary, Self.reshaped(body, fault?.body).text)
        case .huge:
            (self.contentType, text) = (ordinary, body.text)
        case nil where status >= 500:
            (self.contentType, text) = ("text/html; charset=utf-8", Self.page(status))
        case nil:
            (self.contentType, text) = (ordinary, body.text)
        }
    }

    private static func reshaped(_ body: JSONValue, _ variant: Fault.BodyVariant?) -> JSONValue {
        guard case .object(var members) = body else { return body }
        switch variant {
        case .withoutID:
            // On success `message` carries nothing but an id.
            members.removeAll { $0.name == "request_id" || ($0.name == "message" && body["type"]?.scalar == "success") }
        case .idInMessage:
            members = members.map { $0.name == "request_id" ? .init(name: "message", value: $0.value) : $0 }
        case .extraFields:
            members.insert(.init(name: "apiVersion", value: .members(["major": .integer(5)])), at: 0)
            members.append(.init(name: "new", value: .array([.null, .bool(true)])))
        case .codeAsNumber:
            members = members.map { member in
                guard member.name == "code", let code = member.value.scalar.flatMap(Int.init) else { return member }
                return .init(name: "code", value: .integer(code))
            }
        case .html, .empty, .truncated, .huge, nil:
            break
        }
        return .object(members)
    }

    private static func page(_ status: Int) -> String {
        "<html>\r\n<head><title>\(status)</title></head>\r\n<body>\r\n<center><h1>\(status)</h1></center>\r\n"
            + "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    }
}
