import Caching
import HTTPServer
import Hummingbird
import Identity

/// `GET /v1/admin/destinations`.
struct DestinationRoutes: Sendable {
    let read: ReadDestinations
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        router.operators(atLeast: .viewer, gate).get("/v1/admin/destinations") { request, context in
            do {
                let board = try await read(refresh: Freshness.isBypassed(by: request), trace: context.trace)
                return try Response.json(.ok, board.value, headers: Freshness.headers(age: board.age))
            } catch is UpstreamError {
                throw Problem.upstreamAway([.otp])
            }
        }
    }
}
