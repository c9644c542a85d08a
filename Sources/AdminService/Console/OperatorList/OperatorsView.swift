import HTTPServer
import Identity

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The list of operators as its template wants it.
struct OperatorsView: Sendable {
    struct Row: Sendable {
        let id: String
        let phone: String
        let role: String
        let isSelf: Bool
        let added: Wording.Moment?
        let lastSignIn: Wording.Moment?
        let isLocked: Bool
        let codesLeft: String
        let hasFewCodes: Bool
        let roles: [UsersPage.Choice]
    }

    struct RoleChoice: Sendable {
        let value: String
        let rights: String
        let isFirst: Bool
    }

    let rows: [Row]
    let roles: [RoleChoice]

    init(_ operators: [ListedOperator], own: AdminID) {
        rows = operators.map { Row($0, isSelf: $0.admin.id == own) }
        roles = Role.allCases.map { RoleChoice(value: $0.rawValue, rights: $0.rights, isFirst: $0 == .viewer) }
    }
}

extension OperatorsView.Row {
    init(_ listed: ListedOperator, isSelf: Bool) {
        id = listed.admin.id.description
        // Whole, for owners only: two masked ones can look the same, and a mistyped one would never be seen.
        phone = listed.admin.phone.e164
        role = listed.admin.role.rawValue
        self.isSelf = isSelf
        added = WireTime(Timestamp.text(listed.createdAt)).map(Wording.moment)
        lastSignIn = listed.lastSignInAt.flatMap { WireTime(Timestamp.text($0)) }.map(Wording.moment)
        isLocked = listed.lockedUntil != nil
        codesLeft = String(listed.recoveryCodesLeft)
        hasFewCodes = listed.recoveryCodesLeft < 3
        roles = UsersPage.choices(
            Role.allCases.map { ($0.rawValue, $0.rawValue.capitalized) }, listed.admin.role.rawValue)
    }
}

/// What a new operator needs for the authenticator, shown once.
struct EnrolmentView: Sendable {
    let phone: String
    let role: String
    let uri: String
    let secret: String
    let codes: [String]
    /// Nil if the address cannot be drawn.
    let picture: Picture?

    /// A QR code as one outline, with the quiet zone of four modules that readers need (ISO/IEC 18004 §9.1).
    struct Picture: Sendable {
        let size: Int
        let path: String

        init(_ code: QRCode) {
            size = code.modules.count + 8
            path = code.modules.enumerated().map { row, modules in
                modules.indices.filter { modules[$0] }.map { "M\($0 + 4) \(row + 4)h1v1h-1z" }.joined()
            }.joined()
        }
    }

    init(_ enrolled: EnrolledOperator) {
        phone = enrolled.admin.phone.e164
        role = enrolled.admin.role.rawValue
        uri = enrolled.uri
        secret = enrolled.secretText
        codes = enrolled.recoveryCodes.map(\.text)
        picture = QRCode(enrolled.uri).map(Picture.init)
    }
}
