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
    private let state: ServingState
    /// Whoever answers the requests.
    private let requests: AsyncStream<ReceivedRequest>.Continuation
    var phase = Phase.head
    /// The request whose body is coming.
    var request: ReceivedRequest?
    var bodySize = 0
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
        if mustHold(context) { hasHeldRead = true } else { context.read() }
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

/// Making requests.
extension ConnectionHandler {
    /// Whether nothing more may come now: a request is being answered, or the client does not take its answers.
    private func mustHold(_ context: ChannelHandlerContext) -> Bool {
        phase == .answering || (phase != .closing && !context.channel.isWritable)
    }

    /// Takes up what had to wait.
    private func goOn(_ context: ChannelHandlerContext) {
        while phase != .closing, !mustHold(context), let arrival = waiting.popFirst() {
            switch arrival {
            case .part(let part): take(part, context)
            case .failure(let rejection): reject(rejection, context)
            }
        }
        if hasHeldRead, !mustHold(context) {
            hasHeldRead = false
            context.read()
        }
    }

    private func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head): takeHead(head, context)
        case .body(var chunk):
            bodySize += chunk.readableBytes
            guard bodySize <= limits.maximumBodySize else { return reject(.payloadTooLarge, context) }
            if request?.body == nil { request?.body = chunk } else { request?.body?.writeBuffer(&chunk) }
        case .end:
            guard let request else { return }
            deliver(request, context)
        }
    }

    private func takeHead(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        stopPhaseTimer()
        phase = .body
        bodySize = 0
        guard let converted = RequestHead.convert(head) else { return reject(.invalidRequest, context) }
        request = ReceivedRequest(
            head: converted, body: nil, keepsAlive: head.isKeepAlive, isVersion10: head.version == .http1_0)
        if let length = converted.headerFields[.contentLength] {
            // Said before sent: nothing of it need be read.
            guard let length = Int(length), length <= limits.maximumBodySize else {
                return reject(.payloadTooLarge, context)
            }
            wantsContinue =
                converted.headerFields[.expect]?.lowercased() == "100-continue"
                && head.version == .http1_1
        } else {
            wantsContinue = false
        }
    }

    private func deliver(_ request: ReceivedRequest, _ context: ChannelHandlerContext) {
        stopPhaseTimer()
        self.request = nil
        phase = .answering
        requests.yield(request)
    }

    /// Lets the refusal through in place of the request, so that it is answered and recorded as any other.
    private func reject(_ rejection: ProblemType, _ context: ChannelHandlerContext) {
        var refused = request ?? .unreadable(rejection)
        refused.body = nil
        refused.keepsAlive = false
        refused.rejection = rejection
        deliver(refused, context)
    }

    /// Tells a client that waits for it to send its body (RFC 9110 §10.1.1).
    private func sendContinue(_ context: ChannelHandlerContext) {
        guard wantsContinue, bodySize == 0 else { return }
        wantsContinue = false
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }
}

/// Timing and ending.
extension ConnectionHandler {
    typealias Timeout = (ConnectionHandler, ChannelHandlerContext) -> Void

    private func startTimer(
        _ context: ChannelHandlerContext, _ timer: inout Scheduled<Void>?, _ time: TimeAmount,
        _ action: @escaping Timeout
    ) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            guard let self, context.channel.isActive else { return }
            action(self, context)
        }
    }

    private func startPhaseTimer(_ context: ChannelHandlerContext) {
        let time = phase == .body ? (isDraining ? limits.drainBodyTime : limits.bodyTime) : limits.headTime
        startTimer(context, &phaseTimer, time) { handler, context in
            handler.phaseTimer = nil
            handler.phaseEnded(context)
        }
    }

    private func stopPhaseTimer() {
        phaseTimer?.cancel()
        phaseTimer = nil
    }

    private func phaseEnded(_ context: ChannelHandlerContext) {
        switch phase {
        case .head, .body: reject(.requestTimeout, context)
        case .closing: context.close(promise: nil)
        case .idle, .answering: break
        }
    }

    /// One timer serves all the pauses of a connection: it looks how long the present one has lasted.
    private func startIdleTimer(_ context: ChannelHandlerContext) {
        guard idleTimer == nil else { return }
        startTimer(context, &idleTimer, limits.idleTime) { $0.idleEnded($1) }
    }

    private func idleEnded(_ context: ChannelHandlerContext) {
        idleTimer = nil
        guard phase == .idle else { return }
        let rest = idleSince + limits.idleTime - .now()
        if rest <= .nanoseconds(0) { return context.close(promise: nil) }
        startTimer(context, &idleTimer, rest) { $0.idleEnded($1) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            stallTimer?.cancel()
            stallTimer = nil
            goOn(context)
        } else {
            startTimer(context, &stallTimer, limits.stallTime) { $1.close(promise: nil) }
        }
        context.fireChannelWritabilityChanged()
    }

    private func drain(_ context: ChannelHandlerContext) {
        guard !isDraining else { return }
        isDraining = true
        startTimer(context, &drainTimer, limits.drainTime) { $1.close(promise: nil) }
        switch phase {
        // Of an earlier answer there may be something left to write.
        case .idle, .head: finish(context, with: ByteBuffer(), nil)
        case .body: startPhaseTimer(context)
        case .answering, .closing: break
        }
    }

    /// Writes the last bytes, and ends the connection once they are on their way.
    private func finish(_ context: ChannelHandlerContext, with bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
        phase = .closing
        waiting.removeAll()
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in
            let (handler, context) = bound.value
            handler.linger(context)
        }
        context.writeAndFlush(wrapOutboundOut(bytes), promise: written)
    }

    private func linger(_ context: ChannelHandlerContext) {
        guard context.channel.isActive, !isInputOver else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        startTimer(context, &phaseTimer, limits.lingerTime) { $1.close(promise: nil) }
        context.read()
    }

    private func cancelTimers() {
        for timer in [phaseTimer, idleTimer, stallTimer, drainTimer] { timer?.cancel() }
        (phaseTimer, idleTimer, stallTimer, drainTimer) = (nil, nil, nil, nil)
    }
}

@available(*, unavailable)
extension ConnectionHandler: Sendable {}
