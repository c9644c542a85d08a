internal import Foundation

/// What became of a message.
enum DeliveryOutcome: Equatable {
    case delivered
    case failed(status: Int, reason: String)
    /// Nobody ever says.
    case silent
}

/// One report on its way to the webhook.
struct DeliveryReport: Sendable {
    let requestID: String
    let mobile: String
    let crqid: String?
    let status: Int
    let description: String
    let date: Date
    let isVoice: Bool
    let smsLength: Int
    let templateID: String
    /// How often the code went out again, and whether MSG91 itself saw it answered.
    let retries: Int
    let isVerified: Bool

    /// The report that comes before this one and says less.
    var interim: DeliveryReport {
        DeliveryReport(
            requestID: requestID, mobile: mobile, crqid: crqid, status: 0, description: "SENT", date: date,
            isVoice: isVoice, smsLength: smsLength, templateID: templateID, retries: retries, isVerified: isVerified)
    }

    /// The word that newer webhooks have for the status.
    private var word: String {
        switch status {
        case 0: "Sent"
        case 1: "Delivered"
        default: "Failed"
        }
    }

    /// Body and content type in the given shape.
    func encoded(_ reporting: Reporting) -> (contentType: String, body: [UInt8]) {
        let requestID = reporting.wrongRequestID ? RequestID.make(at: date) : requestID
        let crqid = reporting.missingCRQID ? nil : crqid
        let json: JSONValue
        switch reporting.format {
        case .v2:
            let text = v2(requestID, crqid).text
            return ("application/x-www-form-urlencoded", Array(("data=" + Self.escaped(text)).utf8))
        case .v3: json = v3(requestID, crqid)
        case .v4: json = v4()
        case .json:
            let template = reporting.template.flatMap(WebhookTemplate.init) ?? WebhookTemplate(WebhookTemplate.standard)
            return ("application/json", Array((template?.filled { new($0, requestID, crqid) } ?? "{}").utf8))
        }
        return ("application/json", Array(json.text.utf8))
    }

    /// An array of requests, each with its reports; all values are strings.
    private func v2(_ requestID: String, _ crqid: String?) -> JSONValue {
        .array([
            .members([
                "senderId": "PSTKEY", "requestId": .string(requestID), "userId": "1", "campaignName": "API",
                "report": .array([
                    .members([
                        "date": .string(Self.indianTime(date)), "number": .string(mobile),
                        "status": .string("\(status)"), "desc": .string(description), "amount": "1", "credit": "1",
                        "clientid": "", "INMSID": "", "CRQID": .string(crqid ?? ""), "ctCode": "",
                        "failedReason": .string(status <= 1 ? "" : description),
                    ])
                ]),
            ])
        ])
    }

    private func v3(_ requestID: String, _ crqid: String?) -> JSONValue {
        .members([
            "date": .string(Self.indianTime(date)), "number": .string(mobile), "senderId": "PSTKEY", "amount": "1",
            "requestId": .string(requestID), "INMSID": "", "CRQID": .string(crqid ?? ""), "credit": "1",
            "userId": "1", "campaignName": "API", "status": .string("\(status)"), "desc": .string(description),
        ])
    }

    /// CleverTap's shape has neither request id nor number.
    private func v4() -> JSONValue {
        .array([
            .members([
                "event": .string(word.lowercased()),
                "data": .array([
                    .members([
                        "meta": .members([:]), "INMSID": "", "description": .string(description),
                        "ts": .integer(Int(date.timeIntervalSince1970)),
                    ])
                ]),
            ])
        ])
    }

    /// The value of a field of the new webhook; nil for those that the simulator knows nothing of.
    private func new(_ field: String, _ requestID: String, _ crqid: String?) -> String? {
        switch field {
        case "CRQID": crqid
        case "requestedAt", "deliveryTime": Timestamp.rfc3339(date)
        case "requestId": requestID
        case "telNum": mobile
        case "countryName": mobile.hasPrefix("91") ? "India" : nil
        case "status": word
        case "senderId": "PSTKEY"
        case "credit": "1"
        case "smsLength": "\(smsLength)"
        case "voiceRetryCount": isVoice ? "1" : "0"
        case "otpRetry": "\(retries)"
        case "verified": isVerified ? "1" : "0"
        case "failureReason": status <= 1 ? nil : description
        case "flowID": templateID
        case "campaignName": "API"
        default: nil
        }
    }

    /// `YYYY-MM-DD HH:MM:SS` without a zone, presumably India's.
    private static func indianTime(_ date: Date) -> String {
        let text = Timestamp.rfc3339(date.addingTimeInterval(19_800))
        return String(text.prefix(19)).replacing("T", with: " ")
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            let character = Character(Unicode.Scalar(byte))
            if character.isASCII, character.isLetter || character.isNumber { return String(character) }
            let digits = String(byte, radix: 16, uppercase: true)
            return "%" + (digits.count < 2 ? "0" : "") + digits
        }.joined()
    }
}

extension Gateway.State {
    mutating func report(_ candidate: Candidate, requestID: String, _ outcome: DeliveryOutcome, now: Date) {
        let status: Int
        let description: String
        switch outcome {
        case .delivered: (status, description) = (1, "DELIVERED")
        case .failed(let code, let reason): (status, description) = (code, reason)
        case .silent: return
        }
        let code = codes[candidate.mobile]
        dueReports.append(
            DeliveryReport(
                requestID: requestID, mobile: candidate.mobile, crqid: candidate.crqid, status: status,
                description: description, date: now, isVoice: candidate.channel == .voice,
                smsLength: candidate.text.count, templateID: candidate.templateID,
                retries: code?.retries ?? 0, isVerified: code?.isVerified ?? false))
    }
}
