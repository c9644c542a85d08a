import HTTPServer
import Identity

/// Shows the whole phone of a user to an operator, after it was recorded.
struct RevealPhone: Sendable {
    let services: ActionServices
    let audit: AuditStore

    enum Outcome: Sendable {
        case phone(PhoneNumber)
        /// No such user, or a deleted one.
        case notFound
        case away(ServiceName)
    }

    /// Throws `PostgresError`: then nothing is shown.
    func callAsFunction(
        _ user: UserID, reason: Reason?, by admin: AdminID, origin: AuditOrigin, trace: RequestTrace?
    ) async throws -> Outcome {
        let phone: PhoneNumber?
        do throws(UpstreamError) {
            phone = try await services.user(user, trace: trace).entry.phone
        } catch {
            return error == .notFound(.user) ? .notFound : .away(.user)
        }
        guard let phone else { return .notFound }
        try await audit.record(
            .phoneRevealed, by: admin, target: ("user", user.description), reason: reason?.text, origin: origin)
        return .phone(phone)
    }
}
