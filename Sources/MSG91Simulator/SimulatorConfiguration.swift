/// Where the simulator listens and whom it accepts.
package struct SimulatorConfiguration: Sendable {
    /// The address to listen on; loopback, because everybody may read this inbox.
    package var host = "127.0.0.1"
    /// 0 lets the system choose.
    package var port = 8090
    package var account: Account
    /// Messages that are remembered.
    package var capacity = 10_000
    /// Where delivery reports go at first.
    package var reporting = Reporting()

    /// The key that is accepted when no other is configured.
    package static let defaultAuthKey = "simulator-auth-key"
    /// The id of the OTP template that is known when no other is configured.
    package static let defaultTemplateID = "66a1f0c3d2b4e5968778695a"
    /// The id of the Flow template that is known when no other is configured.
    package static let defaultFlowID = "66a1f0c3d2b4e5968778695b"
    /// The id of the OTP widget that is known.
    package static let defaultWidgetID = "66a1f0c3d2b4e5968778695c"
    /// An OTP text whose last line lets browsers fill the code in (WICG, origin-bound one-time codes).
    package static let defaultText =
        "##OTP## is your Postkey code. Do not share it with anyone.\n\n@localhost ###OTP##"

    /// Default key, templates and address, the port chosen by the system: what tests want.
    package init(
        authKey: String = Self.defaultAuthKey, templateID: String = Self.defaultTemplateID,
        text: String = Self.defaultText
    ) {
        account = Account(
            authKeys: [authKey], otpTemplates: [templateID: text],
            flowTemplates: [Self.defaultFlowID: "##OTP## is your Postkey code."],
            widgets: [Self.defaultWidgetID: "##OTP## is your Postkey code."])
        port = 0
    }
}

extension SimulatorConfiguration {
    /// What the variables say: `HOST`, `PORT`, `MSG91_AUTH_KEY`, `MSG91_TEMPLATE_ID`, which the services share, and
    /// `SIMULATOR_WEBHOOK_URL`, `SIMULATOR_TEMPLATE`, `SIMULATOR_FAULT_NUMBERS` (`off`). Nil when the port is none.
    package init?(environment: [String: String]) {
        func value(_ name: String, default: String) -> String {
            environment[name].flatMap { $0.isEmpty ? nil : $0 } ?? `default`
        }
        self.init(
            authKey: value("MSG91_AUTH_KEY", default: Self.defaultAuthKey),
            templateID: value("MSG91_TEMPLATE_ID", default: Self.defaultTemplateID),
            text: value("SIMULATOR_TEMPLATE", default: Self.defaultText))
        guard let port = UInt16(value("PORT", default: "8090")) else { return nil }
        self.port = Int(port)
        host = value("HOST", default: "127.0.0.1")
        account.faultNumbers = value("SIMULATOR_FAULT_NUMBERS", default: "on") != "off"
        if let url = environment["SIMULATOR_WEBHOOK_URL"], !url.isEmpty { reporting = Reporting(url: url) }
    }
}
