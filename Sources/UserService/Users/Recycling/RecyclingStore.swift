import Identity
import Postgres

/// Recycled phones in SQL.
struct RecyclingStore: Sendable {
    let postgres: PostgresClient
    /// `PHONE_RECYCLE_DAYS`.
    let days: Int

    /// Does what was chosen about the account of a phone; false if the choice was to go on with a wrong address. Throws
    /// `PostgresError`.
    ///
    /// The account's row is locked and judged anew: of many choices at once the first that is done counts, and the others find an
    /// account that is in use.
    func settle(_ choice: AccountChoice, of phone: PhoneNumber) async throws(PostgresError) -> Bool {
        switch choice {
        case .goOn(let email):
            let rows = try await postgres.write(
                "select confirm_account(\(phone.e164), \(Int32(clamping: days)), \(email))")
            return try rows.first?.decode(column: 0) ?? false
        case .beginAnew:
            _ = try await postgres.write("select release_phone(\(phone.e164), \(Int32(clamping: days)))")
            return true
        }
    }
}
