import Foundation
import HTTPClient
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Tokens

/// The console: pages for operators, on `/`.
///
/// HTML made here from Mustache templates, which escape what they show. All of it works without JavaScript; with it the
/// dashboard follows the figures by itself. Pages call the same use cases as the routes of the API, behind the same gate.
struct Console: Sendable {
    private let frame: PageFrame
    private let access: ConsoleAccess
    private let problems: ProblemPages
    private let assembly: AdminAssembly
    private let signIn: SignInRoutes
    private let sealer: Sealer
    private let patience: (dashboard: Duration, users: Duration)

    /// Reads templates and assets. Throws if one is missing or cannot be parsed.
    init(
        assembly: AdminAssembly, client: HTTPClient, keys: TokenKeys, settings: AdminSettings, isProduction: Bool
    ) throws {
        let resources = Bundle.module.bundleURL
        let cookies = ConsoleCookies(isProduction: isProduction)
        frame = try PageFrame(
            pages: resources.appending(path: "Pages"),
            assets: try ConsoleAssets(directory: resources.appending(path: "Assets")), cookies: cookies,
            flash: Flash(sealer: Sealer(keys: keys, purpose: "flash")))
        access = ConsoleAccess(cookies: cookies, forms: FormTokens(keys: keys), gate: assembly.operators.gate)
        problems = ProblemPages(frame: frame, cookies: cookies)
        sealer = Sealer(keys: keys, purpose: "searches")
        self.assembly = assembly
        // Fresh for that long, and as long again while it is read anew behind the reader's back.
        patience = (settings.dashboardTTL * 2, settings.usersTTL * 2)
        signIn = SignInRoutes(
            frame: frame, access: access,
            tickets: SignInTickets(cookies: cookies, sealer: Sealer(keys: keys, purpose: "sign-in")),
            codes: SignInCodes(client: client, baseURL: settings.otpServiceURL),
            prove: ProveOperator(signIn: assembly.operators.signIn, verifier: assembly.operators.verifier),
            sessions: assembly.operators.sessions)
    }

    func add(to router: PostkeyRouter) {
        let routes = ConsoleRoutes(router: router, access: access)
        frame.assets.add(to: router)
        signIn.add(to: router)
        signIn.addSignOut(to: routes)
        ThemeRoutes(cookies: access.cookies).add(to: routes)
        let read = assembly.dashboard.read
        let part = DashboardPart(frame: frame, patience: patience.dashboard)
        DashboardPage(frame: frame, read: read, part: part).add(to: routes)
        LiveDashboard(access: access, read: read, part: part).add(to: router)
        addUsers(to: routes)
        addSending(to: routes)
        AuditLogPage(frame: frame, read: assembly.auditLog.read).add(to: routes)
        OperatorsPage(
            frame: frame, store: assembly.admins.store, appoint: assembly.admins.appoint, remove: assembly.admins.remove
        ).add(to: routes)
        CachesPage(frame: frame, caches: assembly.caches.caches, clear: assembly.caches.clear).add(to: routes)
        AccountPage(frame: frame, limits: assembly.operators.sessions.limits).add(to: routes)
    }

    private func addUsers(to routes: ConsoleRoutes) {
        let read = assembly.directory.read
        UsersPage(
            frame: frame, read: read, defaultRegion: assembly.directory.defaultRegion,
            byPhone: assembly.directory.byPhone, patience: patience.users, sealer: sealer
        ).add(to: routes)
        UserPage(
            frame: frame, read: read, patience: patience.users, messages: assembly.messages.read,
            perform: assembly.actions.perform, reveal: assembly.reveal
        ).add(to: routes)
    }

    private func addSending(to routes: ConsoleRoutes) {
        MessagesPage(
            frame: frame, read: assembly.messages.read, defaultRegion: assembly.messages.defaultRegion,
            gate: access.gate, sealer: sealer, perform: assembly.actions.perform
        ).add(to: routes)
        DestinationsPage(
            frame: frame, read: assembly.destinations.read, sending: assembly.dashboard.read.sending,
            perform: assembly.actions.perform,
            patience: patience.dashboard
        ).add(to: routes)
    }

    /// Shows a problem as a page to those who read pages; nil: as the document.
    func present(_ problem: Problem, _ head: HTTPRequest, _ requestID: String) -> Response? {
        problems.present(problem, head, requestID)
    }
}
