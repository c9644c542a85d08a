import HTTPServer
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A page of the audit log as its template wants it.
struct AuditView: Sendable {
    struct Row: Sendable {
        let at: Wording.Moment?
        let who: String
        /// The rows of the same operator.
        let whoPath: String?
        let what: String
        let targetKind: String
        let targetID: String
        /// The id, its end only if it is a long one.
        let targetName: String
        /// Where the target is shown; nil if nowhere.
        let targetPath: String?
        let change: String?
        let reason: String?
        /// Nil if it was done.
        let outcome: String?
        let outcomeTone: String
        let address: String
        let requestID: String?
    }

    /// The rows of the table, as HTML.
    let body: String
    let isEmpty: Bool
    let actors: [UsersPage.Choice]
    let actions: [UsersPage.Choice]
    let filterActor: String
    let filterAction: String
    let target: String
    let from: String
    let to: String
    let isNarrowed: Bool
    let mayExport: Bool
    let first: String?
    let previous: String?
    let next: String?
    let asOf: Wording.Moment?

    init(_ page: AuditPage, _ filter: AuditFilter, _ trail: Trail, mayExport: Bool) {
        var markup = Markup()
        for entry in page.entries { Row(entry).write(to: &markup) }
        body = markup.html
        isEmpty = page.entries.isEmpty
        actors = Self.actors(filter.actor)
        actions = UsersPage.choices(
            [("", "Any action")] + AuditAction.allCases.map { ($0.rawValue, $0.title) }, filter.action)
        filterActor = filter.actor ?? ""
        filterAction = filter.action ?? ""
        target = filter.target ?? ""
        from = filter.from ?? ""
        to = filter.to ?? ""
        isNarrowed = filter.isNarrowed
        self.mayExport = mayExport
        first = trail.isEmpty ? nil : filter.link(Trail())
        previous = trail.previous.map(filter.link)
        next = page.next.map { filter.link(trail.appending($0.description)) }
        asOf = WireTime(Timestamp.text(page.asOf)).map(Wording.moment)
    }

    /// The kinds, and the operator that the address names if it names one.
    private static func actors(_ chosen: String?) -> [UsersPage.Choice] {
        var all = [("", "Anybody"), ("admin", "Operators"), ("command", "Command line"), ("stranger", "Strangers")]
        if let chosen, !all.contains(where: { $0.0 == chosen }) {
            all.append((chosen, "Operator \(chosen.prefix(8))…"))
        }
        return UsersPage.choices(all, chosen)
    }
}

extension AuditView.Row {
    init(_ entry: AuditEntry) {
        at = WireTime(Timestamp.text(entry.at)).map(Wording.moment)
        switch entry.actor {
        case .admin: who = entry.actorPhone?.description ?? "Operator"
        case .command: who = "Command line"
        case .stranger: who = "Stranger"
        }
        whoPath = entry.actorID.map { "/audit?actor=\($0)" }
        what = AuditAction(rawValue: entry.action)?.title ?? entry.action
        targetKind = entry.targetKind ?? "–"
        targetID = entry.targetID ?? ""
        targetName = targetID.utf8.count == 36 ? "…\(targetID.suffix(12))" : targetID
        targetPath = entry.targetKind == "user" ? entry.targetID.flatMap(UserID.init).map { "/users/\($0)" } : nil
        change = Self.change(entry, what)
        // An operator's role stands there already.
        reason = entry.reason == change ? nil : entry.reason
        switch entry.outcome {
        case .done: (outcome, outcomeTone) = (nil, "good")
        case .failed: (outcome, outcomeTone) = (entry.failure.map { "failed: \($0)" } ?? "failed", "bad")
        case .unknown: (outcome, outcomeTone) = ("no answer", "warning")
        }
        address = entry.address ?? "–"
        requestID = entry.requestID
    }

    /// What was before and after, unless the act says it already.
    private static func change(_ entry: AuditEntry, _ what: String) -> String? {
        guard let after = entry.after else { return nil }
        if let before = entry.before { return "\(before) → \(after)" }
        return what.hasPrefix(after) ? nil : after
    }
}

extension AuditAction {
    /// What was done, in words that fit after a name.
    var title: String {
        switch self {
        case .operatorCreated: "added an operator"
        case .operatorDisabled: "removed an operator"
        case .roleChanged: "changed a role"
        case .signedIn: "signed in"
        case .signInFailed: "failed to sign in"
        case .signInRefused: "was refused at sign-in"
        case .signedOut: "signed out"
        case .denied: "was denied"
        case .userSuspended: "suspended a user"
        case .userReactivated: "reactivated a user"
        case .userSignedOut: "signed a user out"
        case .phoneRevealed: "revealed a phone"
        case .usersSearchedByPhone: "looked for a phone"
        case .phoneUnlocked: "unlocked a phone"
        case .destinationAllowed: "allowed a destination"
        case .destinationReset: "left a destination to its breaker"
        case .destinationBlocked: "blocked a destination"
        case .sendingPaused: "paused all sending"
        case .sendingResumed: "let sending go on"
        case .auditLogExported: "exported the audit log"
        case .cacheCleared: "cleared the caches"
        }
    }
}
