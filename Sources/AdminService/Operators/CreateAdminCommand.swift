package import ArgumentParser
import Identity
import ServiceRuntime

/// `admin-service create-admin`: adds an operator and prints, once, what their authenticator app needs and the recovery
/// codes.
package struct CreateAdminCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "create-admin",
        abstract: "Add an operator and print, once, the address for their authenticator app and their recovery codes.")

    @Option(help: "The phone in international form, +919876543210.")
    var phone: String

    @Option(help: "viewer, support or owner.")
    var role: String

    @Flag(help: "Disable the operator who has this phone now, end their sessions, and enrol the phone anew.")
    var replace = false

    package init() {}

    package func validate() throws {
        _ = try parsedPhone
        _ = try parsedRole
    }

    package func run() async throws {
        let phone = try parsedPhone
        let role = try parsedRole
        guard phone.mayBeMobile else { throw CommandFailure("Nobody was added. \(phone.whyNoCodes)") }
        try await withRuntime(AdminService.self) { runtime in
            let create = CreateOperator(
                store: OperatorStore(postgres: runtime.postgres),
                vault: TOTPVault(current: runtime.settings.secret, previous: runtime.settings.previousSecret))
            do {
                switch try await create(phone: phone, role: role, replacing: replace, by: .command, origin: .command) {
                case .created(let enrolled): print(enrolled.sheet)
                case .alreadyExists:
                    throw CommandFailure(
                        "An active operator with the phone \(phone) exists already; --replace enrols the phone anew.")
                }
            } catch let error as NotRecorded {
                throw CommandFailure("Nobody was added: the audit log takes no row (\(error.cause)).")
            }
        }
    }

    private var parsedPhone: PhoneNumber {
        get throws {
            do {
                return try PhoneNumber(parsing: phone, defaultRegion: nil)
            } catch {
                throw ValidationError("--phone must be a phone number in international form, such as +919876543210.")
            }
        }
    }

    private var parsedRole: Role {
        get throws {
            guard let role = Role(rawValue: role) else {
                throw ValidationError("--role must be one of viewer, support, owner.")
            }
            return role
        }
    }
}
