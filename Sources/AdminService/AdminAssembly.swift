import Caching
import ChangeFeed
import HTTPClient
import HTTPServer
import Identity
import Logging
import Postgres
import ServiceLifecycle
import Tokens

/// All parts of the service, put together once. The routes and the console share them.
struct AdminAssembly: Sendable {
    let operators: OperatorRoutes
    let admins: AdminRoutes
    let dashboard: DashboardRoutes
    let directory: DirectoryRoutes
    let actions: ActionRoutes
    let reveal: RevealPhone
    let messages: MessageRoutes
    let destinations: DestinationRoutes
    let auditLog: AuditRoutes
    let caches: CacheRoutes
    let follow: FollowAdminChanges
    let finish: FinishIntents
    /// The change feed of user-service.
    let feed: ChangeFollower
    let remembered: AdminCaches

    init(
        postgres: PostgresClient, client: HTTPClient, keys: TokenKeys, settings: AdminSettings,
        logger: Logger, secondFactorLimits: SecondFactorLimits = SecondFactorLimits(),
        sessionLimits: OperatorSessionLimits = OperatorSessionLimits()
    ) {
        let signer = TokenSigner(keys: keys)
        let verifier = TokenVerifier(keys: keys)
        let audit = AuditStore(postgres: postgres)
        let sessions = OperatorSessionStore(postgres: postgres, limits: sessionLimits)
        let gate = OperatorGate(verifier: verifier, sessions: sessions, audit: audit)
        let vault = TOTPVault(current: settings.secret, previous: settings.previousSecret)
        operators = OperatorRoutes(
            signIn: SignInOperator(
                store: SignInStore(postgres: postgres, limits: secondFactorLimits), audit: audit, vault: vault,
                signer: signer, sessionLimits: sessionLimits),
            verifier: verifier, sessions: sessions, gate: gate)
        admins = Self.admins(OperatorStore(postgres: postgres), vault, gate)
        auditLog = AuditRoutes(
            read: ReadAuditLog(log: AuditLogStore(postgres: postgres), audit: audit), gate: gate)

        func upstream(_ name: ServiceName, _ url: String) -> UpstreamService {
            UpstreamService(
                name: name, baseURL: url, client: client, signer: signer,
                attendance: Attendance(of: name, logger: logger))
        }
        let userService = upstream(.user, settings.userServiceURL)
        let otpService = upstream(.otp, settings.otpServiceURL)
        let remembered = AdminCaches(settings: settings)
        self.remembered = remembered
        let others = ActionServices(userService: userService, otpService: otpService)
        let board = ReadDestinations(otpService: otpService, cache: remembered.destinations)
        dashboard = DashboardRoutes(
            read: Self.dashboard(others, board, Self.health(settings, client, remembered), remembered), gate: gate)
        directory = DirectoryRoutes(
            read: ReadDirectory(userService: userService, cache: remembered.users),
            defaultRegion: settings.defaultRegion, byPhone: SearchByPhone(gate: gate, audit: gate.audit), gate: gate)
        messages = MessageRoutes(
            read: ReadMessages(otpService: otpService, cache: remembered.messages),
            defaultRegion: settings.defaultRegion, gate: gate)
        destinations = DestinationRoutes(read: board, gate: gate)

        let changeStore = AdminChangeStore(postgres: postgres)
        let announce = AnnounceChange(store: changeStore, caches: remembered)
        let perform = PerformAction(
            intents: IntentStore(postgres: postgres), services: others, changes: announce)
        actions = ActionRoutes(perform: perform, directory: directory.read, gate: gate)
        reveal = RevealPhone(services: others, audit: audit)
        caches = CacheRoutes(
            caches: remembered.all, audit: audit,
            clear: ClearCaches(store: changeStore, audit: audit, changes: announce), gate: gate)
        follow = FollowAdminChanges(store: changeStore, caches: remembered, logger: logger)
        finish = FinishIntents(intents: perform.intents, perform: perform, logger: logger)
        feed = Self.feed(
            UserServiceClient(client: client, baseURL: settings.userServiceURL, caller: .admin, signer: signer),
            remembered, logger)
    }

    private static func admins(_ store: OperatorStore, _ vault: TOTPVault, _ gate: OperatorGate) -> AdminRoutes {
        AdminRoutes(
            store: store,
            appoint: AppointOperator(create: CreateOperator(store: store, vault: vault), store: store),
            remove: RemoveOperator(store: store), gate: gate)
    }

    private static func health(_ settings: AdminSettings, _ client: HTTPClient, _ remembered: AdminCaches) -> ReadHealth
    {
        ReadHealth(
            client: client, userServiceURL: settings.userServiceURL, otpServiceURL: settings.otpServiceURL,
            cache: remembered.health)
    }

    private static func dashboard(
        _ services: ActionServices, _ board: ReadDestinations, _ health: ReadHealth, _ remembered: AdminCaches
    ) -> ReadDashboard {
        ReadDashboard(
            userService: services.userService, otpService: services.otpService, users: remembered.userFigures,
            messages: remembered.messageFigures, health: health,
            sending: ReadSending(otpService: services.otpService, cache: remembered.sending), destinations: board)
    }

    /// Follows the feed of user-service and drops what was remembered of users who changed.
    private static func feed(
        _ userService: UserServiceClient, _ remembered: AdminCaches, _ logger: Logger
    ) -> ChangeFollower {
        ChangeFollower(userService: userService, logger: logger) { changed in
            switch changed {
            case .some(let users): remembered.dropUsers(users)
            case .all: remembered.drop(.all)
            }
            // What changes meanwhile comes in one bunch: under load pages would be dropped as fast as they are made.
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// What runs besides the HTTP server.
    var services: [any Service] { [follow, finish, feed] }

    func add(to router: PostkeyRouter) {
        operators.add(to: router)
        admins.add(to: router)
        dashboard.add(to: router)
        directory.add(to: router)
        actions.add(to: router)
        messages.add(to: router)
        destinations.add(to: router)
        auditLog.add(to: router)
        caches.add(to: router)
    }
}
