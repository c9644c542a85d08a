internal import Foundation

/// The OTP widget, as a server calls it with its key (msg91.md §1 and §3.3; ids are in `message`).
///
/// A widget has its own limits; here they are those of the OTP product, and the fifteen minutes that a widget's code
/// lives at least.
extension Gateway.State {
    private static let lifetime: TimeInterval = 900

    /// `POST …/widget/sendOtp` with `widgetId` and `identifier`: a code of the widget's own making.
    mutating func widgetSend(_ parameters: Parameters, now: Date) -> Answer {
        if let refusal = widgetRefusal(parameters) { return refusal }
        guard let widget = parameters["widgetId"], let template = account.widgets[widget],
            let mobile = parameters["identifier"]
        else { return .invalidWidgetRequest }
        let otp = String((0..<6).map { _ in Character(String(Int.random(in: 0...9))) })
        let candidate = Candidate(
            mobile: mobile, text: Template.fill(template) { $0 == "OTP" ? otp : nil }, otp: otp, channel: .sms,
            templateID: widget, crqid: parameters["CRQID"])
        if let refusal = refusal(candidate, authKey: parameters.authKey, now: now) {
            return .error(refusal.message, code: refusal.code)
        }
        let requestID = RequestID.make(at: now)
        widgetCodes[requestID] = OpenCode(
            mobile: mobile, otp: otp, text: candidate.text, templateID: widget, requestID: requestID,
            crqid: candidate.crqid, createdAt: now, expiresAt: now.addingTimeInterval(Self.lifetime), lastSentAt: now)
        deliver(candidate, requestID: requestID, now: now)
        return .success(requestID)
    }

    /// `POST …/widget/retryOtp` with `reqId` and perhaps `retryChannel`: 11 SMS, 4 voice, 12 WhatsApp; 3, e-mail, has no
    /// address to go to.
    mutating func widgetRetry(_ parameters: Parameters, now: Date) -> Answer {
        if let refusal = widgetRefusal(parameters) { return refusal }
        let channels: [String: Message.Channel] = ["11": .sms, "4": .voice, "12": .whatsapp]
        guard var code = widgetCode(parameters), !code.isVerified,
            let channel = channels[parameters["retryChannel"] ?? "11"]
        else { return .invalidWidgetRequest }
        guard now < code.expiresAt else { return .error("OTP expired") }
        guard code.retries < 2 else { return .error("OTP retry count maxed out") }
        code.retries += 1
        code.lastSentAt = now
        widgetCodes[code.requestID] = code
        let candidate = Candidate(
            mobile: code.mobile, text: code.text, otp: code.otp, channel: channel, templateID: code.templateID,
            crqid: code.crqid)
        deliver(candidate, requestID: code.requestID, now: now)
        return .success(code.requestID)
    }

    /// `POST …/widget/verifyOtp` with `reqId` and `otp`: the right answer brings an access token, a JWT, once.
    mutating func widgetVerify(_ parameters: Parameters, now: Date) -> Answer {
        if let refusal = widgetRefusal(parameters) { return refusal }
        guard var code = widgetCode(parameters) else { return .invalidWidgetRequest }
        guard let otp = parameters["otp"], otp.isNumeric else { return .error("OTP empty or not numeric") }
        guard !code.isVerified else { return .error("Mobile no. already verified") }
        guard code.wrongAttempts < account.verifyLimit else {
            return .error("Max limit reached for this otp verification")
        }
        guard now < code.expiresAt else { return .error("OTP expired") }
        guard otp == code.otp else {
            code.wrongAttempts += 1
            widgetCodes[code.requestID] = code
            return .error("OTP not match")
        }
        let token = WidgetToken.make(requestID: code.requestID)
        code.isVerified = true
        code.accessToken = token
        widgetCodes[code.requestID] = code
        return .success(token)
    }

    /// `POST …/widget/verifyAccessToken` with `access-token`: whose number was verified.
    func widgetToken(_ parameters: Parameters) -> Answer {
        if let refusal = widgetRefusal(parameters) { return refusal }
        guard let token = parameters["access-token"] else { return .invalidWidgetRequest }
        guard let code = WidgetToken.requestID(of: token).flatMap({ widgetCodes[$0] }), code.accessToken == token else {
            return Answer(
                body: .members(["message": "invalid access-token", "type": "error", "code": .integer(701)]))
        }
        return .success(code.mobile)
    }

    private func widgetRefusal(_ parameters: Parameters) -> Answer? {
        if keyRefusal(parameters.authKey, mobile: parameters["identifier"]) != nil { return .widgetFailure("201") }
        return account.ipAllowed ? nil : .widgetFailure("418")
    }

    /// The open code of a `reqId`, for the widget that sent it.
    private func widgetCode(_ parameters: Parameters) -> OpenCode? {
        guard let code = parameters["reqId"].flatMap({ widgetCodes[$0] }), code.templateID == parameters["widgetId"]
        else { return nil }
        return code
    }
}

extension Answer {
    /// What the widget's paths say of a bad key or address.
    fileprivate static func widgetFailure(_ code: String) -> Answer { .error("AuthenticationFailure", code: code) }

    /// What they say when a parameter is missing, or names nothing.
    fileprivate static var invalidWidgetRequest: Answer { .error("Invalid request", code: "403") }
}

/// The widget's proof: three parts as a JWT has, of which the last cannot be guessed.
private enum WidgetToken {
    static func make(requestID: String) -> String {
        let claims = JSONValue.members(["requestId": .string(requestID), "companyId": "1"])
        let secret = Data((0..<32).map { _ in UInt8.random(in: 0...255) })
        return [Data(#"{"alg":"HS256","typ":"JWT"}"#.utf8), Data(claims.text.utf8), secret].map(encoded)
            .joined(separator: ".")
    }

    /// Which request a token says it is of.
    static func requestID(of token: String) -> String? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else { return nil }
        let text = parts[1].replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: text + padding).flatMap { JSONValue(Array($0)) }?["requestId"]?.scalar
    }

    /// base64url (RFC 7515 §2).
    private static func encoded(_ bytes: Data) -> String {
        bytes.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
