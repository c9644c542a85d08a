import Foundation
package import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// The public face of challenges: `/v1/otp/*`.
package struct ChallengeRoutes: Sendable {
    let send: SendCode
    let answer: AnswerChallenge
    let store: ChallengeStore
    let users: UserTokens

    /// Adds send, resend, verify and the view of a challenge.
    package func add(to router: PostkeyRouter) {
        router.post("/v1/otp/send") { request, context in
            let body = try await request.json(as: SendBody.self)
            let purpose = body.purpose ?? .signIn
            // Only a signed-in user may ask for a code to change a phone.
            if purpose == .changePhone { try await users.authorize(request) }
            let outcome = try await send(
                to: body.phone, purpose: purpose, channel: body.channel ?? .sms, from: context.clientAddress)
            return try answered(outcome)
        }
        router.post("/v1/otp/resend") { request, context in
            let body = try await request.json(as: ResendBody.self)
            guard let id = ChallengeID(body.challengeID) else { throw Problem(.challengeNotActive) }
            return try answered(await send.again(id, channel: body.channel ?? .sms, from: context.clientAddress))
        }
        router.post("/v1/otp/verify") { request, _ in
            let body = try await request.json(as: VerifyBody.self)
            guard let code = OneTimeCode(body.code) else {
                throw Problem.invalid("code", "must be a string of the digits 0 to 9")
            }
            guard let id = ChallengeID(body.challengeID) else { throw Problem(.challengeNotActive) }
            return try answered(await answer(id, code: code))
        }
        router.get("/v1/otp/challenges/{id}") { _, context in
            let id = try context.parameter("id", ChallengeID.init)
            guard let view = try await store.view(id) else { throw Problem(.notFound) }
            return try Response.json(.ok, ChallengeAnswer(view))
        }
    }

    private func answered(_ outcome: SendOutcome) throws -> Response {
        switch outcome {
        case .accepted(let receipt): try Response.json(.accepted, ReceiptAnswer(receipt))
        case .refused(let refusal): throw Problem(refusal)
        case .invalidPhone: throw Problem(.invalidPhoneNumber)
        case .destinationNotAllowed: throw Problem(.destinationNotAllowed)
        }
    }

    private func answered(_ outcome: ResendOutcome) throws -> Response {
        switch outcome {
        case .accepted(let receipt): try Response.json(.accepted, ReceiptAnswer(receipt))
        case .refused(let refusal): throw Problem(refusal)
        case .resendsExhausted: throw Problem(.resendsExhausted)
        case .notActive: throw Problem(.challengeNotActive)
        }
    }

    private func answered(_ outcome: AnswerOutcome) throws -> Response {
        switch outcome {
        case .verified(let token, let expiresIn):
            try Response.json(.ok, ProofAnswer(verificationToken: token, expiresIn: expiresIn))
        case .incorrect(let attemptsLeft):
            throw Problem(.incorrectCode, members: ["attempts_left": .integer(attemptsLeft)])
        case .locked(let retryAfter): throw Problem(.tooManyFailures, retryAfter: retryAfter)
        case .notActive: throw Problem(.challengeNotActive)
        }
    }
}
