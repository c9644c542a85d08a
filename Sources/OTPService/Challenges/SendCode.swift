package import Foundation
package import HTTPServer
package import Identity
import Postgres

/// The rules of a code that the operator chooses.
package struct CodePolicy: Sendable, Hashable {
    /// 6 to 9 digits.
    package var length: Int
    /// Seconds, 60 to 600 (NIST SP 800-63B-4 §3.1.3.2).
    package var lifetime: Int
    /// 1 to 10 answers.
    package var maxAttempts: Int

    /// 6 digits, 5 minutes, 5 attempts.
    package static let standard = CodePolicy(length: 6, lifetime: 300, maxAttempts: 5)
}

/// What the person is told of a message on its way.
package struct ChallengeReceipt: Sendable, Hashable {
    /// What to answer or resend.
    package let challengeID: ChallengeID
    /// How this message goes out.
    package let channel: Channel
    /// When the code dies.
    package let expiresAt: Date
    /// Seconds.
    package let expiresIn: Int
    /// Seconds.
    package let resendAfter: Int
    /// How many more messages there may be.
    package let resendsLeft: Int
    /// How many answers remain.
    package let attemptsLeft: Int
    /// Digits of the code.
    package let codeLength: Int
}

/// What became of a request for a code.
package enum SendOutcome: Sendable, Hashable {
    case accepted(ChallengeReceipt)
    case refused(SendRefusal)
    case invalidPhone
    case destinationNotAllowed
    /// The `Idempotency-Key` stands for another request.
    case keyReused
    /// The request with this `Idempotency-Key` is not answered yet.
    case inProgress
}

/// What became of a request for the same code again.
package enum ResendOutcome: Sendable, Hashable {
    case accepted(ChallengeReceipt)
    case refused(SendRefusal)
    case resendsExhausted
    case notActive
}

/// Who asks, and what it costs their network.
package struct Caller: Sendable, Hashable {
    /// Their network.
    package let network: ClientAddress
    /// Requests to charge to it with what they ask for.
    package var requests = 0
    /// The `Idempotency-Key` of the request.
    package var idempotencyKey: String?
    /// The signed-in user, where the purpose demands one.
    package var user: String?

    /// Somebody of whom only the network is known.
    package init(_ network: ClientAddress, requests: Int = 0, idempotencyKey: String? = nil, user: String? = nil) {
        self.network = network
        self.requests = requests
        self.idempotencyKey = idempotencyKey
        self.user = user
    }
}

/// Use case: a person asks for a code.
///
/// It answers when the challenge and its message are durable, and never waits for the gateway. The answer never depends on
/// whether the phone has an account: this service does not know.
package struct SendCode: Sendable {
    let store: ChallengeStore
    let keys: CodeKeys
    let policy: CodePolicy
    let destinations: DestinationPolicy
    let board: DestinationBoard
    let testNumbers: TestNumbers
    let refusals: RefusalMemory<SendRefusal>
    let gate: RequestGate
    let defaultRegion: String?
    let metrics: ChallengeMetrics
    /// Rings the dispatcher after the commit.
    let wake: @Sendable () -> Void

    /// Throws `PostgresError`.
    package func callAsFunction(
        to text: String, purpose: Purpose, channel: Channel, from caller: Caller
    ) async throws -> (outcome: SendOutcome, allowance: NetworkAllowance?) {
        guard let phone = try? PhoneNumber(parsing: text, defaultRegion: defaultRegion) else {
            return (.invalidPhone, nil)
        }
        let fixed = testNumbers.code(for: phone)
        guard fixed != nil || !phone.isMistyped else { return (.invalidPhone, nil) }
        guard fixed != nil || destinations.allows(phone) else {
            metrics.sent(channel, phone.region, "destination_not_allowed")
            return (.destinationNotAllowed, nil)
        }
        // Whoever repeats a request is given the first answer, whatever has been used up since.
        if caller.idempotencyKey == nil, let refusal = remembered(phone) {
            metrics.refused(channel, phone.region, refusal)
            return (.refused(refusal), nil)
        }
        if fixed == nil, let refusal = try await board.refusal(of: phone, metrics) {
            if let key = repeatKey(phone, purpose, channel, caller), let first = try await store.firstAnswer(to: key) {
                return (outcome(first, try order(phone, purpose, channel, fixed, caller), caller), nil)
            }
            metrics.refused(channel, phone.region, refusal)
            return (.refused(refusal), nil)
        }
        let order = try order(phone, purpose, channel, fixed, caller)
        let charged = try await store.charge(order, network: caller.network.description, requests: caller.requests)
        gate.charged(caller.network, charged.requests)
        return (outcome(charged.decision, order, caller), charged.allowance)
    }

    private func outcome(_ decision: SendDecision, _ order: ChallengeOrder, _ caller: Caller) -> SendOutcome {
        let channel = order.channel
        let region = order.phone.region
        switch decision {
        case .accepted(let moment, let prefixOver):
            if !order.isTest { wake() }
            metrics.sent(channel, region, "accepted")
            if prefixOver { metrics.throttled("prefix", enforced: false) }
            return .accepted(
                ChallengeReceipt(
                    challengeID: order.id, channel: channel,
                    expiresAt: moment.addingTimeInterval(TimeInterval(order.lifetime)), expiresIn: order.lifetime,
                    resendAfter: store.limits.cooldown(after: 0), resendsLeft: store.limits.cooldowns.count,
                    attemptsLeft: order.maxAttempts, codeLength: order.codeLength))
        case .refused(let refusal):
            refusals.remember(refusal, phone: order.phone, network: caller.network)
            metrics.refused(channel, region, refusal)
            return .refused(refusal)
        case .replayed(let receipt):
            metrics.sent(receipt.channel, region, "replayed")
            return .accepted(receipt)
        case .keyReused: return .keyReused
        case .inProgress: return .inProgress
        }
    }

    private func remembered(_ phone: PhoneNumber) -> SendRefusal? {
        if let (refusal, wait) = refusals.recall(.phone(phone)) { return refusal.waiting(wait) }
        if let (refusal, wait) = refusals.recall(.prefix(phone.prefix)) { return refusal.waiting(wait) }
        return nil
    }

    private func order(
        _ phone: PhoneNumber, _ purpose: Purpose, _ channel: Channel, _ fixed: OneTimeCode?, _ caller: Caller
    ) throws -> ChallengeOrder {
        let id = ChallengeID()
        let derived = keys.code(
            for: id, phone: phone, purpose: purpose, keyID: keys.currentID, length: policy.length)
        guard let code = fixed ?? derived else {
            throw PostgresError(.configuration, "the current key has no code")
        }
        var order = ChallengeOrder(
            id: id, phone: phone, purpose: purpose, channel: channel, code: keys.seal(code, for: id),
            codeLength: policy.length, lifetime: policy.lifetime, maxAttempts: policy.maxAttempts)
        order.isTest = fixed != nil
        order.repeatKey = repeatKey(phone, purpose, channel, caller)
        return order
    }

    private func repeatKey(
        _ phone: PhoneNumber, _ purpose: Purpose, _ channel: Channel, _ caller: Caller
    ) -> RepeatKey? {
        caller.idempotencyKey.map {
            RepeatKey(
                $0, network: caller.network, user: caller.user, phone: phone, purpose: purpose, channel: channel)
        }
    }
}
