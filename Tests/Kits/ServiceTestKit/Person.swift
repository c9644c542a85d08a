import Foundation

/// A person with a phone, who signs in as an app would let them: through the public API and the simulator's inbox.
package struct Person: Sendable {
    package let phone: String
    let deployment: Deployment

    /// A fresh Indian mobile number; neighbours differ in prefix, so that limits per prefix do not meet them. Its last four digits
    /// select no fault of the simulator.
    package init(_ deployment: Deployment) {
        self.deployment = deployment
        phone = "+9198\(Int.random(in: 1000...9999))\(Int.random(in: 1000...8999))"
    }

    package var digits: String { String(phone.dropFirst()) }

    package func sendCode(purpose: String = "sign_in") async throws -> Answer {
        try await deployment.api(.otp).post("/v1/otp/send", #"{"phone":"\#(phone)","purpose":"\#(purpose)"}"#)
    }

    /// Every code in the inbox, newest first.
    package func inbox() async throws -> [String] {
        let answer = try await deployment.api(.simulator).get("/messages?mobile=\(digits)")
        let list = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [[String: Any]] ?? []
        return list.compactMap { $0["otp"] as? String }
    }

    /// Waits for an SMS more than the `known` ones.
    package func receiveCode(after known: Int = 0, within limit: Duration = .seconds(30)) async throws -> String {
        let end = ContinuousClock.now.advanced(by: limit)
        while ContinuousClock.now < end {
            let codes = try await inbox()
            if codes.count > known, let code = codes.first { return code }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ServiceTestError("no SMS within \(limit)")
    }

    package func verify(_ challenge: String, _ code: String) async throws -> Answer {
        try await deployment.api(.otp).post(
            "/v1/otp/verify", #"{"challenge_id":"\#(challenge)","code":"\#(code)"}"#)
    }

    /// Send, receive, verify: a verification token.
    package func proof(purpose: String = "sign_in") async throws -> String {
        let known = try await inbox().count
        let sent = try await sendCode(purpose: purpose)
        guard let challenge = sent.string("challenge_id") else { throw ServiceTestError("send: \(sent.text)") }
        let verified = try await verify(challenge, try await receiveCode(after: known))
        guard let token = verified.string("verification_token") else {
            throw ServiceTestError("verify: \(verified.text)")
        }
        return token
    }

    package func logIn(_ proof: String) async throws -> Answer {
        try await deployment.api(.user).post("/v1/auth/login", #"{"verification_token":"\#(proof)"}"#)
    }
}
