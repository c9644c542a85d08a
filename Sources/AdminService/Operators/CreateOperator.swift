import Identity

/// Adds an operator and makes the secret for their authenticator, and their recovery codes.
struct CreateOperator: Sendable {
    let store: OperatorStore
    let vault: TOTPVault

    enum Outcome: Sendable {
        case created(EnrolledOperator)
        /// An active operator has the phone.
        case alreadyExists
    }

    /// With `replacing`, the operator who has the phone now is disabled first. Throws `PostgresError`.
    func callAsFunction(
        phone: PhoneNumber, role: Role, replacing: Bool = false, by actor: AuditActor, origin: AuditOrigin
    ) async throws -> Outcome {
        let admin = Operator(id: AdminID(), phone: phone, role: role)
        let enrolment = TOTPEnrolment()
        let codes = (0..<RecoveryCode.count).map { _ in RecoveryCode() }
        let new = OperatorStore.New(
            admin: admin, sealedSecret: try vault.seal(enrolment.secret, for: admin.id),
            recoveryHashes: codes.map { $0.hash(for: admin.id) })
        let insertion =
            replacing
            ? try await store.replace(with: new, by: actor, origin: origin)
            : try await store.insert(new, by: actor, origin: origin)
        return switch insertion {
        case .inserted: .created(EnrolledOperator(admin: admin, enrolment: enrolment, recoveryCodes: codes))
        case .phoneTaken: .alreadyExists
        }
    }
}

/// A new operator with what is shown once, to the person who enrols them, and never again.
struct EnrolledOperator: Sendable {
    let admin: Operator
    let enrolment: TOTPEnrolment
    let recoveryCodes: [RecoveryCode]

    /// The `otpauth://` address.
    var uri: String { enrolment.uri(account: admin.phone) }
    /// The secret in the alphabet that authenticator apps take by hand.
    var secretText: String { TOTPEnrolment.base32(enrolment.secret.bytes) }

    /// All of it for a terminal. The address has a line of its own, for programs.
    var sheet: String {
        var lines = [uri, "", "Scan this with an authenticator app, or enter the secret \(secretText) by hand."]
        if let code = QRCode(uri) { lines += ["", code.terminalText] }
        lines += ["", "Recovery codes, each good once in the place of the authenticator's code:"]
        lines += recoveryCodes.map { "  \($0.text)" }
        lines += ["", "None of this can be shown again."]
        return lines.joined(separator: "\n")
    }
}
