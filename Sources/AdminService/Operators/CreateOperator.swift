import Identity

/// Adds an operator and makes the secret for their authenticator.
struct CreateOperator: Sendable {
    let store: OperatorStore
    let vault: TOTPVault

    enum Outcome: Sendable {
        /// The address to enrol with, to be shown once.
        case created(id: AdminID, uri: String)
        case alreadyExists
    }

    /// With `replacing`, the operator who has the phone now is disabled first. Throws `PostgresError`.
    func callAsFunction(
        phone: PhoneNumber, role: Role, replacing: Bool = false, origin: AuditOrigin
    ) async throws -> Outcome {
        let id = AdminID()
        let enrolment = TOTPEnrolment()
        let new = OperatorStore.New(
            id: id, phone: phone, role: role, sealedSecret: try vault.seal(enrolment.secret, for: id))
        let insertion =
            replacing
            ? try await store.replace(with: new, origin: origin) : try await store.insert(new, origin: origin)
        switch insertion {
        case .inserted: return .created(id: id, uri: enrolment.uri(account: phone))
        case .phoneTaken: return .alreadyExists
        }
    }
}
