import ServiceRuntime
import Testing

@testable import OTPService

@Suite("Settings")
struct SettingsTests {
    @Test("the defaults are the published ones")
    func defaults() throws {
        let settings = OTPSettings(
            SettingsReader(environment: ["OTP_SECRET_KEY": "kX3v9QwZt7LmB2nR5yHc8JdF4gSa6PeU"]), isProduction: false)
        #expect(settings.limits == .standard)
        #expect(settings.policy == .standard)
        #expect(settings.destinations.countries == ["IN"])
        #expect(settings.defaultRegion == nil)
        #expect(settings.retentionDays == 30)
        #expect(settings.gateway.baseURL.text == "http://127.0.0.1:8090")
    }

    @Test("all problems are told at once, none with its value")
    func problems() {
        let environment = [
            "OTP_SECRET_KEY": "changeme", "OTP_LENGTH": "5", "OTP_TTL": "601", "OTP_MAX_ATTEMPTS": "0",
            "OTP_SENDS_PER_PHONE": "1/2,3/4,5/6", "OTP_SENDS_PER_NETWORK": "x", "OTP_SENDS_PER_PREFIX": "1",
            "OTP_RESEND_COOLDOWNS": "30,0", "OTP_FRAUD_GUARD": "maybe", "OTP_ALLOWED_COUNTRIES": "IN,XX",
            "DEFAULT_REGION": "India", "OTP_RETENTION_DAYS": "0", "MSG91_BASE_URL": "ftp://x",
            "MSG91_AUTH_KEY": "zwölf",
        ]
        let reader = SettingsReader(environment: environment)
        _ = OTPSettings(reader, isProduction: false)
        // What is read is known, or it would be taken for a misspelt name.
        #expect(reader.asked.count > 15 && reader.asked.isSubset(of: MisspeltNames.known))
        #expect {
            try reader.finish()
        } throws: { error in
            guard let problems = error as? SettingsProblems else { return false }
            let text = problems.description
            return Set(problems.problems.map(\.name)) == Set(environment.keys) && !text.contains("changeme")
                && !text.contains("zwölf")
        }
    }

    @Test("OTP-21: production takes neither the simulator nor its values, nor test numbers")
    func production() {
        func names(_ environment: [String: String]) -> Set<String> {
            let base = ["OTP_SECRET_KEY": "kX3v9QwZt7LmB2nR5yHc8JdF4gSa6PeU"]
            let reader = SettingsReader(environment: base.merging(environment) { $1 })
            _ = OTPSettings(reader, isProduction: true)
            do { try reader.finish() } catch { return Set(error.problems.map(\.name)) }
            return []
        }
        #expect(names([:]) == ["MSG91_AUTH_KEY", "MSG91_TEMPLATE_ID"])
        let account = ["MSG91_AUTH_KEY": "a1b2c3d4", "MSG91_TEMPLATE_ID": "0123456789abcdef01234567"]
        #expect(names(account) == [])
        #expect(names(account.merging(["MSG91_BASE_URL": "http://127.0.0.1:8090"]) { $1 }) == ["MSG91_BASE_URL"])
        // Also one that development would take.
        for numbers in ["+91…", "+919999900001:123456"] {
            #expect(names(account.merging(["OTP_TEST_NUMBERS": numbers]) { $1 }) == ["OTP_TEST_NUMBERS"])
        }
        #expect(
            names(["MSG91_AUTH_KEY": "simulator-auth-key", "MSG91_TEMPLATE_ID": "66a1f0c3d2b4e5968778695a"])
                == ["MSG91_AUTH_KEY", "MSG91_TEMPLATE_ID"])
    }

    @Test(
        "a secret of the codes that is one of the tokens stops the start, in every environment; the sentence names both",
        arguments: ["OTP_SECRET_KEY", "OTP_PREVIOUS_SECRET_KEY"], ["JWT_SECRET_KEY", "JWT_PREVIOUS_SECRET_KEY"])
    func secretsApart(name: String, other: String) throws {
        let base = [
            "OTP_SECRET_KEY": "kX3v9QwZt7LmB2nR5yHc8JdF4gSa6PeU", "JWT_SECRET_KEY": "bV7xQ2mNw9RtZ4kLs8YcJ3dHf6GpA5Ue",
            "MSG91_AUTH_KEY": "a1b2c3d4", "MSG91_TEMPLATE_ID": "0123456789abcdef01234567",
        ]
        let same = "Zp8wLr3QvT6yNc1XsKb9HfGm2JdVa7Ue"
        func problems(_ environment: [String: String], isProduction: Bool) -> [String] {
            let reader = SettingsReader(environment: base.merging(environment) { $1 })
            _ = OTPSettings(reader, isProduction: isProduction)
            do { try reader.finish() } catch { return error.problems.map { "\($0.name) \($0.sentence)" } }
            return []
        }
        for isProduction in [false, true] {
            #expect(
                problems([name: same, other: same], isProduction: isProduction) == [
                    "\(name) must differ from \(other): codes and tokens have secrets of their own"
                ])
            #expect(problems([name: same], isProduction: isProduction).isEmpty)
            #expect(problems([other: same], isProduction: isProduction).isEmpty)
            #expect(problems([name: "", other: ""], isProduction: isProduction).allSatisfy { !$0.contains("differ") })
        }
    }

    @Test("SMS: plain http goes to a simulator nearby only, and what is no URL stops the start")
    func gatewayURL() {
        for (text, plainHost) in [
            ("http://msg91-simulator:8090/", "msg91-simulator"), ("http://[::1]:8090", "[::1]"),
            ("http://127.0.0.1", "127.0.0.1"), ("http://10.1.2.3:8090/a/b", "10.1.2.3"),
            ("http://172.31.0.1", "172.31.0.1"),
            ("http://192.168.1.9", "192.168.1.9"), ("http://[fd00::1]", "[fd00::1]"),
            ("http://sim.localhost", "sim.localhost"),
            ("https://control.msg91.com", nil), ("https://control.msg91.com:443//", nil),
            ("https://203.0.113.7/x", nil),
        ] as [(String, String?)] {
            let url = GatewayURL(text)
            #expect(url != nil && url?.plainHost == plainHost && url?.text.hasSuffix("/") == false, "\(text)")
        }
        for text in [
            "", "http://", "https://", "https:///", "ftp://x", "http://203.0.113.7:8091", "http://control.msg91.com",
            "http://172.32.0.1", "http://11.0.0.1", "https://exa mple", "https://host:99999", "https://host:0",
            "https://host:",
            "https://u:p@h", "https://h/?q=1", "https://h#f", "https://h?q", "https://-h", "https://h..x",
            "https://[::1", "https://[x]",
            "https://999.1.1.1", "https://1.2.3", "https://h\\x", "http://[2001:db8::1]", "http://10.1.2.3.example.com",
        ] {
            #expect(GatewayURL(text) == nil, "\(text)")
        }
    }

    @Test("a template's id is letters and digits")
    func templateID() {
        for (text, isGood) in [
            ("66a1f0c3d2b4e5968778695a", true), ("b a", false), ("a&b", false),
            (String(repeating: "a", count: 65), false),
        ] {
            let isTaken = (try? Keys.settings(["MSG91_TEMPLATE_ID": text])) != nil
            #expect(isTaken == isGood, "\(text)")
        }
    }

    @Test("nothing that prints the settings shows a secret")
    func masked() throws {
        let settings = try Keys.settings(["MSG91_AUTH_KEY": "k3yk3yk3y"])
        var printed = String(reflecting: settings)
        dump(settings, to: &printed)
        #expect(!printed.contains("k3yk3yk3y") && !printed.contains("kX3v9QwZ"))
    }
}
