import Foundation
import HTTPServer
import Identity

/// Everything that user-service keeps about a user.
struct AccountExport: Sendable {
    /// One session, live or over; they are kept for 31 days.
    struct Session: Sendable {
        let id: SessionID
        let deviceName: String?
        let address: String?
        let createdAt: Date
        let lastUsedAt: Date
        let expiresAt: Date
        let endedAt: Date?
        let endReason: String?
    }

    /// How many sessions an export has at most, the newest: an answer is one piece in memory.
    static let sessionLimit = 1000

    let user: User
    let updatedAt: Date
    /// When all sessions were last ended at once.
    let signedOutAt: Date?
    let exportedAt: Date
    /// The last day (UTC) of a sign-in or refresh, `2026-11-24`.
    let lastActiveOn: String?
    /// How many sessions there are, over the limit too.
    let sessionCount: Int
    /// In the last day.
    let phoneChanges: [Date]
    /// Newest first.
    var sessions: [Session] = []

    var json: String {
        var json = JSONText(capacity: 1024 + sessions.count * 400)
        json.open("{")
        json.member("exported_at", Timestamp.text(exportedAt))
        json.name("user")
        json.open("{")
        user.writeMembers(to: &json)
        json.member("updated_at", Timestamp.text(updatedAt))
        json.nullable("signed_out_everywhere_at", signedOutAt.map(Timestamp.text))
        json.nullable("last_active_on", lastActiveOn)
        json.close("}")
        json.name("phone_changes")
        json.open("[")
        for time in phoneChanges { json.value(Timestamp.text(time)) }
        json.close("]")
        json.member("sessions_total", sessionCount)
        json.name("sessions")
        json.open("[")
        for session in sessions { session.write(to: &json) }
        json.close("]")
        json.close("}")
        return json.text
    }
}

extension AccountExport.Session {
    fileprivate func write(to json: inout JSONText) {
        json.open("{")
        json.member("id", id.description)
        json.nullable("device_name", deviceName)
        json.nullable("address", address)
        json.member("created_at", Timestamp.text(createdAt))
        json.member("last_used_at", Timestamp.text(lastUsedAt))
        json.member("expires_at", Timestamp.text(expiresAt))
        json.nullable("ended_at", endedAt.map(Timestamp.text))
        json.nullable("end_reason", endReason)
        json.close("}")
    }
}
