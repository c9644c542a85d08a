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
    let gate: RequestGate
    let fields: RateLimitFields
    let metrics: ChallengeMetrics

    /// Adds send, resend, verify and the view of a challenge.
    package func add(to router: PostkeyRouter) {
        router.post("/v1/otp/send") { request, context in
            var caller = Caller(context.clientAddress)
            caller.idempotencyKey = try idempotencyKey(request)
            // Whoever repeats a request is given the first answer, whatever has been used up since.
            if caller.idempotencyKey == nil { try remembered(caller.network) }
            caller.requests = try await admit(caller.network, charges: true).charge
            let body = try await request.json(as: SendBody.self)
            let purpose = body.purpose ?? .signIn
            // Only a signed-in user may ask for a code to change a phone.
            if purpose == .changePhone { caller.user = try await users.authorize(request).description }
            let (outcome, allowance) = try await send(
                to: body.phone, purpose: purpose, channel: body.channel ?? .sms, from: caller)
            return try answered(outcome, fields(allowance))
        }
        router.post("/v1/otp/resend") { request, context in
            var caller = Caller(context.clientAddress)
            try remembered(caller.network)
            caller.requests = try await admit(caller.network, charges: true).charge
            let body = try await request.json(as: ResendBody.self)
            guard let id = ChallengeID(body.challengeID) else { throw Problem(.challengeNotActive) }
            let (outcome, allowance) = try await send.again(id, channel: body.channel ?? .sms, from: caller)
            return try answered(outcome, fields(allowance))
        }
        router.post("/v1/otp/verify") { request, context in
            let (charge, headers) = try await admit(context.clientAddress, charges: true)
            let body = try await request.json(as: VerifyBody.self)
            guard let code = OneTimeCode(body.code) else {
                throw Problem.invalid("code", "must be a string of the digits 0 to 9")
            }
            guard let id = ChallengeID(body.challengeID) else { throw Problem(.challengeNotActive) }
            let caller = Caller(context.clientAddress, requests: charge)
            return try answered(await answer(id, code: code, from: caller), headers)
        }
        router.get("/v1/otp/challenges/{id}") { _, context in
            let headers = try await admit(context.clientAddress).headers
            let id = try context.parameter("id", ChallengeID.init)
            guard let view = try await store.view(id) else { throw Problem(.notFound) }
            return try Response.json(.ok, ChallengeAnswer(view), headers: headers)
        }
    }

    /// Counts the request to its network. Throws 429.
    private func admit(
        _ network: ClientAddress, charges: Bool = false
    ) async throws -> (charge: Int, headers: HTTPFields) {
        switch try await gate.admit(network, charges: charges) {
        case .admitted(let charge, let remaining):
            return (charge, remaining.map { fields.fields(requestsLeft: $0) } ?? [:])
        case .refused(let wait):
            metrics.throttled(SendRefusal.requestLimit(wait: wait).cause)
            throw Problem(
                .requestLimit(wait: wait),
                headers: fields.fields(.requests, remaining: 0, seconds: wait.wholeSeconds))
        }
    }

    /// Throws 429 if the network's sends were refused a moment ago.
    private func remembered(_ network: ClientAddress) throws {
        guard let (refusal, wait) = send.refusals.recall(.network(network)) else { return }
        metrics.throttled(refusal.cause)
        throw Problem(
            refusal.waiting(wait), headers: fields.fields(.sends, remaining: 0, seconds: wait.wholeSeconds))
    }

    /// Only the caller's own network shows.
    private func headers(of refusal: SendRefusal, _ sends: HTTPFields) -> HTTPFields {
        switch refusal {
        case .networkLimit: sends
        case .requestLimit(let wait): fields.fields(.requests, remaining: 0, seconds: wait.wholeSeconds)
        case .resendTooSoon, .phoneLimit, .prefixLimit, .budget, .destination: [:]
        }
    }

    private func fields(_ allowance: NetworkAllowance?) -> HTTPFields {
        guard let allowance else { return [:] }
        return fields.fields(sendsLeft: allowance.left, wait: allowance.wait)
    }

    /// The header of that name (draft-ietf-httpapi-idempotency-key-header-07); nil if there is none. Throws 400.
    private func idempotencyKey(_ request: Request) throws -> String? {
        let values = request.headers[values: .idempotencyKey]
        guard let value = values.first else { return nil }
        guard values.count == 1, RepeatKey.isValid(value) else {
            throw Problem.invalid("Idempotency-Key", "must be one value of 1 to 255 printable ASCII characters")
        }
        return value
    }

    private func answered(_ outcome: SendOutcome, _ headers: HTTPFields) throws -> Response {
        switch outcome {
        case .accepted(let receipt): Response.receipt(receipt, headers: headers)
        case .refused(let refusal): throw Problem(refusal, headers: self.headers(of: refusal, headers))
        case .invalidPhone: throw Problem(.invalidPhoneNumber)
        case .destinationNotAllowed: throw Problem(.destinationNotAllowed)
        case .keyReused: throw Problem(.idempotencyKeyReused)
        case .inProgress: throw Problem(.requestInProgress, retryAfter: 1)
        }
    }

    private func answered(_ outcome: ResendOutcome, _ headers: HTTPFields) throws -> Response {
        switch outcome {
        case .accepted(let receipt): Response.receipt(receipt, headers: headers)
        case .refused(let refusal): throw Problem(refusal, headers: self.headers(of: refusal, headers))
        case .resendsExhausted: throw Problem(.resendsExhausted)
        case .notActive: throw Problem(.challengeNotActive)
        }
    }

    private func answered(_ outcome: AnswerOutcome, _ headers: HTTPFields) throws -> Response {
        switch outcome {
        case .verified(let token, let expiresIn):
            try Response.json(.ok, ProofAnswer(verificationToken: token, expiresIn: expiresIn), headers: headers)
        case .incorrect(let attemptsLeft):
            throw Problem(.incorrectCode, members: ["attempts_left": .integer(attemptsLeft)])
        case .locked(let retryAfter): throw Problem(.tooManyFailures, retryAfter: retryAfter)
        case .notActive: throw Problem(.challengeNotActive)
        case .refused(let refusal): throw Problem(refusal, headers: self.headers(of: refusal, [:]))
        }
    }
}
