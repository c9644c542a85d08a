import HTTPServer
import Hummingbird
import Identity

/// Judges and records searches of users by phone.
///
/// The list masks phones. Whoever tries beginnings digit by digit and sees who is still in the answer reads them all the same, so
/// what a search says beyond the mask is for support and is recorded first, as a reveal is.
struct SearchByPhone: Sendable {
    /// As many digits as the mask of every number but the shortest shows.
    static let shownDigits = 3

    let gate: OperatorGate
    let audit: AuditStore

    /// Returns if the search may be done. Throws `insufficient-scope` (403), `PostgresError`, `NotRecorded`.
    func check(_ query: DirectoryQuery, _ context: OperatorContext, _ request: Request) async throws {
        guard let digits = query.search.flatMap(Self.digits), digits.utf8.count > Self.shownDigits else { return }
        try await gate.require(.support, context, request)
        // A later page is of a search that was recorded with its first.
        guard query.cursor == nil else { return }
        try await audit.record(
            .usersSearchedByPhone, by: context.admin.id, target: ("phone", Self.masked(digits)),
            origin: AuditOrigin(context.base))
    }

    /// The digits of a search that can be the beginning of a phone; nil for a name or an id.
    ///
    /// Rather too many texts than too few: user-service takes fewer for phones.
    static func digits(_ search: String) -> String? {
        guard !search.contains(where: \.isLetter) else { return nil }
        let digits = search.filter { $0.isASCII && $0.isNumber }
        // No E.164 number begins with a zero (ITU-T E.164 §6.1); the ids that we make do.
        return digits.isEmpty || digits.hasPrefix("0") ? nil : digits
    }

    /// `+9198*****210` of a whole number, `+919**` of a beginning.
    static func masked(_ digits: String) -> String {
        let whole = try? PhoneNumber(parsing: "+" + digits, defaultRegion: nil)
        if let whole, whole.lineType != .unknown { return whole.description }
        let hidden = String(repeating: "*", count: max(0, digits.utf8.count - shownDigits))
        return "+" + digits.prefix(shownDigits) + hidden
    }
}
