import HTTPClient
import HTTPServer
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Asks otp-service, on behalf of whoever signs in, for a code of purpose `admin_sign_in`, and what a code is worth.
///
/// It asks for every phone, an operator's or not, so that neither the answer nor its time tells which; what limits that
/// are the limits of otp-service, to which the client's address is passed on.
struct SignInCodes: Sendable {
    let client: HTTPClient
    /// Without a slash at its end.
    let baseURL: String
    let timeout = Duration.milliseconds(2000)

    enum Sent: Sendable {
        case sent(ChallengeID)
        case invalidPhone
        case notAllowed
        /// Too often; nil: no moment is known from which it helps.
        case wait(seconds: Int?)
        /// Nothing is sent, whoever asks: paused, or the day's messages are used up.
        case stopped
        /// Nothing is sent to numbers like this one.
        case heldBack
        /// The code that was sent is no longer good for this.
        case notActive
        case exhausted
        case away
    }

    enum Verified: Sendable {
        case proven(String)
        case incorrect(attemptsLeft: Int)
        /// It has other characters than codes, or more or fewer; nothing was charged.
        case malformed
        case notActive
        case wait(seconds: Int?)
        case away
    }

    func send(to phone: String, _ context: PostkeyRequestContext) async -> Sent {
        await sent(ask("/v1/otp/send", ["phone": phone, "purpose": Purpose.adminSignIn.rawValue], context))
    }

    /// Sends the same code again.
    func resend(_ challenge: String, _ context: PostkeyRequestContext) async -> Sent {
        await sent(ask("/v1/otp/resend", ["challenge_id": challenge], context))
    }

    func verify(_ challenge: String, code: String, _ context: PostkeyRequestContext) async -> Verified {
        guard let answer = await ask("/v1/otp/verify", ["challenge_id": challenge, "code": code], context) else {
            return .away
        }
        if answer.status == 200, let proof = answer.body.proof { return .proven(proof) }
        return switch answer.body.code {
        case "incorrect-code": .incorrect(attemptsLeft: answer.body.attemptsLeft ?? 0)
        case "invalid-request": .malformed
        case "challenge-not-active": .notActive
        case "too-many-failures": .wait(seconds: answer.retryAfter)
        default: .away
        }
    }

    private func sent(_ answer: Answer?) -> Sent {
        guard let answer else { return .away }
        if answer.status == 202, let challenge = answer.body.challenge { return .sent(challenge) }
        return switch answer.body.code {
        case "invalid-phone-number", "invalid-request": .invalidPhone
        case "destination-not-allowed": .notAllowed
        case "sms-budget-exhausted": .stopped
        case "destination-throttled": .heldBack
        case "challenge-not-active": .notActive
        case "resends-exhausted": .exhausted
        default: answer.status == 429 ? .wait(seconds: answer.retryAfter) : .away
        }
    }

    private struct Answer {
        let status: Int
        let retryAfter: Int?
        let body: Body
    }

    /// What the answers have, each some of it.
    private struct Body: Decodable {
        var challenge: ChallengeID?
        var proof: String?
        var code: String?
        var attemptsLeft: Int?

        enum CodingKeys: String, CodingKey {
            case code
            case challenge = "challenge_id"
            case proof = "verification_token"
            case attemptsLeft = "attempts_left"
        }
    }

    private func ask(_ path: String, _ members: [String: String], _ context: PostkeyRequestContext) async -> Answer? {
        guard let body = try? JSONEncoder().encode(members) else { return nil }
        let request = HTTPClientRequest(
            method: "POST", url: baseURL + path,
            headers: [
                ("Content-Type", "application/json"), ("Accept", "application/json"),
                ("X-Forwarded-For", context.clientAddress.forwardedText),
            ] + context.trace.headers, body: Array(body))
        guard let response = try? await client.send(request, timeout: timeout) else { return nil }
        let retryAfter = response.headers.first { $0.0.lowercased() == "retry-after" }.flatMap { Int($0.1) }
        return Answer(
            status: response.status, retryAfter: retryAfter,
            body: (try? JSONDecoder().decode(Body.self, from: Data(response.body))) ?? Body())
    }
}

extension ClientAddress {
    /// The address as `X-Forwarded-For` wants it: without the length of the prefix that limits count by.
    var forwardedText: String { String(description.prefix { $0 != "/" }) }
}
