import Caching
import HTTPClient
import HTTPServer
import Identity
import Postgres
import Tokens

/// All parts of the service, put together once.
struct AdminAssembly: Sendable {
    let operators: OperatorRoutes
    let dashboard: DashboardRoutes
    let directory: DirectoryRoutes
    let caches: CacheRoutes

    init(
        postgres: PostgresClient, client: HTTPClient, keys: TokenKeys, settings: AdminSettings,
        secondFactorLimits: SecondFactorLimits = SecondFactorLimits(),
        sessionLimits: OperatorSessionLimits = OperatorSessionLimits()
    ) {
        let signer = TokenSigner(keys: keys)
        let verifier = TokenVerifier(keys: keys)
        let audit = AuditStore(postgres: postgres)
        let sessions = OperatorSessionStore(postgres: postgres, limits: sessionLimits)
        let gate = OperatorGate(verifier: verifier, sessions: sessions, audit: audit)
        let signIn = SignInOperator(
            store: SignInStore(postgres: postgres, limits: secondFactorLimits), audit: audit,
            vault: TOTPVault(current: settings.secret, previous: settings.previousSecret), signer: signer,
            sessionLimits: sessionLimits)
        operators = OperatorRoutes(signIn: signIn, verifier: verifier, sessions: sessions, gate: gate)

        let userService = UpstreamService(
            name: .user, baseURL: settings.userServiceURL, client: client, signer: signer)
        let otpService = UpstreamService(name: .otp, baseURL: settings.otpServiceURL, client: client, signer: signer)
        let userFigures = Cache<Int, UserStatistics>(name: "user-statistics", policy: settings.dashboardPolicy)
        let messageFigures = Cache<Int, MessageStatistics>(name: "message-statistics", policy: settings.dashboardPolicy)
        let users = ReadDirectory.makeCache(policy: settings.usersPolicy)
        dashboard = DashboardRoutes(
            read: ReadDashboard(
                userService: userService, otpService: otpService, users: userFigures, messages: messageFigures),
            gate: gate)
        directory = DirectoryRoutes(read: ReadDirectory(userService: userService, cache: users), gate: gate)
        caches = CacheRoutes(caches: [userFigures, messageFigures, users], audit: audit, gate: gate)
    }

    func add(to router: PostkeyRouter) {
        operators.add(to: router)
        dashboard.add(to: router)
        directory.add(to: router)
        caches.add(to: router)
    }
}
