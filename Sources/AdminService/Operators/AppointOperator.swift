import Identity

/// Gives a phone a role among the operators: a new operator, or another role for one that there is. For owners.
struct AppointOperator: Sendable {
    let create: CreateOperator
    let store: OperatorStore

    enum Outcome: Sendable {
        case created(EnrolledOperator)
        /// An operator had another role, or had this one already.
        case changed(Operator)
        /// There would be no owner left.
        case lastOwner
        /// Nobody changes their own role: a slip would lock the owner out.
        case ownRole
        case notFound
    }

    /// By phone. Throws `PostgresError`.
    func callAsFunction(
        phone: PhoneNumber, role: Role, by owner: Operator, origin: AuditOrigin
    ) async throws -> Outcome {
        // Between looking and adding another may add the same phone, or remove it: then it is looked again.
        for _ in 0..<2 {
            if let existing = try await store.active(phone: phone) {
                let outcome = try await change(existing, to: role, by: owner, origin: origin)
                if case .notFound = outcome { continue }
                return outcome
            }
            switch try await create(phone: phone, role: role, by: .admin(owner.id), origin: origin) {
            case .created(let enrolled): return .created(enrolled)
            case .alreadyExists: continue
            }
        }
        return .notFound
    }

    /// By id, for one that there is. Throws `PostgresError`.
    func callAsFunction(
        _ id: AdminID, role: Role, by owner: Operator, origin: AuditOrigin
    ) async throws -> Outcome {
        guard let existing = try await store.list().map(\.admin).first(where: { $0.id == id }) else { return .notFound }
        return try await change(existing, to: role, by: owner, origin: origin)
    }

    private func change(
        _ admin: Operator, to role: Role, by owner: Operator, origin: AuditOrigin
    ) async throws -> Outcome {
        if admin.id == owner.id, admin.role != role { return .ownRole }
        let changed = Operator(id: admin.id, phone: admin.phone, role: role)
        return switch try await store.change(admin.id, to: role, by: .admin(owner.id), origin: origin) {
        case .changed, .unchanged: .changed(changed)
        case .lastOwner: .lastOwner
        case .notFound: .notFound
        }
    }
}

/// Takes an operator's rights away: disables them and ends their sessions. For owners.
struct RemoveOperator: Sendable {
    let store: OperatorStore

    enum Outcome: Sendable, Equatable { case removed, notFound, lastOwner, ownRole }

    /// Throws `PostgresError`.
    func callAsFunction(_ id: AdminID, by owner: Operator, origin: AuditOrigin) async throws -> Outcome {
        if id == owner.id { return .ownRole }
        return switch try await store.change(id, to: nil, by: .admin(owner.id), origin: origin) {
        case .changed, .unchanged: .removed
        case .notFound: .notFound
        case .lastOwner: .lastOwner
        }
    }
}
