import Foundation
import HTTPServer
import HTTPTypes
import Hummingbird
import Identity
import Logging
import ServiceLifecycle
import Synchronization
import Tokens

/// Stands for user-service or otp-service: real HTTP and real service tokens, answers made up.
final class StubService: Sendable {
    enum Mode: Sendable {
        case answering
        /// A problem with this status; a 400 blames the search.
        case status(Int)
        /// Takes the request and never answers.
        case silent
        /// Answers something that is not the agreed JSON.
        case nonsense
    }

    private struct State {
        var mode = Mode.answering
        var asked: [String] = []
        /// Actions that were carried out, in order, and the keys they came with.
        var done: [String] = []
        var keys: Set<String> = []
        /// Answers 503 to so many actions after carrying them out: an answer that got lost.
        var lostAnswers = 0
        /// Answers 503 to everything once it has carried out an action.
        var leavesAfterAct = false
        var pause = Duration.zero
        var refusal = "user-deleted"
        var status = "active"
        var isPaused = false
        var used = 10
        var lock: String?
        var isPermitted = true
        var told: [String] = []
    }

    let name: ServiceName
    private let state = Mutex(State())

    init(_ name: ServiceName) { self.name = name }

    func become(_ mode: Mode) { state.withLock { $0.mode = mode } }

    /// The actions that were carried out, each once per key.
    var done: [String] { state.withLock(\.done) }
    func loseAnswers(_ count: Int) { state.withLock { $0.lostAnswers = count } }
    /// Carries out the next action, answers, and is away then.
    func leaveAfterAct() { state.withLock { $0.leavesAfterAct = true } }
    /// Takes so long for each action.
    func hesitate(_ pause: Duration) { state.withLock { $0.pause = pause } }
    /// Refuses actions with this status and code.
    func refuse(_ status: Int, _ code: String) {
        state.withLock {
            $0.mode = .status(status); $0.refusal = code
        }
    }
    /// Pauses sending by itself: nobody is told.
    func pause() { state.withLock { $0.isPaused = true } }
    /// The member `lock` of the messages of a phone.
    func setLock(_ lock: String?) { state.withLock { $0.lock = lock } }
    /// Whether its destinations are in allowed countries.
    func setPermitted(_ isPermitted: Bool) { state.withLock { $0.isPermitted = isPermitted } }
    func useUpBudget() { state.withLock { $0.used = 1000 } }
    func setStatus(_ status: String) { state.withLock { $0.status = status } }

    /// What was asked, `path?query`, in order.
    var asked: [String] { state.withLock(\.asked) }

    func application(onListening: @escaping @Sendable (Int) async -> Void) throws -> HTTPApplication {
        try HTTPApplication(
            configuration: HTTPServerConfiguration(
                host: "127.0.0.1", port: 0, problems: ProblemCatalog(prefix: "/v1/stub", types: [])),
            logger: quietLogger, onListening: onListening
        ) { router in
            if name == .otp { StubCodes(mode: { self.state.withLock(\.mode) }).add(to: router) }
            let group = router.group(
                "internal", serviceTokens: TokenVerifier(keys: AdminDatabase.keys), audience: name, callers: [.admin])
            for path in ["statistics", "users", "users/{id}", "challenges", "destinations", "budget", "gateway"] {
                group.get("\(path)") { request, context in try await self.answer(request) }
            }
            group.get("changes") { request, _ in try await self.changes(request) }
            for path in [
                "users/{id}/{action}", "destinations/{id}/{action}", "phones/{id}/{action}", "budget/{action}",
            ] {
                group.post("\(path)") { request, context in try await self.act(request) }
            }
        }
    }

    private func answer(_ request: Request) async throws -> Response {
        let mode = state.withLock { state in
            state.asked.append(request.uri.string)
            return state.mode
        }
        switch mode {
        case .answering: return Response.json(.ok, text: document(request.uri.path))
        case .status(let code):
            return Response.json(
                HTTPResponse.Status(code: code),
                text: #"{"detail":"made up","errors":[{"field":"search","message":"x"}]}"#)
        case .silent:
            try await Task.sleep(for: .seconds(30))
            return Response.empty()
        case .nonsense: return Response.json(.ok, text: #"{"users":"none"}"#)
        }
    }

    /// The feed, as a long poll: what was told since the cursor, which is a number.
    func tell(_ kind: String) { state.withLock { $0.told.append(kind) } }

    private func changes(_ request: Request) async throws -> Response {
        let cursor = try request.query.string("cursor").flatMap(Int.init)
        let end = ContinuousClock.now + .seconds(1)
        var told = state.withLock(\.told)
        while let cursor, told.count <= cursor, ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(5))
            told = state.withLock(\.told)
        }
        let news = cursor.map { told.dropFirst($0) } ?? []
        let changes = news.map { #"{"kind":"\#($0)","user_id":"\#(Self.userID)"}"# }.joined(separator: ",")
        return Response.json(
            .ok,
            text: """
                {"changes":[\(changes)],"cursor":"\(told.count)","more":false,"reset":\(cursor == nil),"waited_ms":0,
                 "as_of":"2026-11-24T08:00:00.000Z"}
                """)
    }

    private func act(_ request: Request) async throws -> Response {
        let key = request.headers[HTTPField.Name("Idempotency-Key") ?? .age] ?? ""
        let (mode, isLost, pause, refusal) = state.withLock { state in
            if case .answering = state.mode, state.keys.insert(key).inserted {
                state.done.append(request.uri.path.replacing("/internal/", with: ""))
                if request.uri.path.hasSuffix("/suspend") { state.status = "suspended" }
                if request.uri.path.hasSuffix("/reactivate") { state.status = "active" }
                if request.uri.path.hasSuffix("/pause") { state.isPaused = true }
                if request.uri.path.hasSuffix("/resume") { state.isPaused = false }
            }
            defer {
                state.lostAnswers = max(0, state.lostAnswers - 1)
                if state.leavesAfterAct { state.mode = .status(503) }
            }
            return (state.mode, state.lostAnswers > 0, state.pause, state.refusal)
        }
        try await Task.sleep(for: pause)
        switch mode {
        case .answering where isLost: return Response.json(.serviceUnavailable, text: "{}")
        case .answering: return Response.json(.ok, text: "{}")
        case .status(let code):
            return Response.json(HTTPResponse.Status(code: code), text: #"{"code":"\#(refusal)"}"#)
        case .silent:
            try await Task.sleep(for: .seconds(30))
            return Response.empty()
        case .nonsense: return Response.json(.ok, text: "[]")
        }
    }

    private func document(_ path: String) -> String {
        let now = state.withLock(\.self)
        return StubDocuments(
            name: name, userStatus: now.status, isPaused: now.isPaused, used: now.used, isPermitted: now.isPermitted,
            lock: now.lock
        )
        .text(path)
    }

    static let userID = StubDocuments.userID
}

let quietLogger: Logger = {
    var logger = Logger(label: "tests")
    logger.logLevel = .critical
    return logger
}()
