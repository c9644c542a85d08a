import HTTPTypes
package import Hummingbird

/// A context that exists only when its caller has been authenticated, so that no handler can forget to ask.
///
/// A conforming type declares `base`, its own members, and an initializer that throws.
package protocol AuthenticatedContext: RequestContext where Source == Never {
    /// What was known before the caller was.
    var base: PostkeyRequestContext { get set }
}

extension AuthenticatedContext {
    package init(source: Never) { switch source {} }

    package var coreContext: CoreRequestContextStorage {
        get { base.coreContext }
        set { base.coreContext = newValue }
    }
    /// The request's id, as in `X-Request-Id` of the answer.
    package var requestID: String { base.requestID }
    /// The ids that go with calls to other services.
    package var trace: RequestTrace { base.trace }
    /// Who is asking, as far as limits by network are concerned.
    package var clientAddress: ClientAddress { base.clientAddress }

    /// A path parameter, percent-decoded. Throws `not-found` if it is not valid UTF-8 or empty.
    package func parameter(_ name: String) throws(Problem) -> String { try base.parameter(name) }

    /// A path parameter as a value of its type. Throws `not-found` if it is none.
    package func parameter<Value>(_ name: String, _ parse: (String) -> Value?) throws(Problem) -> Value {
        try base.parameter(name, parse)
    }
}

extension RouterMethods where Context == PostkeyRequestContext {
    /// Routes whose handlers are called with a context that `authenticate` made; what it throws is the answer.
    package func group<Child: AuthenticatedContext>(
        _ path: RouterPath = "",
        authenticate: @escaping @Sendable (Request, PostkeyRequestContext) async throws -> Child
    ) -> RouterGroup<Child> {
        AuthenticatingRoutes(parent: self, authenticate: authenticate).group(path)
    }
}

/// Passes routes on to its parent, each behind the authentication.
private struct AuthenticatingRoutes<Parent: RouterMethods<PostkeyRequestContext>, Context: AuthenticatedContext>:
    RouterMethods
{
    typealias Authenticate = @Sendable (Request, PostkeyRequestContext) async throws -> Context

    struct Responder: HTTPResponder {
        let authenticate: Authenticate
        let responder: any HTTPResponder<AuthenticatingRoutes.Context>

        func respond(to request: Request, context: PostkeyRequestContext) async throws -> Response {
            try await responder.respond(to: request, context: authenticate(request, context))
        }
    }

    let parent: Parent
    let authenticate: Authenticate

    @discardableResult func on<R: HTTPResponder>(_ path: RouterPath, method: HTTPRequest.Method, responder: R) -> Self
    where R.Context == Context {
        parent.on(path, method: method, responder: Responder(authenticate: authenticate, responder: responder))
        return self
    }

    /// Never called: the group made of this keeps its middleware itself.
    @discardableResult func add(middleware: any MiddlewareProtocol<Request, Response, Context>) -> Self { self }
}
