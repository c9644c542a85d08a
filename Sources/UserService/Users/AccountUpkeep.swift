import Postgres

/// Forgets what was kept so that nothing is done twice, and keeps the counters few; part of the cleanup.
struct AccountUpkeep: Sendable {
    let actions: ActionStore
    let accounts: AccountStore
    let statistics: StatisticsStore

    init(postgres: PostgresClient) {
        actions = ActionStore(postgres: postgres)
        accounts = AccountStore(postgres: postgres)
        statistics = StatisticsStore(postgres: postgres)
    }

    /// Goes on until nothing is left. Throws `PostgresError`.
    func callAsFunction() async throws(PostgresError) {
        while try await actions.forgetKeys() > 0 {}
        while try await accounts.forgetPhoneChanges() > 0 {}
        while try await statistics.compact() > 0 {}
    }
}
