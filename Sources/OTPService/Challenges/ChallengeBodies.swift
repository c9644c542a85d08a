import Foundation
import HTTPServer
import Identity

/// `POST /v1/otp/send`.
struct SendBody: JSONBody {
    static let members: Set<String> = ["phone", "purpose", "channel"]
    let phone: String
    let purpose: Purpose?
    let channel: Channel?
}

/// `POST /v1/otp/resend`.
struct ResendBody: JSONBody {
    static let members: Set<String> = ["challenge_id", "channel"]
    let challengeID: String
    let channel: Channel?

    enum CodingKeys: String, CodingKey {
        case challengeID = "challenge_id"
        case channel
    }
}

/// `POST /v1/otp/verify`. An id that is no UUID names no active challenge, like any other unknown one.
struct VerifyBody: JSONBody {
    static let members: Set<String> = ["challenge_id", "code"]
    let challengeID: String
    let code: String

    enum CodingKeys: String, CodingKey {
        case challengeID = "challenge_id"
        case code
    }
}

/// 200 of a verification.
struct ProofAnswer: Encodable {
    let verificationToken: String
    let expiresIn: Int

    enum CodingKeys: String, CodingKey {
        case verificationToken = "verification_token"
        case expiresIn = "expires_in"
    }
}

/// 200 of `GET /v1/otp/challenges/{id}`.
struct ChallengeAnswer: Encodable {
    struct Delivery: Encodable {
        let state: String
        let channel: Channel
        let updatedAt: Date

        enum CodingKeys: String, CodingKey {
            case state
            case channel
            case updatedAt = "updated_at"
        }
    }

    let status: ChallengeStatus
    let delivery: Delivery
    let expiresAt: Date
    let resendAfter: Int

    init(_ view: ChallengeView) {
        status = view.status
        delivery = Delivery(state: view.message.published, channel: view.channel, updatedAt: view.updatedAt)
        expiresAt = view.expiresAt
        resendAfter = view.resendAfter
    }

    enum CodingKeys: String, CodingKey {
        case status
        case delivery
        case expiresAt = "expires_at"
        case resendAfter = "resend_after"
    }
}
