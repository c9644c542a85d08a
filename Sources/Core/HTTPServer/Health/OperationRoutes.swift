import HTTPTypes
import Hummingbird

/// The paths for those who run the service: none of them is routed to the public but the OpenAPI file below the prefix.
struct OperationRoutes: Sendable {
    let readiness: Readiness
    let state: ServingState
    let openAPI: String?
    let prefix: String
    let metrics: @Sendable () -> String

    func add(to router: PostkeyRouter) {
        // Answers as long as requests are answered at all: a liveness that asked others would restart this process for
        // their faults.
        router.get("/health/live") { _, _ in Response.json(.ok, text: #"{"status":"live"}"#) }
        router.get("/health/ready") { _, _ in await ready() }
        router.get("/metrics") { _, _ in
            Response.text(.ok, metrics(), type: "text/plain; version=0.0.4; charset=utf-8")
        }
        guard let openAPI else { return }
        for path in ["/openapi.yaml", "\(prefix)/openapi.yaml"] {
            router.get(RouterPath(path)) { _, _ in Response.text(.ok, openAPI, type: "application/yaml") }
        }
    }

    private func ready() async -> Response {
        let report = await readiness.report()
        let isReady = report.isReady && !state.isDraining
        var text = JSONText()
        text.open("{")
        let able = report.isDegraded ? "degraded" : "ready"
        text.member("status", state.isDraining ? "stopping" : isReady ? able : "unavailable")
        text.name("checks")
        text.open("{")
        for (name, isRequired, passes) in report.checks {
            text.member(name, passes ? "ok" : isRequired ? "failed" : "degraded")
        }
        text.close("}")
        text.close("}")
        return .json(
            isReady ? .ok : .serviceUnavailable, text: String(decoding: text.bytes, as: UTF8.self),
            headers: isReady ? [:] : [.retryAfter: "1"])
    }
}
