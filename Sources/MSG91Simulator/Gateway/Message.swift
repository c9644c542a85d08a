package import Foundation

/// A message that reached a phone, as the inbox shows it.
package struct Message: Sendable {
    /// Digits with the country code, without a plus.
    package let mobile: String
    /// The code, when the message carries one.
    package let otp: String?
    /// The template with everything filled in; a voice call says it.
    package let text: String
    /// Over which way it came.
    package let channel: Channel
    package let templateID: String
    package let requestID: String
    /// The caller's own reference, echoed.
    package let crqid: String?
    /// When the phone got it; RFC 3339 in JSON.
    package let receivedAt: Date

    /// How a message reaches a phone.
    package enum Channel: String, Sendable {
        case sms
        case voice
        case whatsapp
    }

    var json: JSONValue {
        .members([
            "mobile": .string(mobile), "otp": .optional(otp), "text": .string(text),
            "channel": .string(channel.rawValue), "template_id": .string(templateID),
            "request_id": .string(requestID), "crqid": .optional(crqid),
            "received_at": .string(Timestamp.rfc3339(receivedAt)),
        ])
    }
}

/// A message that was accepted and never sent: MSG91's panel lists it under "Failed Logs".
package struct FailedMessage: Sendable {
    package let mobile: String
    /// MSG91's error code, `201`.
    package let code: String
    package let reason: String
    package let requestID: String
    package let crqid: String?
    /// The template, or what stands for one on its path.
    let templateID: String
    /// Whether an operator got it, which is paid for.
    let wasSent: Bool
    package let failedAt: Date

    var json: JSONValue {
        .members([
            "mobile": .string(mobile), "code": .string(code), "reason": .string(reason),
            "request_id": .string(requestID), "crqid": .optional(crqid),
            "failed_at": .string(Timestamp.rfc3339(failedAt)),
        ])
    }
}

/// Times as texts.
enum Timestamp {
    /// UTC with milliseconds (RFC 3339 §5.6).
    static func rfc3339(_ date: Date) -> String {
        date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The UTC day, counted from 1970.
    static func day(_ date: Date) -> Int {
        Int((date.timeIntervalSince1970 / 86_400).rounded(.down))
    }
}
