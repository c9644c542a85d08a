package import HTTPClient
package import Identity

/// The account at MSG91, or at the simulator: only the base URL differs.
package struct MSG91Account: Sendable {
    /// Where MSG91 looks for the key; its reference and its integrators disagree about the safe place.
    package enum KeyPosition: String, Sendable, CaseIterable {
        /// The header `authkey`: the key is in no URL, and so in no log of a proxy.
        case header
        /// The query parameter `authkey`.
        case query
    }

    /// `MSG91_BASE_URL`.
    package let baseURL: GatewayURL
    /// The account's key.
    package let authKey: Secret
    /// The OTP template of the account, 24 hexadecimal digits.
    package let templateID: String
    /// `MSG91_AUTH_IN`.
    package let keyPosition: KeyPosition

    /// An account as it is configured.
    package init(baseURL: GatewayURL, authKey: Secret, templateID: String, keyPosition: KeyPosition = .header) {
        self.baseURL = baseURL
        self.authKey = authKey
        self.templateID = templateID
        self.keyPosition = keyPosition
    }
}

/// MSG91's OTP product, told our own codes (design document `msg91.md` §3, §5).
///
/// The key goes in a header unless the account says otherwise. Whatever happens comes back as a ``GatewayOutcome``; nothing
/// is thrown, and nothing of what the gateway wrote is kept but its id.
package struct MSG91: Sendable {
    let account: MSG91Account
    let client: HTTPClient
    /// The whole exchange.
    let timeout: Duration

    /// Two of them and a pause fit into the lease, and one into the 10 s within which MSG91 swallows a duplicate.
    package static let time = Duration.seconds(7)

    /// A client of this account.
    package init(account: MSG91Account, client: HTTPClient, timeout: Duration = Self.time) {
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

    /// Asks whether the key is good, by a question that sends nothing and costs nothing (`msg91.md` §2): MSG91 refuses a bad key,
    /// and has no code of this number, which does not exist.
    package func probeKey() async -> GatewayProbe {
        let query = [("otp", "0000"), ("mobile", Self.nobody)]
        return await probe("GET", "/api/v5/otp/verify", query, withKey: true)
    }

    /// Asks whether the template exists, without a key, so that nothing can be sent: MSG91 looks at the template first
    /// (`msg91.md` §0, fact 3).
    package func probeTemplate() async -> GatewayProbe {
        let query = [
            ("template_id", account.templateID), ("mobile", Self.nobody), ("otp", "0000"), ("realTimeResponse", "1"),
        ]
        return await probe("POST", "/api/v5/otp", query, withKey: false)
    }

    private static let nobody = "910000000000"

    private func probe(_ method: String, _ path: String, _ query: [(String, String)], withKey: Bool) async
        -> GatewayProbe
    {
        do {
            return MSG91Answer.probe(
                try await client.send(request(method, path, query, withKey: withKey), timeout: timeout))
        } catch {
            return .unanswered(reason: Self.reason(error))
        }
    }

    private func exchange(
        _ method: String, _ path: String, _ query: [(String, String)], needsID: Bool
    ) async -> GatewayOutcome {
        do {
            let request = request(method, path, query, withKey: true)
            return MSG91Answer.outcome(try await client.send(request, timeout: timeout), needsID: needsID)
        } catch {
            return Self.outcome(error)
        }
    }

    private func request(
        _ method: String, _ path: String, _ query: [(String, String)], withKey: Bool
    ) -> HTTPClientRequest {
        let key = String(decoding: account.authKey.bytes, as: UTF8.self)
        var headers = [("Accept", "application/json")]
        var query = query
        if method == "POST" { headers.append(("Content-Type", "application/json")) }
        if withKey {
            switch account.keyPosition {
            case .header: headers.append(("authkey", key))
            case .query: query.append(("authkey", key))
            }
        }
        let pairs = query.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
        return HTTPClientRequest(
            method: method, url: "\(account.baseURL.text)\(path)?\(pairs)", headers: headers,
            body: method == "POST" ? Array("{}".utf8) : nil, isRepeatable: false)
    }

    private static func outcome(_ error: HTTPClientError) -> GatewayOutcome {
        switch error {
        case .invalidURL: .refused(GatewayRefusal(.configuration, "url"))
        case .invalidRequest: .refused(GatewayRefusal(.configuration, "request"))
        case _ where error.maybeSent: .unknown(reason: reason(error))
        default: .transient(reason: reason(error), after: nil)
        }
    }

    private static func reason(_ error: HTTPClientError) -> String {
        switch error {
        case .invalidURL: "url"
        case .invalidRequest: "request"
        case .connect: "connect"
        case .tls: "tls"
        case .timeout: "timeout"
        case .reset: "reset"
        case .tooLarge: "answer too large"
        case .malformedResponse: "malformed answer"
        case .cancelled, .stopped: "stopped"
        }
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
    package var description: String { "MSG91(\(account.baseURL.text))" }
}
