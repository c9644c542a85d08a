import HTTPTypes
import NIOCore
import NIOHTTP1

/// One connection: makes whole requests of HTTP parts, lets one through at a time, and sees to it that every wait ends.
///
/// Between the parser and the task that answers. While a request is being answered nothing more is read, so that a
/// client that sends on is held back by TCP. After the last answer the sending side is closed and the rest of what the
/// client sends is thrown away for a moment, or it might never see that answer.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = EncodedResponse
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// Nothing of a request has come.
        case idle
        /// Bytes have come, but no whole head.
        case head
        /// A head has come; `request` is being filled.
        case body
        /// A whole request was let through, its answer is awaited.
        case answering
        /// The last answer was given: what still comes is thrown away.
        case closing
    }

    enum Arrival {
        case part(HTTPServerRequestPart)
        case failure(ProblemType)
    }

    let limits: ConnectionLimits
    let state: ServingState
    /// Whoever answers the requests.
    let requests: AsyncStream<ReceivedRequest>.Continuation
    var phase = Phase.head
    /// The request whose body is coming.
    var request: ReceivedRequest?
    var bodySize = 0
    /// How large the body of the request may become.
    var bodyLimit = 0
    var wantsContinue = false
    /// What the parser made of bytes that came after the request being answered.
    var waiting = CircularBuffer<Arrival>(initialCapacity: 2)
    /// The client has ended its side.
    var isInputOver = false
    var hasParserFailed = false
    var isDraining = false
    var hasHeldRead = false
    var idleSince = NIODeadline.now()
    /// Ends the phase if it lasts too long.
    var phaseTimer: Scheduled<Void>?
    var idleTimer: Scheduled<Void>?
    var stallTimer: Scheduled<Void>?
    var drainTimer: Scheduled<Void>?

    init(limits: ConnectionLimits, state: ServingState, requests: AsyncStream<ReceivedRequest>.Continuation) {
        self.limits = limits
        self.state = state
        self.requests = requests
    }

    func handlerAdded(context: ChannelHandlerContext) {
        startPhaseTimer(context)
    }

    func channelActive(context: ChannelHandlerContext) {
        context.fireChannelActive()
        // Accepted just before the stop, it was told of it before there was anyone to hear.
        if state.isDraining { drain(context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closing
        cancelTimers()
        requests.finish()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        cancelTimers()
        requests.finish()
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch phase {
        case .closing: break
        case .idle where mustHold(context), .answering: waiting.append(.part(part))
        case .idle, .head, .body: take(part, context)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        switch phase {
        case .idle:
            // Bytes came and made no head: from now on it must hurry.
            phase = .head
            startPhaseTimer(context)
        case .head where phaseTimer == nil, .body where phaseTimer == nil:
            if phase == .body { sendContinue(context) }
            startPhaseTimer(context)
        case .closing: context.read()
        default: break
        }
        context.fireChannelReadComplete()
    }

    func read(context: ChannelHandlerContext) {
        if mustHoldRead(context) { hasHeldRead = true } else { context.read() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as ChannelEvent where event == .inputClosed:
            isInputOver = true
            if phase == .closing { context.close(promise: nil) }
            if phase != .answering, phase != .closing, waiting.isEmpty { finish(context, with: ByteBuffer(), nil) }
        case is ChannelShouldQuiesceEvent: drain(context)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Once it has failed, the parser fails again with everything that comes.
        if hasParserFailed || phase == .closing { return }
        guard let error = error as? HTTPParserError, error != .invalidEOFState else {
            // The client is gone, or left in the middle of a request.
            context.close(promise: nil)
            return
        }
        hasParserFailed = true
        let rejection = error == .headerOverflow ? ProblemType.headersTooLarge : .invalidRequest
        switch phase {
        case .answering: waiting.append(.failure(rejection))
        case .closing: break
        case .idle, .head, .body: reject(rejection, context)
        }
    }

    // MARK: Writing

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let response = unwrapOutboundIn(data)
        guard phase == .answering else {
            // Its time was up before the answer came.
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        idleSince = .now()
        if response.closes || isDraining || (isInputOver && waiting.isEmpty) {
            finish(context, with: response.bytes, promise)
            return
        }
        phase = .idle
        context.write(wrapOutboundOut(response.bytes), promise: promise)
        startIdleTimer(context)
        goOn(context)
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}
