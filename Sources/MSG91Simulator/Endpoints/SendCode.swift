internal import Foundation

extension Gateway.State {
    /// `POST /api/v5/otp`: number, template, key, whitelist, balance, duplicate, in this order.
    mutating func send(_ parameters: Parameters, now: Date) -> Answer {
        guard let mobile = parameters["mobile"] else { return .error("Please enter atleast one number to send sms.") }
        guard let templateID = parameters["template_id"], let template = account.otpTemplates[templateID] else {
            return .error("The provided flow ID or template ID is invalid.")
        }
        guard let length = number(parameters["otp_length"], default: 4, in: 4...9) else {
            return .error("invalid_otp_length")
        }
        guard let minutes = number(parameters["otp_expiry"], default: 15, in: 1...10_080) else {
            return .error("invalid_otp_expiry")
        }
        let otp = parameters["otp"] ?? Self.randomCode(length: length)
        var variables: [String] = []
        let text = Template.fill(template) { name in
            let value = name == "OTP" ? otp : parameters[name]
            if let value { variables.append(value) }
            return value
        }
        let candidate = Candidate(
            mobile: mobile, text: text, otp: otp, channel: .sms, templateID: templateID, crqid: parameters["CRQID"],
            variables: variables)
        let requestID = RequestID.make(at: now)
        let code = OpenCode(
            mobile: mobile, otp: otp, text: text, templateID: templateID, requestID: requestID, crqid: candidate.crqid,
            createdAt: now, expiresAt: now.addingTimeInterval(Double(minutes) * 60), lastSentAt: now)
        if let refusal = refusal(candidate, authKey: parameters.authKey, now: now) {
            return refuse(refusal, candidate, requestID: requestID, realTime: parameters.isRealTime, now: now)
        }
        codes[mobile] = code
        deliver(candidate, requestID: requestID, now: now)
        if numberFault(mobile) == .duplicate {
            // As though an earlier attempt, whose answer was lost, had been accepted.
            let duplicate = Refusal(
                check: .duplicate, code: "311", message: "Same content to the same number within 10 seconds")
            return refuse(
                duplicate, candidate, requestID: RequestID.make(at: now), realTime: parameters.isRealTime, now: now)
        }
        return .accepted(requestID: requestID)
    }

    /// Tells the refusal, or answers success and keeps it for the failed log.
    private mutating func refuse(
        _ refusal: Refusal, _ candidate: Candidate, requestID: String, realTime: Bool, now: Date
    ) -> Answer {
        guard !isImmediate(refusal, realTime: realTime) else { return .error(refusal.message, code: refusal.code) }
        record(refusal, candidate, requestID: requestID, now: now)
        return .accepted(requestID: requestID)
    }

    /// The value when it is absent or a number of the range, nil when it is anything else.
    private func number(_ text: String?, default value: Int, in range: ClosedRange<Int>) -> Int? {
        guard let text else { return value }
        return Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func randomCode(length: Int) -> String {
        String((0..<length).map { _ in Character(String(Int.random(in: 0...9))) })
    }
}
