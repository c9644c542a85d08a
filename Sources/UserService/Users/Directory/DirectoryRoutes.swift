import Foundation
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// `GET /internal/users`, `/internal/users/{id}` and `/internal/statistics`, for the other services.
struct DirectoryRoutes: Sendable {
    let directory: DirectoryStore
    let statistics: StatisticsStore
    let cursors: DirectoryCursors
    let verifier: TokenVerifier

    func add(to router: PostkeyRouter) {
        let routes = router.group("/internal", serviceTokens: verifier, audience: .user, callers: [.admin])
        routes.get("users") { request, _ in
            let query = try query(try request.query)
            let page = try await directory.page(query)
            return Response.json(.ok, text: page.json(next: page.next.map { cursors.text($0, of: query) }))
        }
        routes.get("users/{id}") { _, context in
            let id = try context.parameter("id") { UserID($0) }
            guard let entry = try await directory.entry(id) else { throw Problem(.notFound) }
            return Response.json(.ok, text: entry.json)
        }
        routes.get("statistics") { request, _ in
            let days = try request.query.integer("days", default: 30, in: 1...366)
            return Response.json(.ok, text: try await statistics.statistics(days: days).json)
        }
    }

    private func query(_ fields: QueryFields) throws(Problem) -> DirectoryQuery {
        var query = DirectoryQuery()
        query.search = try fields.parsed(
            "search", "the beginning of a phone number or id, or a part of a name, at most 200 characters",
            DirectorySearch.init)
        query.status = try fields.parsed(
            "status", "active, suspended or deleted", UserStatus.init(rawValue:))
        query.order =
            try fields.parsed(
                "sort", "created_at or last_sign_in_at, with a minus for the latest first",
                DirectoryOrder.init(rawValue:))
            ?? query.order
        // After the rest: a cursor belongs to its question.
        query.after = try fields.parsed("cursor", "the next_cursor of an earlier page of the same list") { text in
            cursors.position(text, of: query)
        }
        query.limit = try fields.integer("limit", default: query.limit, in: DirectoryQuery.limits)
        return query
    }
}

extension DirectoryPage {
    func json(next: String?) -> String {
        var json = JSONText(capacity: 256 + users.count * 320)
        json.open("{")
        json.name("users")
        json.open("[")
        for user in users { user.write(to: &json) }
        json.close("]")
        json.nullable("next_cursor", next)
        json.member("total", total)
        json.member("total_is_exact", totalIsExact)
        json.member("as_of", Timestamp.text(asOf))
        json.close("}")
        return json.text
    }
}

extension DirectoryEntry {
    var json: String {
        var json = JSONText(capacity: 512 + sessions.count * 256)
        json.open("{")
        user.writeMembers(to: &json)
        json.name("sessions")
        json.open("[")
        for session in sessions {
            json.open("{")
            json.member("id", session.id.description)
            json.nullable("device_name", session.deviceName)
            json.nullable("address", session.address)
            json.member("created_at", Timestamp.text(session.createdAt))
            json.member("last_used_at", Timestamp.text(session.refreshedAt))
            // The name of last_used_at before; admin-service of the version before reads it.
            json.member("refreshed_at", Timestamp.text(session.refreshedAt))
            json.member("expires_at", Timestamp.text(session.expiresAt))
            json.close("}")
        }
        json.close("]")
        json.member("as_of", Timestamp.text(asOf))
        json.close("}")
        return json.text
    }
}
