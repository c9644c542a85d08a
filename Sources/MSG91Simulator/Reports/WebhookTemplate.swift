/// The body of a "Webhook (New)": JSON that the customer writes, with placeholders of the report's fields, like `{{status}}`.
struct WebhookTemplate: Sendable {
    private enum Part {
        case text(Substring)
        case field(String)
    }

    /// What a webhook of the OTP service can be given.
    static let fields = [
        "CRQID", "requestedAt", "requestId", "telNum", "countryName", "status", "senderId", "deliveryTime", "credit",
        "smsLength", "pauseReason", "voiceRetryCount", "otpRetry", "verified", "failureReason", "userIp", "flowID",
        "DLT_TE_ID", "campaignName", "telecomCircle", "circleDescription",
    ]

    /// What is sent while the customer has written nothing.
    static let standard = """
        {"requestId":"{{requestId}}","requestedAt":"{{requestedAt}}","telNum":"{{telNum}}","status":"{{status}}",\
        "deliveryTime":"{{deliveryTime}}","senderId":"{{senderId}}","credit":"{{credit}}","smsLength":"{{smsLength}}",\
        "voiceRetryCount":"{{voiceRetryCount}}","failureReason":"{{failureReason}}","CRQID":"{{CRQID}}"}
        """

    private let parts: [Part]

    /// Nil for what names a field that there is not, or is no JSON object once it is filled.
    init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let start = rest.firstRange(of: "{{") {
            guard let end = rest[start.upperBound...].firstRange(of: "}}") else { return nil }
            let name = rest[start.upperBound..<end.lowerBound].filter { $0 != " " }
            guard Self.fields.contains(name) else { return nil }
            parts += [.text(rest[..<start.lowerBound]), .field(name)]
            rest = rest[end.upperBound...]
        }
        self.parts = parts + [.text(rest)]
        guard case .object? = JSONValue(Array(filled { _ in "0" }.utf8)) else { return nil }
    }

    /// The body; a field without a value is empty, and no value can leave the string that it stands in.
    func filled(_ value: (String) -> String?) -> String {
        parts.map { part in
            switch part {
            case .text(let text): String(text)
            case .field(let name): String(JSONValue.string(value(name) ?? "").text.dropFirst().dropLast())
            }
        }.joined()
    }

    /// A sentence when the text is none.
    static func problem(_ text: String?) -> String? {
        guard let text, WebhookTemplate(text) == nil else { return nil }
        return "template must be a JSON object with placeholders like {{status}}; the fields are "
            + fields.joined(separator: ", ")
    }
}
