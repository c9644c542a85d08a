import Caching
import HTTPServer
import Hummingbird
import Identity

/// `GET /v1/admin/users` and `/v1/admin/users/{id}`.
struct DirectoryRoutes: Sendable {
    let read: ReadDirectory
    let defaultRegion: String?
    let byPhone: SearchByPhone
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        let viewers = router.operators(atLeast: .viewer, gate)
        viewers.get("/v1/admin/users") { request, context in
            try await page(try DirectoryQuery(request.query, defaultRegion: defaultRegion), request, context)
        }
        viewers.get("/v1/admin/users/{id}") { request, context in
            let id = try context.parameter("id", UserID.init)
            return Self.answer(
                try await read.user(id, refresh: Freshness.isBypassed(by: request), trace: context.trace))
        }
    }

    private func page(_ query: DirectoryQuery, _ request: Request, _ context: OperatorContext) async throws -> Response
    {
        try await byPhone.check(query, context, request)
        do {
            return Self.answer(
                try await read.page(query, refresh: Freshness.isBypassed(by: request), trace: context.trace))
        } catch UpstreamError.refused(_, let field) {
            guard field == "search" else {
                // We have judged everything else ourselves.
                throw Problem.invalid("cursor", "must be a next_cursor of the same list")
            }
            throw Problem.invalid("search", "must be the beginning of a phone or a part of a name")
        }
    }

    private static func answer(_ cached: CachedValue<ReadDirectory.Answer>) -> Response {
        Response.json(.ok, text: cached.value.json, headers: Freshness.headers(age: cached.age))
    }
}
