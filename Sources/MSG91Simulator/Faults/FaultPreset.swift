/// Faults by a name, as the inbox page offers them.
struct FaultPreset {
    let name: String
    let label: String
    let fault: Fault

    static let groups: [(label: String, presets: [FaultPreset])] = [
        (
            "Time",
            [
                FaultPreset("slow", "Slow: 5 s", Fault(latency: 5000)),
                FaultPreset("slower", "Slow: 30 s", Fault(latency: 30_000)),
                FaultPreset("hang", "Never answers", Fault(hang: true)),
                FaultPreset("accept-hang", "Sends it, never answers", Fault(acceptThenTimeout: true)),
            ]
        ),
        (
            "Connection",
            [
                FaultPreset("reset-before", "Reset before sending it", Fault(resetBefore: true)),
                FaultPreset("reset-after", "Sends it, then resets", Fault(resetAfter: true)),
            ]
        ),
        (
            "Answer",
            [
                FaultPreset("500", "500 with HTML", Fault(status: 500)),
                FaultPreset("502", "502 with HTML", Fault(status: 502)),
                FaultPreset("504", "504 with HTML, but sends it", Fault(accept: true, status: 504)),
                FaultPreset("429", "429", Fault(status: 429)),
                FaultPreset("html", "200 with HTML", Fault(body: .html)),
                FaultPreset("empty", "200 without a body", Fault(body: .empty)),
                FaultPreset("truncated", "200 with half the JSON", Fault(body: .truncated)),
                FaultPreset("without-id", "Success without an id", Fault(body: .withoutID)),
                FaultPreset("id-in-message", "Id in message", Fault(body: .idInMessage)),
                FaultPreset("extra", "Unknown members", Fault(body: .extraFields)),
                FaultPreset("huge", "A gigabyte", Fault(body: .huge)),
                FaultPreset("redirect", "302 to another place", Fault(redirect: "http://169.254.169.254/")),
            ]
        ),
        (
            "Refusal",
            [
                error("201", "Invalid authkey"), error("202", "Invalid mobile number"),
                error("301", "Insufficient balance"), error("302", "Account expired"), error("303", "Account banned"),
                error("311", "Same content to the same number within 10 seconds"),
                error("400", "Template ID Missing or Invalid Template"), error("418", "IP is not whitelisted"),
                error("506", "Small campaign limit"), error("601", "Internal error"),
                FaultPreset(
                    "401", "401 with JSON", Fault(status: 401, errorCode: "401", errorMessage: "AuthenticationFailure")),
                FaultPreset("403", "403 with JSON", Fault(status: 403)),
                FaultPreset(
                    "http-418", "418 with JSON",
                    Fault(status: 418, errorCode: "418", errorMessage: "IP not whitelisted")),
                FaultPreset(
                    "number", "201, code as a number",
                    Fault(body: .codeAsNumber, errorCode: "201", errorMessage: "Invalid authkey")),
            ]
        ),
    ]

    static func named(_ name: String) -> FaultPreset? {
        groups.lazy.flatMap(\.presets).first { $0.name == name }
    }

    private init(_ name: String, _ label: String, _ fault: Fault) {
        self.name = name
        self.label = label
        self.fault = fault
    }

    private static func error(_ code: String, _ message: String) -> FaultPreset {
        FaultPreset("error-\(code)", "\(code) \(message)", Fault(errorCode: code, errorMessage: message))
    }

    /// The label of a fault that is in force, whoever set it.
    static func label(_ fault: Fault) -> String {
        var plain = fault
        plain.requests = nil
        plain.endpoint = nil
        plain.mobile = nil
        return groups.lazy.flatMap(\.presets).first { $0.fault == plain }?.label ?? "Custom"
    }
}
