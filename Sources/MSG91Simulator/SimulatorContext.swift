internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// A request with its connection, which some faults break.
struct SimulatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        channel = source.channel
    }
}

/// MSG91's answer to everything it does not know; its member is `msg` here, not `message`.
struct RouteMissing: RouterMiddleware {
    func handle(
        _ request: Request, context: SimulatorContext,
        next: (Request, SimulatorContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound || error.status == .methodNotAllowed {
            return Response.json(.members(["type": "error", "msg": "Route Missing"]), status: .notFound)
        } catch is NIOTooManyBytesError {
            return Response.json(.members(["type": "error", "msg": "Body too large"]), status: .contentTooLarge)
        }
    }
}
