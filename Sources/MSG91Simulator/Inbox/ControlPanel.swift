/// The part of the page that shows and steers faults, account and delivery reports; forms that work without a script.
struct ControlPanel: Sendable {
    let page: HTMLTemplate
    let fault: HTMLTemplate
    let failure: HTMLTemplate

    /// The parts of the page that the state of the simulator decides.
    func state(_ gateway: Gateway) -> (panel: String, alerts: String, faults: String, failures: String) {
        let account = gateway.account()
        let reporting = gateway.reporting()
        let faults = gateway.faults()
        let failures = gateway.failedMessages().prefix(8)
        let panel = page.render(
            [
                "balance": account.balance.map(String.init) ?? "", "latency": "\(account.latency)",
                "url": reporting.url ?? "", "delay": "\(reporting.delay)",
                "template": reporting.template ?? "", "standard": WebhookTemplate.standard,
            ],
            parts: [
                "presets": Self.presets, "ip": Self.checked(account.ipAllowed), "dlt": Self.checked(account.dltCheck),
                "numbers": Self.checked(account.faultNumbers),
                "types": Self.options(
                    [("application/json", "application/json"), ("text/html", "text/html")], account.contentType),
                "formats": Self.options(
                    [("v3", "v3, JSON"), ("v2", "v2, form"), ("v4", "v4, CleverTap"), ("json", "new, JSON")],
                    reporting.format.rawValue),
                "duplicate": Self.checked(reporting.duplicate), "reorder": Self.checked(reporting.reorder),
                "drop": Self.checked(reporting.drop), "interim": Self.checked(reporting.interim),
                "wrong": Self.checked(reporting.wrongRequestID), "missing": Self.checked(reporting.missingCRQID),
                "paused": Self.checked(reporting.paused),
                "scales": Self.options(
                    [("1.0", "as MSG91: 30 s to 30 min"), ("0.01", "100 times faster"), ("0.0001", "at once")],
                    String(reporting.timeScale)),
            ])
        return (
            panel, alerts(account, reporting, faults), faults.map(render).joined(),
            failures.map(render).joined()
        )
    }

    private func render(_ fault: Fault) -> String {
        self.fault.render([
            "label": FaultPreset.label(fault), "calls": fault.requests.map { "\($0) to go" } ?? "until ended",
            "endpoint": fault.endpoint?.rawValue ?? "every call",
            "mobile": fault.mobile.map { "+\($0)" } ?? "every number",
        ])
    }

    private func render(_ failed: FailedMessage) -> String {
        let time = Timestamp.rfc3339(failed.failedAt)
        return failure.render([
            "mobile": "+\(failed.mobile)", "code": failed.code, "reason": failed.reason, "time": time,
            "clock": String(time.dropFirst(11).prefix(8)),
        ])
    }

    /// What is out of order, so that nobody wonders where the messages are.
    private func alerts(_ account: Account, _ reporting: Reporting, _ faults: [Fault]) -> String {
        var alerts: [String] = []
        if !faults.isEmpty { alerts.append(faults.count == 1 ? "1 fault on" : "\(faults.count) faults on") }
        if !account.ipAllowed { alerts.append("address refused (418)") }
        if let balance = account.balance { alerts.append(balance <= 0 ? "no balance (301)" : "balance \(balance)") }
        if account.latency > 0 { alerts.append("\(account.latency) ms latency") }
        if reporting.paused { alerts.append("webhook paused") }
        if reporting.drop { alerts.append("reports dropped") }
        return alerts.map { "<li>\(HTMLTemplate.escape($0))</li>" }.joined()
    }

    private static let presets = FaultPreset.groups.map { group in
        "<optgroup label=\"\(HTMLTemplate.escape(group.label))\">"
            + options(group.presets.map { ($0.name, $0.label) }, "") + "</optgroup>"
    }.joined()

    private static func options(_ choices: [(value: String, label: String)], _ chosen: String) -> String {
        choices.map { choice in
            "<option value=\"\(HTMLTemplate.escape(choice.value))\"\(choice.value == chosen ? " selected" : "")>"
                + "\(HTMLTemplate.escape(choice.label))</option>"
        }.joined()
    }

    private static func checked(_ value: Bool) -> String { value ? " checked" : "" }
}
