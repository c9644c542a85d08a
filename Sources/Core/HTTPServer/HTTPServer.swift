/// HTTP for all services: Hummingbird with typed contexts, problem details and strict bodies.
///
///     bytes ─▶ ConnectionGuard ─▶ RequestPipeline ─▶ Router ─▶ a service's handler
///              time limits,       request id, client      │
///              drain, close       address, deadline,      └─ throws Problem or any error
///                                 access log, metrics,
///                                 errors become problems
///
/// - ``HTTPApplication`` is the `Service` that listens; it is given the routes of one service and adds health, metrics,
///   the OpenAPI file and the problem pages.
/// - A handler gets a ``PostkeyRequestContext``, or an ``AuthenticatedContext`` that cannot exist without its caller.
/// - Every answer that is not a success is `application/problem+json` (RFC 9457) with a ``ProblemType`` from the
///   service's ``ProblemCatalog``.
/// - Bodies are read by `request.json(as:)`: at most 16 KiB, no unknown members, no duplicates, bounded depth.
///
/// The module knows nothing of the database: a service hands in a closure that translates its errors.
package enum HTTPServer {
    /// The largest request body unless a handler asks for another limit, in bytes.
    package static let maximumBodySize = 16 * 1024
    /// The time a handler has, as ``Deadlines/RequestDeadline``; answers are promised within five seconds.
    package static let requestTime = Duration.milliseconds(4500)
}
