import Caching
import HTTPServer
import Hummingbird
import Identity

/// `GET /v1/admin/users` and `/v1/admin/users/{id}`.
struct DirectoryRoutes: Sendable {
    let read: ReadDirectory
    let defaultRegion: String?
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        let viewers = router.operators(atLeast: .viewer, gate)
        viewers.get("/v1/admin/users") { request, context in
            let query = try DirectoryQuery(request.query, defaultRegion: defaultRegion)
            return try await answer {
                try await read.page(query, refresh: Freshness.isBypassed(by: request), trace: context.trace)
            }
        }
        viewers.get("/v1/admin/users/{id}") { request, context in
            let id = try context.parameter("id", UserID.init)
            return try await answer {
                try await read.user(id, refresh: Freshness.isBypassed(by: request), trace: context.trace)
            }
        }
    }

    private func answer(_ read: () async throws -> CachedValue<ReadDirectory.Answer>) async throws -> Response {
        do {
            let cached = try await read()
            return Response.json(.ok, text: cached.value.json, headers: Freshness.headers(age: cached.age))
        } catch let error as UpstreamError {
            switch error {
            case .notFound: throw Problem(.notFound)
            case .refused(_, field: "search"):
                throw Problem.invalid("search", "must be the beginning of a phone or a part of a name")
            // We have judged everything else ourselves.
            case .refused: throw Problem.invalid("cursor", "must be a next_cursor of the same list")
            case .unavailable(let service), .unreadable(let service): throw Problem.upstreamAway([service])
            }
        }
    }
}
