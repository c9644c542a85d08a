import Foundation
package import HTTPServer
import Hummingbird
import Identity
import Tokens

/// The day's budget and the switch that stops all sending: `/internal/budget`, with service tokens only.
package struct BudgetRoutes: Sendable {
    let store: BudgetStore
    let limit: Int?
    let statistics: StatisticsStore
    let outbox: Outbox
    let watch: DestinationWatch
    let tokens: TokenVerifier

    /// Adds the routes.
    package func add(to router: PostkeyRouter) {
        let trusted = router.group("internal", serviceTokens: tokens, audience: .otp, callers: [.admin])
        trusted.get("budget") { _, _ in
            try Response.json(.ok, try await answer())
        }
        for (action, paused) in [("pause", true), ("resume", false)] {
            trusted.post("budget/\(action)") { request, context in
                let key = try request.actKey
                let reason = try await request.optionalJSON(as: ReasonBody.self)?.checkedReason()
                try await store.setPaused(paused, by: context.service.rawValue, reason: reason, key: key).check()
                // The others follow within a second.
                await watch.renew()
                return try Response.json(.ok, try await answer())
            }
        }
    }

    /// Without a budget no send is charged to anything, and the day's messages are those of the statistics.
    private func answer() async throws -> BudgetAnswer {
        let view = try await store.view()
        let used = limit == nil ? try await statistics.read(days: 1).total.sent : view.used
        return BudgetAnswer(view, used: used, limit: limit, outbox: try await outbox.depth())
    }
}

struct BudgetAnswer: Encodable {
    let day: String
    let used: Int
    let limit: Int?
    let paused: Bool
    let since: Date
    let changedBy: String?
    let reason: String?
    let outboxDepth: Int
    let outboxOldestSeconds: Double
    let asOf: Date

    init(_ view: BudgetView, used: Int, limit: Int?, outbox: OutboxDepth) {
        day = view.day
        self.used = used
        self.limit = limit
        paused = view.paused
        since = view.since
        changedBy = view.changedBy
        reason = view.reason
        outboxDepth = outbox.count
        outboxOldestSeconds = outbox.oldestSeconds
        asOf = view.asOf
    }

    enum CodingKeys: String, CodingKey {
        case day, used, limit, paused, since, reason
        case changedBy = "changed_by"
        case outboxDepth = "outbox_depth"
        case outboxOldestSeconds = "outbox_oldest_seconds"
        case asOf = "as_of"
    }
}
