internal import Foundation

extension Gateway.State {
    /// `POST …/whatsapp-outbound-message/bulk/`: an authentication template for a list of numbers.
    mutating func whatsapp(_ parameters: Parameters, now: Date) -> Answer {
        guard keyRefusal(parameters.authKey, mobile: nil) == nil else { return .unauthorized(apiError: "201") }
        guard account.ipAllowed else { return .unauthorized(apiError: "418") }
        let template = parameters.json?["payload"]?["template"]
        guard let name = template?["name"]?.scalar, let groups = template?["to_and_components"]?.elements else {
            return .badRequest("Invalid request")
        }
        let requestID = RequestID.make(at: now)
        for group in groups.prefix(1000) {
            let code = group["components"]?["body_1"]?["value"]?.scalar
            for mobile in (group["to"]?.elements ?? []).prefix(1000).compactMap(\.scalar) where mobile.isNumeric {
                let candidate = Candidate(
                    mobile: mobile, text: "\(name): \(code ?? "")", otp: code, channel: .whatsapp, templateID: name,
                    crqid: parameters["CRQID"])
                deliver(candidate, requestID: requestID, now: now)
            }
        }
        return Answer(
            body: .members([
                "status": "success", "hasError": .bool(false), "data": "Message submitted successfully",
                "errors": .null, "request_id": .string(requestID),
            ]), contentType: "text/html; charset=utf-8")
    }

    /// `GET /api/balance.php`: a number of messages; refusals have their code in `msg`.
    func balance(_ parameters: Parameters) -> Answer {
        guard keyRefusal(parameters.authKey, mobile: nil) == nil else { return .legacyError("207") }
        guard account.ipAllowed else { return .legacyError("418") }
        return Answer(body: .integer(account.balance ?? 100_000), contentType: "text/html; charset=utf-8")
    }
}
