internal import Foundation

extension Gateway.State {
    /// `GET /api/v5/otp/retry`: key, address, input, known, expiry, count, in this order; by voice unless told otherwise.
    mutating func retry(_ parameters: Parameters, now: Date) -> Answer {
        let mobile = parameters["mobile"]
        guard keyRefusal(parameters.authKey, mobile: mobile) == nil else {
            return .error("Invalid authkey", code: "201")
        }
        guard account.ipAllowed else { return .error("IP is not whitelisted", code: "418") }
        guard let mobile, mobile.isNumeric else { return .error("Mobile number empty or not numeric") }
        guard var code = codes[mobile], !code.isVerified else { return .error("No OTP request found to retryotp") }
        guard now < code.expiresAt else { return .error("OTP expired") }
        guard code.retries < 2 else { return .error("OTP retry count maxed out") }
        code.retries += 1
        code.lastSentAt = now
        codes[mobile] = code
        let candidate = Candidate(
            mobile: mobile, text: code.text, otp: code.otp,
            channel: parameters["retrytype"]?.lowercased() == "text" ? .sms : .voice, templateID: code.templateID,
            crqid: code.crqid)
        deliver(candidate, requestID: code.requestID, now: now)
        return .success("retry send successfully")
    }
}
