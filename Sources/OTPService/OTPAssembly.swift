import ChangeFeed
package import HTTPClient
package import HTTPServer
import Identity
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
    private let counting: CountStatistics
    private let reportInbox: ReportInbox
    private let reports: DeliveryReportRoutes
    private let messageLog: MessageLogRoutes
    private let challenges: ChallengeRoutes
    private let statistics: StatisticsRoutes
    private let unlock: UnlockRoutes
    /// How the gateway is.
    package let watch: GatewayWatch
    /// Tests key and template in the background; runs beside the other services.
    package let selfTest: SelfTestWorker
    private let gatewayRoutes: GatewayRoutes
    private let feed: ChangeFollower
    private let accessKeys: PublishedKeys?
    private let destinations: DestinationRoutes
    private let budget: BudgetRoutes
    private let budgetWatch: BudgetWatch?
    /// Renews what is known of destinations.
    package let destinationWatch: DestinationWatch

    /// Puts the parts together; nothing runs yet.
    package init(
        settings: OTPSettings, keys: TokenKeys, postgres: PostgresClient, client: HTTPClient,
        userServiceClient: HTTPClient, algorithm: TokenAlgorithm = .hs256, logger: Logger,
        delivery: Dispatcher.Configuration = Dispatcher.Configuration(), gatewayTime: Duration = MSG91.time
    ) {
        outbox = Outbox(postgres: postgres)
        let gateway = MSG91(account: settings.gateway, client: client, timeout: gatewayTime)
        watch = GatewayWatch(logger: logger)
        selfTest = SelfTestWorker(test: SelfTest(gateway: gateway), watch: watch, logger: logger)
        dispatcher = Dispatcher(
            outbox: outbox,
            deliver: DeliverMessage(gateway: gateway, watch: watch, keys: settings.keys, logger: logger),
            configuration: delivery, logger: logger)
        let limits = settings.limits
        store = ChallengeStore(postgres: postgres, limits: limits, testPhones: settings.testNumbers.phones)
        retention = Retention(postgres: postgres, days: settings.retentionDays, logger: logger)
        gauges = OutboxGauges(outbox: outbox, logger: logger)
        counting = CountStatistics(postgres: postgres, days: settings.retentionDays, logger: logger)
        reportInbox = ReportInbox(store: ReportStore(postgres: postgres), logger: logger)
        reports = DeliveryReportRoutes(secret: settings.webhookSecret, inbox: reportInbox, logger: logger)
        let metrics = ChallengeMetrics()
        let userService = UserServiceClient(
            client: userServiceClient, baseURL: settings.userServiceURL.text, caller: .otp,
            signer: TokenSigner(keys: keys))
        feed = ChangeFollower(userService: userService, logger: logger)
        accessKeys = algorithm == .edDSA ? PublishedKeys(userService: userService, logger: logger) : nil
        let tokens = TokenVerifier(keys: keys, accessKeys: accessKeys)
        let destinationStore = DestinationStore(postgres: postgres)
        let board = DestinationBoard(store: destinationStore, fraudGuard: limits.fraudGuard)
        destinationWatch = DestinationWatch(
            board: board, store: destinationStore, evaluator: DestinationEvaluator(postgres: postgres),
            counts: limits.fraudGuard != .off, logger: logger)
        let gate = RequestGate(store: AllowanceStore(postgres: postgres, limits: limits))
        let refusals = RefusalMemory<SendRefusal>()
        challenges = ChallengeRoutes(
            send: SendCode(
                store: store, keys: settings.keys, policy: settings.policy, destinations: settings.destinations,
                board: board, testNumbers: settings.testNumbers, refusals: refusals, gate: gate,
                defaultRegion: settings.defaultRegion, metrics: metrics, wake: dispatcher.wake),
            answer: AnswerChallenge(
                store: store, keys: settings.keys, signer: TokenSigner(keys: keys), metrics: metrics,
                memory: RefusalMemory(), refusals: refusals, gate: gate),
            store: store, users: UserTokens(verifier: tokens, revocations: feed.revocations), gate: gate,
            fields: RateLimitFields(limits), metrics: metrics)
        destinations = DestinationRoutes(
            store: destinationStore, watch: destinationWatch, policy: settings.destinations, tokens: tokens)
        let budgetStore = BudgetStore(postgres: postgres)
        let statisticsStore = StatisticsStore(postgres: postgres)
        budget = BudgetRoutes(
            store: budgetStore, limit: limits.dailyBudget, statistics: statisticsStore, outbox: outbox,
            watch: destinationWatch, tokens: tokens)
        budgetWatch = limits.dailyBudget.map { BudgetWatch(store: budgetStore, limit: $0, logger: logger) }
        statistics = StatisticsRoutes(statistics: statisticsStore, tokens: tokens)
        let locks = PhoneLockStore(postgres: postgres)
        messageLog = MessageLogRoutes(
            log: MessageLog(postgres: postgres), locks: locks, cursors: MessageCursors(keys), tokens: tokens)
        unlock = UnlockRoutes(store: locks, tokens: tokens)
        gatewayRoutes = GatewayRoutes(watch: watch, tokens: tokens)
    }

    /// What runs beside the HTTP server.
    package var services: [any Service] {
        [dispatcher, gauges, retention, counting, reportInbox, feed, destinationWatch]
            + [accessKeys].compactMap { $0 as (any Service)? }
            + [budgetWatch].compactMap { $0 as (any Service)? }
    }

    /// Ready is who has loaded the revocations, or knows that user-service is away: without it all works but the change of a phone.
    ///
    /// Whether messages go out only shows: restarting or emptying the service would not help.
    package var readiness: [HealthCheck] {
        [feed.readiness, HealthCheck("gateway", isRequired: false) { [watch] in try watch.check() }]
    }

    /// Adds all routes of the service.
    package func add(to router: PostkeyRouter) {
        challenges.add(to: router)
        statistics.add(to: router)
        messageLog.add(to: router)
        reports.add(to: router)
        unlock.add(to: router)
        gatewayRoutes.add(to: router)
        destinations.add(to: router)
        budget.add(to: router)
    }
}
