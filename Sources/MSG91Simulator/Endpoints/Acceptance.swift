internal import Foundation

/// A text for one number that passed or failed the checks which MSG91 may make after its answer.
struct Candidate {
    let mobile: String
    let text: String
    let otp: String?
    let channel: Message.Channel
    let templateID: String
    let crqid: String?
    /// Values filled into the template, for the operators' checks.
    var variables: [String] = []
}

/// Why a message is not sent.
struct Refusal {
    let check: DeferredCheck
    let code: String?
    let message: String
}

extension Gateway.State {
    /// Key, whitelist, balance and duplicate, in MSG91's order; nil when all hold.
    ///
    /// A number that no message can reach is refused after the key: where MSG91 looks at it is not documented.
    func refusal(_ candidate: Candidate, authKey: String?, now: Date) -> Refusal? {
        if let refusal = keyRefusal(authKey, mobile: candidate.mobile) { return refusal }
        guard (10...15).contains(candidate.mobile.utf8.count), candidate.mobile.isNumeric else {
            return Refusal(check: .number, code: "202", message: "Invalid mobile number")
        }
        if !account.ipAllowed || numberFault(candidate.mobile) == .ipBlocked {
            return Refusal(check: .ip, code: "418", message: "IP is not whitelisted")
        }
        if account.balance.map({ $0 <= 0 }) ?? false || numberFault(candidate.mobile) == .noBalance {
            return Refusal(check: .balance, code: "301", message: "Insufficient balance")
        }
        if isDuplicate(candidate, now: now) {
            return Refusal(check: .duplicate, code: "311", message: "Same content to the same number within 10 seconds")
        }
        return nil
    }

    /// The key alone, with the number that always has a bad one.
    func keyRefusal(_ authKey: String?, mobile: String?) -> Refusal? {
        guard let authKey else { return Refusal(check: .key, code: nil, message: "Auth Key missing") }
        if account.authKeys.contains(authKey), mobile.flatMap(numberFault) != .badKey { return nil }
        return Refusal(check: .key, code: "201", message: "Invalid authkey")
    }

    /// Whether a refusal is told in the answer, or only in the failed log after an answer of success.
    func isImmediate(_ refusal: Refusal, realTime: Bool) -> Bool {
        realTime || account.strict.contains(refusal.check)
    }

    /// A refusal that the caller does not hear of, or the number that is always a duplicate of a first message.
    mutating func record(_ refusal: Refusal, _ candidate: Candidate, requestID: String, now: Date) {
        failed.append(
            FailedMessage(
                mobile: candidate.mobile, code: refusal.code ?? "201", reason: refusal.message, requestID: requestID,
                crqid: candidate.crqid, templateID: candidate.templateID, wasSent: false, failedAt: now))
        report(candidate, requestID: requestID, .failed(status: 2, reason: refusal.message), now: now)
    }

    /// Sends the message: it costs balance, reaches the phone or not, and is reported.
    mutating func deliver(_ candidate: Candidate, requestID: String, now: Date) {
        if let balance = account.balance, balance > 0 { account.balance = balance - 1 }
        let outcome = deliveryOutcome(candidate)
        if case .failed(let status, let reason) = outcome {
            failed.append(
                FailedMessage(
                    mobile: candidate.mobile, code: "\(status)", reason: reason, requestID: requestID,
                    crqid: candidate.crqid, templateID: candidate.templateID, wasSent: true, failedAt: now))
        } else {
            outbox.append(
                Message(
                    mobile: candidate.mobile, otp: candidate.otp, text: candidate.text, channel: candidate.channel,
                    templateID: candidate.templateID, requestID: requestID, crqid: candidate.crqid, receivedAt: now))
        }
        report(candidate, requestID: requestID, outcome, now: now)
    }

    /// Operators compare with the registered template: a code has digits only, a variable at most 40 characters.
    private func deliveryOutcome(_ candidate: Candidate) -> DeliveryOutcome {
        if let fault = numberFault(candidate.mobile), let outcome = fault.outcome { return outcome }
        guard account.dltCheck else { return .delivered }
        if let otp = candidate.otp, !otp.isNumeric {
            return .failed(status: 16, reason: "DLT template mismatch: numeric variable")
        }
        if candidate.variables.contains(where: { $0.count > 40 }) {
            return .failed(status: 25, reason: "DLT template mismatch: variable too long")
        }
        return .delivered
    }

    private func isDuplicate(_ candidate: Candidate, now: Date) -> Bool {
        guard let code = codes[candidate.mobile], code.text == candidate.text else { return false }
        return now.timeIntervalSince(code.lastSentAt) < 10
    }
}

extension String {
    /// One or more ASCII digits.
    var isNumeric: Bool {
        !isEmpty && utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
