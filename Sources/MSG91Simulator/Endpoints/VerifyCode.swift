internal import Foundation

extension Gateway.State {
    /// `GET /api/v5/otp/verify`: key, address, input, known, verified, limit, expiry, match, in this order.
    mutating func verify(_ parameters: Parameters, now: Date) -> Answer {
        let mobile = parameters["mobile"]
        // Measured on this path: a missing key is answered like a bad one.
        guard keyRefusal(parameters.authKey, mobile: mobile) == nil else {
            return .error("Invalid authkey", code: "201")
        }
        guard account.ipAllowed else { return .error("IP is not whitelisted", code: "418") }
        guard let mobile, mobile.isNumeric else { return .error("Mobile no. empty or not numeric") }
        guard let otp = parameters["otp"], otp.isNumeric else { return .error("OTP empty or not numeric") }
        guard var code = codes[mobile] else { return .error("Mobile no. not found") }
        guard !code.isVerified else { return .error("Mobile no. already verified") }
        guard code.wrongAttempts < account.verifyLimit else {
            return .error("Max limit reached for this otp verification")
        }
        guard now < code.expiresAt else { return .error("OTP expired") }
        guard otp == code.otp else {
            code.wrongAttempts += 1
            codes[mobile] = code
            return .error("OTP not match")
        }
        code.isVerified = true
        codes[mobile] = code
        return .success("OTP verified success")
    }
}
