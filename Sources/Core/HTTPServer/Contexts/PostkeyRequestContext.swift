package import Hummingbird
package import Logging

/// The router that a service adds its routes to.
package typealias PostkeyRouter = Router<PostkeyRequestContext>

/// What every handler knows about its request.
package struct PostkeyRequestContext: RequestContext {
    package typealias Source = RequestSource

    package var coreContext: CoreRequestContextStorage
    /// The ids that are in every log line of the request and go with calls to other services.
    package let trace: RequestTrace
    /// Who is asking, as far as limits by network are concerned.
    package let clientAddress: ClientAddress

    package init(source: RequestSource) {
        coreContext = CoreRequestContextStorage(source: source)
        trace = source.trace
        clientAddress = source.clientAddress
    }

    /// The request's id, as in `X-Request-Id` of the answer.
    package var requestID: String { trace.requestID }

    /// A path parameter, percent-decoded. Throws `not-found` if it is not valid UTF-8 or empty: no resource has such a name.
    package func parameter(_ name: String) throws(Problem) -> String {
        guard let raw = parameters.get(name), let text = PercentEncoding.decode(raw), !text.isEmpty else {
            throw Problem(.notFound)
        }
        return text
    }

    /// A path parameter as a value of its type. Throws `not-found` if it is none: no resource has such a name.
    package func parameter<Value>(_ name: String, _ parse: (String) -> Value?) throws(Problem) -> Value {
        guard let value = parse(try parameter(name)) else { throw Problem(.notFound) }
        return value
    }
}

/// What a context is made from: the connection and the headers have been looked at already.
package struct RequestSource: RequestContextSource {
    package let logger: Logger
    package let trace: RequestTrace
    package let clientAddress: ClientAddress
}
