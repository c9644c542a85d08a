internal import HTTPTypes
internal import Hummingbird

/// What the forms of the page do; each ends with a redirect to the page, so that a reload repeats nothing.
struct ControlForms: Sendable {
    let gateway: Gateway

    func add(to router: Router<SimulatorContext>) {
        router.post("/controls/faults") { request, _ in
            try await apply(request) { fields in
                guard let preset = FaultPreset.named(fields["preset"] ?? "") else { return }
                var fault = preset.fault
                fault.requests = fields["requests"].flatMap(Int.init).map { min(max($0, 1), 1_000_000) }
                fault.endpoint = fields["endpoint"].flatMap(Endpoint.init)
                fault.mobile = fields["mobile"].map { $0.filter(\.isNumber) }.flatMap { $0.isEmpty ? nil : $0 }
                gateway.setFaults(gateway.faults() + [fault])
            }
        }
        router.post("/controls/faults/end") { request, _ in
            try await apply(request) { _ in gateway.setFaults([]) }
        }
        router.post("/controls/account") { request, _ in
            try await apply(request) { fields in
                gateway.updateAccount { account in
                    account.ipAllowed = fields["ip"] != nil
                    account.dltCheck = fields["dlt"] != nil
                    account.faultNumbers = fields["numbers"] != nil
                    account.balance = fields["balance"].flatMap(Int.init)
                    account.latency = min(max(fields["latency"].flatMap(Int.init) ?? 0, 0), 120_000)
                    if let type = fields["type"], ["application/json", "text/html"].contains(type) {
                        account.contentType = type
                    }
                }
            }
        }
        router.post("/controls/reporting") { request, _ in
            try await apply(request) { fields in
                var reporting = Reporting(
                    url: fields["url"].flatMap { $0.isEmpty ? nil : $0 },
                    format: fields["format"].flatMap(Reporting.Format.init) ?? .v3)
                reporting.delay = min(max(fields["delay"].flatMap(Int.init) ?? 0, 0), 600_000)
                reporting.duplicate = fields["duplicate"] != nil
                reporting.reorder = fields["reorder"] != nil
                reporting.drop = fields["drop"] != nil
                reporting.interim = fields["interim"] != nil
                reporting.wrongRequestID = fields["wrong"] != nil
                reporting.missingCRQID = fields["missing"] != nil
                reporting.paused = fields["paused"] != nil
                reporting.timeScale = fields["scale"].flatMap(Double.init) ?? 1
                gateway.setReporting(reporting)
            }
        }
        router.post("/controls/clear") { request, _ in
            try await apply(request) { _ in gateway.removeMessages() }
        }
    }

    /// Another site in the same browser has no business here.
    private func apply(_ request: Request, _ change: ([String: String]) -> Void) async throws -> Response {
        let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headers[$0] } ?? "none"
        guard ["same-origin", "none"].contains(site) else { return Response(status: .forbidden) }
        let body = try await request.body.collect(upTo: 16 << 10)
        change(FormEncoding.decode(Substring(String(buffer: body))))
        return Response(status: .seeOther, headers: [.location: "/"])
    }
}
