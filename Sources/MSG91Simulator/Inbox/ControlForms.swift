internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// What the forms of the page do; each ends with a redirect to the page, so that a reload repeats nothing.
///
/// A field that is out of its bounds changes nothing, and the answer says which.
struct ControlForms: Sendable {
    let gateway: Gateway

    func add(to router: Router<SimulatorContext>) {
        router.post("/controls/faults") { request, _ in
            try await apply(request) { (fields) throws(BadSetting) in
                let fault = try Self.fault(fields)
                gateway.setFaults(gateway.faults() + [fault])
            }
        }
        router.post("/controls/faults/end") { request, _ in
            try await apply(request) { _ in gateway.setFaults([]) }
        }
        router.post("/controls/account") { request, _ in
            try await apply(request) { (fields) throws(BadSetting) in
                let account = try Self.account(fields, gateway.account())
                gateway.updateAccount { $0 = account }
            }
        }
        router.post("/controls/reporting") { request, _ in
            try await apply(request) { (fields) throws(BadSetting) in
                gateway.setReporting(try Self.reporting(fields))
            }
        }
        router.post("/controls/clear") { request, _ in
            try await apply(request) { _ in gateway.removeMessages() }
        }
    }

    private static func fault(_ fields: ControlFields) throws(BadSetting) -> Fault {
        guard let preset = FaultPreset.named(fields["preset"] ?? "") else {
            throw BadSetting(sentence: "preset must be one of the page's")
        }
        var fault = preset.fault
        fault.requests = try fields.number("requests", in: SettingBounds.requests)
        fault.endpoint = try fields.choice("endpoint", Endpoint.init)
        fault.mobile = fields["mobile"].map { $0.filter(\.isNumber) }.flatMap { $0.isEmpty ? nil : $0 }
        return fault
    }

    private static func account(_ fields: ControlFields, _ current: Account) throws(BadSetting) -> Account {
        var account = current
        account.ipAllowed = fields["ip"] != nil
        account.dltCheck = fields["dlt"] != nil
        account.faultNumbers = fields["numbers"] != nil
        account.balance = try fields.number("balance", in: SettingBounds.balance)
        account.latency = try fields.number("latency", in: SettingBounds.latency) ?? 0
        let types = ["application/json", "text/html"]
        if let type = try fields.choice("type", { types.contains($0) ? $0 : nil }) { account.contentType = type }
        return account
    }

    private static func reporting(_ fields: ControlFields) throws(BadSetting) -> Reporting {
        var reporting = Reporting(url: fields["url"], format: try fields.choice("format", Reporting.Format.init) ?? .v3)
        reporting.template = fields["template"]
        try reporting.check()
        reporting.delay = try fields.number("delay", in: SettingBounds.delay) ?? 0
        reporting.duplicate = fields["duplicate"] != nil
        reporting.reorder = fields["reorder"] != nil
        reporting.drop = fields["drop"] != nil
        reporting.interim = fields["interim"] != nil
        reporting.wrongRequestID = fields["wrong"] != nil
        reporting.missingCRQID = fields["missing"] != nil
        reporting.paused = fields["paused"] != nil
        reporting.timeScale = try fields.number("scale", in: SettingBounds.timeScale) ?? 1
        return reporting
    }

    /// Another site in the same browser has no business here.
    private func apply(
        _ request: Request, _ change: (ControlFields) throws(BadSetting) -> Void
    ) async throws -> Response {
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] } ?? "none"
        guard ["same-origin", "none"].contains(site) else { return Response(status: .forbidden) }
        let body = try await request.body.collect(upTo: 16 << 10)
        do {
            try change(ControlFields(Substring(String(buffer: body))))
        } catch {
            return Response(
                status: .badRequest, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: "Nothing was changed: \(error.sentence).\n")))
        }
        return Response(status: .seeOther, headers: [.location: "/"])
    }
}

/// The fields of a form; one that is empty is not there.
struct ControlFields {
    private let fields: [String: String]

    init(_ text: Substring) {
        fields = FormEncoding.decode(text).filter { !$0.value.isEmpty }
    }

    subscript(name: String) -> String? { fields[name] }

    /// Nil when it is not there; throws when it is no number within the bounds.
    func number<Number: LosslessStringConvertible>(
        _ name: String, in bounds: ClosedRange<Number>
    ) throws(BadSetting) -> Number? {
        guard let text = fields[name] else { return nil }
        guard let number = Number(text), bounds.contains(number) else {
            throw BadSetting(sentence: "\(name) must be from \(bounds.lowerBound) to \(bounds.upperBound)")
        }
        return number
    }

    /// Nil when it is not there; throws when it is none of the choices.
    func choice<Choice>(_ name: String, _ choice: (String) -> Choice?) throws(BadSetting) -> Choice? {
        guard let text = fields[name] else { return nil }
        guard let value = choice(text) else { throw BadSetting(sentence: "\(name) must be one of the page's") }
        return value
    }
}
