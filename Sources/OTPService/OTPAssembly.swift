package import HTTPClient
package import HTTPServer
package import Logging
package import Postgres
package import ServiceLifecycle
package import Tokens

/// All parts of the service, put together once.
package struct OTPAssembly: Sendable {
    /// What waits to be sent.
    package let outbox: Outbox
    /// Has it sent.
    package let dispatcher: Dispatcher
    /// Challenges in the database.
    package let store: ChallengeStore
    private let retention: Retention
    private let gauges: OutboxGauges
    private let challenges: ChallengeRoutes
    private let statistics: StatisticsRoutes
    private let unlock: UnlockRoutes

    /// Puts the parts together; nothing runs yet.
    package init(
        settings: OTPSettings, keys: TokenKeys, postgres: PostgresClient, client: HTTPClient, logger: Logger,
        delivery: Dispatcher.Configuration = Dispatcher.Configuration()
    ) {
        outbox = Outbox(postgres: postgres)
        let gateway = MSG91(account: settings.gateway, client: client)
        dispatcher = Dispatcher(
            outbox: outbox, deliver: DeliverMessage(gateway: gateway, keys: settings.keys, logger: logger),
            configuration: delivery, logger: logger)
        store = ChallengeStore(postgres: postgres, limits: settings.limits)
        retention = Retention(postgres: postgres, days: settings.retentionDays, logger: logger)
        gauges = OutboxGauges(outbox: outbox, logger: logger)
        let metrics = ChallengeMetrics()
        let tokens = TokenVerifier(keys: keys)
        challenges = ChallengeRoutes(
            send: SendCode(
                store: store, keys: settings.keys, policy: settings.policy, destinations: settings.destinations,
                defaultRegion: settings.defaultRegion, metrics: metrics, wake: dispatcher.wake),
            answer: AnswerChallenge(
                store: store, keys: settings.keys, signer: TokenSigner(keys: keys), metrics: metrics),
            store: store, tokens: tokens)
        statistics = StatisticsRoutes(statistics: StatisticsStore(postgres: postgres), tokens: tokens)
        unlock = UnlockRoutes(store: store, tokens: tokens)
    }

    /// What runs beside the HTTP server.
    package var services: [any Service] { [dispatcher, gauges, retention] }

    /// Adds all routes of the service.
    package func add(to router: PostkeyRouter) {
        challenges.add(to: router)
        statistics.add(to: router)
        unlock.add(to: router)
    }
}
