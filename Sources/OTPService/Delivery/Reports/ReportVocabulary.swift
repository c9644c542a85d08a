/// What the words and numbers of reports mean (design document `msg91.md` §9.1, §9.2).
enum ReportVocabulary {
    /// The state of a report; nil if it says nothing of the message itself: a duplicate that the gateway swallowed.
    static func state(status: String, description: String) -> ReportedState? {
        let text = description.lowercased()
        if text.contains("same content") || text.contains("duplicate") || text == "311" { return nil }
        switch status.lowercased() {
        case "1", "delivered", "delivrd", "success", "read": return .delivered
        case "2", "9", "16", "17", "20", "25", "failed", "failure", "undelivered", "undeliv", "rejected", "rejectd",
            "blocked", "ndnc", "expired", "error":
            return .failed
        default: return .submitted
        }
    }

    /// Why it failed, by what is told of it first, then by the status.
    static func reason(status: String, description: String) -> UndeliveredReason {
        let text = description.lowercased()
        for (reason, words) in phrases where words.contains(where: text.contains) { return reason }
        switch status.lowercased() {
        case "16", "25", "rejected", "rejectd": return .rejected
        case "9", "17", "blocked", "ndnc": return .blocked
        case "20": return .countryBlocked
        case "expired": return .unreachable
        default: return .undelivered
        }
    }

    /// In order: the first that is found counts.
    private static let phrases: [(UndeliveredReason, [String])] = [
        (.countryBlocked, ["country"]),
        (.full, ["memexcd", "memory", "inbox capacity"]),
        (.barred, ["barred", "not provisioned", "temporarily blocked", "not supported"]),
        (.unreachable, ["abs", "unavailable", "nwfail", "tmout", "timeout", "busy", "system failure"]),
        (.rejected, ["dlt", "template", "entity", "header", "scrub", "kannel", "rejected"]),
        (.blocked, ["block", "ndnc", "dnd", "preference"]),
    ]
}
