internal import Foundation

extension Gateway.State {
    /// `POST /api/v5/flow`: a list of recipients with their variables, or the older flat form.
    ///
    /// Only a single recipient's refusal can be told in the answer; of several, each is judged by itself.
    mutating func flow(_ parameters: Parameters, now: Date) -> Answer {
        let recipients = recipients(parameters)
        guard !recipients.isEmpty else { return .error("Please enter atleast one number to send sms.") }
        guard let templateID = parameters["template_id"] ?? parameters["flow_id"],
            let template = account.flowTemplates[templateID]
        else { return .error("The provided flow ID or template ID is invalid.") }
        let requestID = RequestID.make(at: now)
        for recipient in recipients {
            let candidate = candidate(
                recipient, template: template, templateID: templateID, crqid: parameters["CRQID"])
            if let refusal = refusal(candidate, authKey: parameters.authKey, now: now) {
                if recipients.count == 1, isImmediate(refusal, realTime: parameters.isRealTime) {
                    return .error(refusal.message, code: refusal.code)
                }
                record(refusal, candidate, requestID: requestID, now: now)
            } else {
                remember(candidate, requestID: requestID, now: now)
                deliver(candidate, requestID: requestID, now: now)
            }
        }
        return .acceptedFlow(requestID: requestID)
    }

    private struct Recipient {
        let mobile: String
        let value: (String) -> String?
    }

    private func recipients(_ parameters: Parameters) -> [Recipient] {
        let listed = (parameters.json?["recipients"]?.elements ?? []).prefix(1000).compactMap { entry in
            (entry["mobiles"]?.scalar).map { mobile in
                Recipient(mobile: mobile) { entry[$0]?.scalar }
            }
        }
        if !listed.isEmpty { return listed }
        return (parameters["mobiles"] ?? "").split(separator: ",").prefix(1000).map { mobile in
            Recipient(mobile: String(mobile)) { parameters[$0] }
        }
    }

    private func candidate(
        _ recipient: Recipient, template: String, templateID: String, crqid: String?
    ) -> Candidate {
        var variables: [String] = []
        let text = Template.fill(template) { name in
            let value = recipient.value(name)
            if let value { variables.append(value) }
            return value
        }
        let otp = recipient.value("OTP") ?? recipient.value("otp")
        return Candidate(
            mobile: recipient.mobile, text: text, otp: otp, channel: .sms, templateID: templateID, crqid: crqid,
            variables: variables)
    }

    /// For the ten-second rule: it looks at the number's last text, whatever path that took.
    private mutating func remember(_ candidate: Candidate, requestID: String, now: Date) {
        codes[candidate.mobile] = OpenCode(
            mobile: candidate.mobile, otp: candidate.otp ?? "", text: candidate.text, templateID: candidate.templateID,
            requestID: requestID,
            crqid: candidate.crqid, createdAt: now, expiresAt: now, lastSentAt: now)
    }
}
