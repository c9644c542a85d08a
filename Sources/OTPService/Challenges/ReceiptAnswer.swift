import HTTPServer
import HTTPTypes
import Hummingbird
import Identity

extension Response {
    /// 202 of a send or resend. Written by hand, always in the same order: a repeated request gets the same bytes.
    static func receipt(_ receipt: ChallengeReceipt, headers: HTTPFields) -> Response {
        var text = JSONText(capacity: 320)
        text.open("{")
        text.member("challenge_id", receipt.challengeID.description)
        text.member("channel", receipt.channel.rawValue)
        text.member("expires_at", Timestamp.text(receipt.expiresAt))
        text.member("expires_in", receipt.expiresIn)
        text.member("resend_after", receipt.resendAfter)
        text.member("resends_left", receipt.resendsLeft)
        text.member("attempts_left", receipt.attemptsLeft)
        text.member("code_length", receipt.codeLength)
        text.close("}")
        return .json(.accepted, text: String(decoding: text.bytes, as: UTF8.self), headers: headers)
    }
}
