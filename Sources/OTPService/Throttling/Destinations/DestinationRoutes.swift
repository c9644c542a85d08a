import Foundation
package import HTTPServer
import Hummingbird
import Identity
import Tokens

/// What other services may see and decide of destinations: `/internal/destinations`, with service tokens only.
package struct DestinationRoutes: Sendable {
    let store: DestinationStore
    let watch: DestinationWatch
    let policy: DestinationPolicy
    let tokens: TokenVerifier

    /// Adds the routes.
    package func add(to router: PostkeyRouter) {
        let trusted = router.group("internal", serviceTokens: tokens, audience: .otp, callers: [.admin])
        trusted.get("destinations") { request, _ in
            let limit = try request.query.integer("limit", default: 200, in: 1...1000)
            let (destinations, isPaused, asOf) = try await store.list(limit: limit)
            return try Response.json(
                .ok,
                DestinationsAnswer(
                    destinations: destinations.map { DestinationAnswer($0, policy) }, paused: isPaused, asOf: asOf))
        }
        let decisions: [(String, DestinationOverride?)] = [("allow", .allowed), ("block", .blocked), ("reset", nil)]
        for (action, override) in decisions {
            trusted.post("destinations/{prefix}/\(action)") { request, context in
                let name = try context.parameter("prefix", DestinationName.init)
                let key = try request.actKey
                let reason = try await request.optionalJSON(as: ReasonBody.self)?.checkedReason()
                try await store.decide(override, name, by: context.service.rawValue, reason: reason, key: key).check()
                // The others follow within a second.
                await watch.renew()
                return try Response.json(.ok, DestinationAnswer(try await store.destination(name), policy))
            }
        }
    }
}

/// Why an operator decides something.
struct ReasonBody: JSONBody {
    static let members: Set<String> = ["reason"]
    let reason: String?

    /// At most 500 characters, none of them a control character. Throws `invalid-request`.
    func checkedReason() throws(Problem) -> String? {
        guard let reason, !reason.isEmpty else { return nil }
        guard reason.unicodeScalars.count <= 500,
            reason.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw .invalid("reason", "must be at most 500 characters without control characters") }
        return reason
    }
}

struct DestinationsAnswer: Encodable {
    let destinations: [DestinationAnswer]
    /// Whether an operator stopped all sending.
    let paused: Bool
    let asOf: Date

    enum CodingKeys: String, CodingKey {
        case destinations, paused
        case asOf = "as_of"
    }
}

struct DestinationAnswer: Encodable {
    /// The beginning of the numbers, or the country itself.
    let prefix: String
    let country: String?
    let sends: Int
    let verified: Int
    /// Verified ÷ sends; nil without sends.
    let conversion: Double?
    let state: String
    /// Whether `OTP_ALLOWED_COUNTRIES` has its country: if not, nothing is sent there whatever the state is.
    let permitted: Bool
    let since: Date?
    let until: Date?
    let changedBy: String?
    let reason: String?

    init(_ destination: Destination, _ policy: DestinationPolicy) {
        let name = DestinationName(destination.name)
        prefix = destination.name
        country = name?.country
        permitted = name.map(policy.permits) ?? true
        sends = destination.sends
        verified = destination.verified
        conversion =
            destination.sends > 0
            ? (Double(destination.verified) / Double(destination.sends) * 10_000).rounded() / 10_000 : nil
        state = destination.state
        since = destination.state == "closed" ? nil : destination.since
        until = destination.until
        changedBy = destination.override == nil ? nil : destination.overriddenBy
        reason = destination.override == nil ? nil : destination.reason
    }

    enum CodingKeys: String, CodingKey {
        case prefix, country, sends, verified, conversion, state, permitted, since, until, reason
        case changedBy = "changed_by"
    }
}
