import Caching
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
            do {
                let page = try await read(query, refresh: Freshness.isBypassed(by: request), trace: context.trace)
                return Response.json(.ok, text: page.value.json, headers: Freshness.headers(age: page.age))
            } catch let error as UpstreamError {
                switch error {
                case .refused, .notFound: throw Problem.invalid("cursor", "must be a next_cursor of the same list")
                case .unavailable, .unreadable: throw Problem.upstreamAway([.otp])
                }
            }
        }
    }
}
