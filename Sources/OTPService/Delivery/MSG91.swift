package import HTTPClient
package import Identity

/// The account at MSG91, or at the simulator: only the base URL differs.
package struct MSG91Account: Sendable {
    /// `https://control.msg91.com`, without a slash at its end.
    package let baseURL: String
    /// The account's key.
    package let authKey: Secret
    /// The OTP template of the account, 24 hexadecimal digits.
    package let templateID: String

    /// An account as it is configured.
    package init(baseURL: String, authKey: Secret, templateID: String) {
        self.baseURL = baseURL
        self.authKey = authKey
        self.templateID = templateID
    }
}

/// MSG91's OTP product, told our own codes (design document `msg91.md` §3, §5).
///
/// The key goes in a header, never in a URL. Whatever happens comes back as a ``GatewayOutcome``; nothing is thrown, and
/// nothing of what the gateway wrote is kept but its id.
package struct MSG91: Sendable {
    let account: MSG91Account
    let client: HTTPClient
    /// The whole exchange. Two of them and a pause fit into the lease, and one into the 10 s within which MSG91 swallows
    /// a duplicate.
    let timeout: Duration

    /// A client of this account.
    package init(account: MSG91Account, client: HTTPClient, timeout: Duration = .seconds(7)) {
        self.account = account
        self.client = client
        self.timeout = timeout
    }

    /// Sends the code as a text message.
    package func text(_ code: OneTimeCode, to phone: PhoneNumber, correlation: String, remaining: Duration) async
        -> GatewayOutcome
    {
        // At least our own validity, so that a call can still read it out.
        let minutes = max(1, Int((remaining / .seconds(60)).rounded(.up)))
        let query = [
            ("template_id", account.templateID), ("mobile", phone.digits), ("otp", code.digits),
            ("otp_expiry", String(minutes)), ("realTimeResponse", "1"), ("CRQID", correlation),
        ]
        return await exchange("POST", "/api/v5/otp", query, needsID: true)
    }

    /// Has the code read out that was last sent to this phone.
    package func call(_ phone: PhoneNumber) async -> GatewayOutcome {
        await exchange("GET", "/api/v5/otp/retry", [("mobile", phone.digits), ("retrytype", "voice")], needsID: false)
    }

    private func exchange(
        _ method: String, _ path: String, _ query: [(String, String)], needsID: Bool
    ) async -> GatewayOutcome {
        let pairs = query.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
        let request = HTTPClientRequest(
            method: method, url: "\(account.baseURL)\(path)?\(pairs)",
            headers: [
                ("authkey", String(decoding: account.authKey.bytes, as: UTF8.self)),
                ("Content-Type", "application/json"), ("Accept", "application/json"),
            ],
            body: method == "POST" ? Array("{}".utf8) : nil)
        do {
            return MSG91Answer.outcome(try await client.send(request, timeout: timeout), needsID: needsID)
        } catch {
            return Self.outcome(error)
        }
    }

    private static func outcome(_ error: HTTPClientError) -> GatewayOutcome {
        let reason: String
        switch error {
        case .invalidURL: return .refused(GatewayRefusal(.configuration, "url"))
        case .invalidRequest: return .refused(GatewayRefusal(.configuration, "request"))
        case .connect: reason = "connect"
        case .tls: reason = "tls"
        case .timeout: reason = "timeout"
        case .reset: reason = "reset"
        case .tooLarge: reason = "answer too large"
        case .malformedResponse: reason = "malformed answer"
        case .cancelled, .stopped: reason = "stopped"
        }
        return error.maybeSent ? .unknown(reason: reason) : .transient(reason: reason, after: nil)
    }

    /// Percent-encoding of everything but unreserved characters (RFC 3986 §2.3).
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}

extension MSG91: CustomStringConvertible {
    /// The address only.
    package var description: String { "MSG91(\(account.baseURL))" }
}
