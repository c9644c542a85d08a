import NIOCore

/// Timing and ending.
extension ConnectionHandler {
    typealias Timeout = (ConnectionHandler, ChannelHandlerContext) -> Void

    func startTimer(
        _ context: ChannelHandlerContext, _ timer: inout Scheduled<Void>?, _ time: TimeAmount,
        _ action: @escaping Timeout
    ) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            guard let self, context.channel.isActive else { return }
            action(self, context)
        }
    }

    func startPhaseTimer(_ context: ChannelHandlerContext) {
        let time = phase == .body ? (isDraining ? limits.drainBodyTime : limits.bodyTime) : limits.headTime
        startTimer(context, &phaseTimer, time) { handler, context in
            handler.phaseTimer = nil
            handler.phaseEnded(context)
        }
    }

    func stopPhaseTimer() {
        phaseTimer?.cancel()
        phaseTimer = nil
    }

    func phaseEnded(_ context: ChannelHandlerContext) {
        switch phase {
        case .head, .body: reject(.requestTimeout, context)
        case .closing: context.close(promise: nil)
        case .idle, .answering: break
        }
    }

    /// One timer serves all the pauses of a connection: it looks how long the present one has lasted.
    func startIdleTimer(_ context: ChannelHandlerContext) {
        guard idleTimer == nil else { return }
        startTimer(context, &idleTimer, limits.idleTime) { $0.idleEnded($1) }
    }

    func idleEnded(_ context: ChannelHandlerContext) {
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

    func drain(_ context: ChannelHandlerContext) {
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
    func finish(_ context: ChannelHandlerContext, with bytes: ByteBuffer, _ promise: EventLoopPromise<Void>?) {
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

    func linger(_ context: ChannelHandlerContext) {
        guard context.channel.isActive, !isInputOver else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        startTimer(context, &phaseTimer, limits.lingerTime) { $1.close(promise: nil) }
        context.read()
    }

    func cancelTimers() {
        for timer in [phaseTimer, idleTimer, stallTimer, drainTimer] { timer?.cancel() }
        (phaseTimer, idleTimer, stallTimer, drainTimer) = (nil, nil, nil, nil)
    }
}
