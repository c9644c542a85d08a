internal import HTTPTypes
internal import Hummingbird

/// The inbox as a page and as JSON; no part of MSG91.
struct InboxRoutes: Sendable {
    let gateway: Gateway
    let page: InboxPage

    func add(to router: Router<SimulatorContext>) {
        router.get("/") { request, _ in
            let mobile = Self.mobile(request)
            let messages = gateway.messages(to: mobile, limit: 100)
            return Self.document(page.render(messages, mobile: mobile, gateway: gateway), "text/html; charset=utf-8")
        }
        router.get("/inbox.css") { _, _ in Self.document(page.style, "text/css; charset=utf-8") }
        router.get("/inbox.js") { _, _ in Self.document(page.script, "text/javascript; charset=utf-8") }
        router.get("/icon.svg") { _, _ in Self.document(page.icon, "image/svg+xml") }
        router.get("/messages") { request, _ in
            let fields = FormEncoding.decode(Substring(request.uri.query ?? ""))
            let limit = fields["limit"].map { Int($0) ?? -1 } ?? .max
            guard limit >= 0 else {
                return Response.json(.members(["error": "limit must be a number of messages"]), status: .badRequest)
            }
            let mobile = Self.mobile(request)
            // A script that lost its number is given nobody's codes, rather than everybody's.
            guard mobile != nil || fields["mobile"] == nil else { return Response.json(.array([])) }
            return Response.json(.array(gateway.messages(to: mobile, limit: limit).map(\.json)))
        }
        router.delete("/messages") { _, _ in
            gateway.removeMessages()
            return Response(status: .noContent)
        }
    }

    /// Digits alone, so that a number with its plus is found too; a plus in a query is a space.
    private static func mobile(_ request: Request) -> String? {
        let fields = FormEncoding.decode(Substring(request.uri.query ?? ""))
        return fields["mobile"].map { $0.filter(\.isNumber) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func document(_ text: String, _ contentType: String) -> Response {
        var headers: HTTPFields = [.contentType: contentType, .cacheControl: "no-store"]
        headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
            + "base-uri 'none'; frame-ancestors 'none'"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
