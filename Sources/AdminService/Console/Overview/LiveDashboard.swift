import Crypto
import Deadlines
import HTTPServer
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// `GET /live/dashboard`: the dashboard's changing part as server-sent events (HTML Living Standard §9.2).
///
/// An answer holds one event and ends; the browser asks again with the id of what it has, and is answered when there is
/// something else, or after twenty seconds. So an open dashboard costs one waiting request, and a page that nobody looks
/// at does not keep its operator signed in: these requests do not count as use of the session.
struct LiveDashboard: Sendable {
    let access: ConsoleAccess
    let read: ReadDashboard
    let part: DashboardPart

    /// How long a request waits for something new, and how often it looks: both only cost memory here.
    static let wait = Duration.seconds(20)
    static let pause = Duration.seconds(2)

    func add(to router: PostkeyRouter) {
        router.get("/live/dashboard") { request, context -> Response in
            guard try await access.look(request) != nil else { return Self.answer(Self.ended) }
            let days = try DashboardPage.days(request)
            let seen = request.headers[.lastEventID]
            let end = ContinuousClock.now + Self.wait
            let event = try await RequestDeadline.$current.withValue(end + .seconds(10)) {
                try await cancelWhenGracefulShutdown {
                    try await next(days, after: seen, until: end, request, trace: context.trace)
                }
            }
            return Self.answer(event ?? Self.ended)
        }
    }

    /// The next event, or a comment if there is none in time; nil if the session has ended meanwhile.
    private func next(
        _ days: Int, after seen: String?, until end: ContinuousClock.Instant, _ request: Request, trace: RequestTrace
    ) async throws -> String? {
        while true {
            let html = try part.html(try await read(days: days, refresh: false, trace: trace))
            let id = SHA256.hash(data: Array(html.utf8)).prefix(8).hexadecimal
            if id != seen { return try await access.look(request) == nil ? nil : Self.event(id, html) }
            if ContinuousClock.now + Self.pause >= end { return "retry: 1000\n: nothing new\n\n" }
            try await Task.sleep(for: Self.pause)
        }
    }

    /// The session is over: the page says so and comes no more. (204 would end it as well, and leave it looking alive.)
    private static let ended = "event: ended\ndata: signed out\n\n"

    private static func answer(_ event: String) -> Response {
        .text(.ok, event, type: "text/event-stream; charset=utf-8")
    }

    private static func event(_ id: String, _ html: String) -> String {
        let lines = html.split(separator: "\n").map { "data: \($0)\n" }.joined()
        return "retry: 1000\nid: \(id)\nevent: dashboard\n\(lines)\n"
    }
}
