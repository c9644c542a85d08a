import HTTPServer
import Hummingbird
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// `GET`, `POST` and `DELETE /v1/admin/admins`: who may operate Postkey. For owners.
struct AdminRoutes: Sendable {
    let store: OperatorStore
    let appoint: AppointOperator
    let remove: RemoveOperator
    let gate: OperatorGate

    func add(to router: PostkeyRouter) {
        let owners = router.operators(atLeast: .owner, gate)
        owners.get("/v1/admin/admins") { _, _ in
            try Response.json(.ok, AdminListing(admins: try await store.list().map(AdminListing.Item.init)))
        }
        owners.post("/v1/admin/admins") { request, context in
            let body = try await request.json(as: AppointmentBody.self)
            let (phone, role) = try body.checked()
            return try Self.answer(
                try await appoint(phone: phone, role: role, by: context.admin, origin: AuditOrigin(context.base)))
        }
        owners.delete("/v1/admin/admins") { request, context in
            guard let id = try request.query.parsed("id", "the id of an operator", AdminID.init) else {
                throw Problem.invalid("id", "is required")
            }
            return try await removal(of: id, context)
        }
        owners.delete("/v1/admin/admins/{id}") { _, context in
            try await removal(of: try context.parameter("id", AdminID.init), context)
        }
    }

    private func removal(of id: AdminID, _ context: OperatorContext) async throws -> Response {
        switch try await remove(id, by: context.admin, origin: AuditOrigin(context.base)) {
        case .removed: return Response.empty()
        case .notFound: throw Problem(.notFound)
        case .lastOwner: throw Problem(.lastOwner)
        case .ownRole: throw Problem(.ownRole)
        }
    }

    private static func answer(_ outcome: AppointOperator.Outcome) throws -> Response {
        switch outcome {
        case .created(let enrolled): return try Response.json(.created, AppointmentAnswer(enrolled))
        case .changed(let admin): return try Response.json(.ok, AppointmentAnswer(admin))
        case .lastOwner: throw Problem(.lastOwner)
        case .ownRole: throw Problem(.ownRole)
        case .notFound: throw Problem(.notFound)
        }
    }
}

struct AppointmentBody: JSONBody {
    static let members: Set<String> = ["phone", "role"]
    let phone: String
    let role: String

    /// Throws `invalid-request`, `not-a-mobile-phone`.
    func checked() throws(Problem) -> (PhoneNumber, Role) {
        guard let role = Role(rawValue: role) else { throw .invalid("role", "must be viewer, support or owner") }
        guard let phone = try? PhoneNumber(parsing: phone, defaultRegion: nil) else {
            throw .invalid("phone", "must be a phone number in international form, such as +919876543210")
        }
        guard phone.mayBeMobile else { throw Problem(.notAMobilePhone, detail: phone.whyNoCodes) }
        return (phone, role)
    }
}

/// An operator, and if they are new what is shown once.
struct AppointmentAnswer: Encodable {
    let admin: Operator
    var totpSecret: String?
    var totpURI: String?
    var recoveryCodes: [String]?

    init(_ admin: Operator) { self.admin = admin }

    init(_ enrolled: EnrolledOperator) {
        admin = enrolled.admin
        totpSecret = enrolled.secretText
        totpURI = enrolled.uri
        recoveryCodes = enrolled.recoveryCodes.map(\.text)
    }

    enum CodingKeys: String, CodingKey {
        case admin
        case totpSecret = "totp_secret"
        case totpURI = "totp_uri"
        case recoveryCodes = "recovery_codes"
    }
}

struct AdminListing: Encodable {
    struct Item: Encodable {
        let id: AdminID
        let phone: String
        let role: Role
        let createdAt: Date
        let lastSignInAt: Date?
        let isLocked: Bool
        let recoveryCodesLeft: Int

        init(_ listed: ListedOperator) {
            id = listed.admin.id
            phone = listed.admin.phone.description
            role = listed.admin.role
            createdAt = listed.createdAt
            lastSignInAt = listed.lastSignInAt
            isLocked = listed.lockedUntil != nil
            recoveryCodesLeft = listed.recoveryCodesLeft
        }

        enum CodingKeys: String, CodingKey {
            case id, phone, role
            case createdAt = "created_at"
            case lastSignInAt = "last_sign_in_at"
            case isLocked = "locked"
            case recoveryCodesLeft = "recovery_codes_left"
        }
    }

    let admins: [Item]
}
