import HTTPServer
import Hummingbird
import Identity

/// `GET /v1/admin/messages`.
struct MessageRoutes: Sendable {
    let read: ReadMessages
    let defaultRegion: String?
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        router.operators(atLeast: .viewer, gate).get("/v1/admin/messages") { request, context in
            let query = try MessageQuery(try request.query, defaultRegion: defaultRegion)
            // To look for a phone is to know it.
            if query.phone != nil { try await gate.require(.support, context, request) }
            do throws(UpstreamError) {
                let page = try await read(query, trace: context.trace)
                return Response.json(.ok, text: page.json, headers: Freshness.headers(age: .zero))
            } catch {
                switch error {
                case .refused, .notFound: throw Problem.invalid("cursor", "must be a next_cursor of the same list")
                case .unavailable, .unreadable: throw Problem.upstreamAway([.otp])
                }
            }
        }
    }
}
