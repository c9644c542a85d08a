import HTTPTypes
import NIOCore
import NIOHTTP1

/// Making requests.
extension ConnectionHandler {
    /// Whether no request may be let through now: one is being answered, or the client does not take its answers.
    func mustHold(_ context: ChannelHandlerContext) -> Bool {
        phase == .answering || (phase != .closing && !context.channel.isWritable)
    }

    /// Whether nothing more may be read now. One read is let ahead: to stop and start reading for every request
    /// would cost two system calls, and few clients send the next request before they have their answer.
    func mustHoldRead(_ context: ChannelHandlerContext) -> Bool {
        mustHold(context) && !(phase == .answering && waiting.isEmpty)
    }

    /// Takes up what had to wait.
    func goOn(_ context: ChannelHandlerContext) {
        while phase != .closing, !mustHold(context), let arrival = waiting.popFirst() {
            switch arrival {
            case .part(let part): take(part, context)
            case .failure(let rejection): reject(rejection, context)
            }
        }
        if hasHeldRead, !mustHoldRead(context) {
            hasHeldRead = false
            context.read()
        }
    }

    func take(_ part: HTTPServerRequestPart, _ context: ChannelHandlerContext) {
        switch part {
        case .head(let head): takeHead(head, context)
        case .body(var chunk):
            bodySize += chunk.readableBytes
            guard bodySize <= bodyLimit else { return reject(.payloadTooLarge, context) }
            if request?.body == nil { request?.body = chunk } else { request?.body?.writeBuffer(&chunk) }
        case .end:
            guard let request else { return }
            deliver(request, context)
        }
    }

    func takeHead(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        stopPhaseTimer()
        phase = .body
        bodySize = 0
        guard let converted = RequestHead.convert(head) else { return reject(.invalidRequest, context) }
        bodyLimit = limits.bodySize(for: converted.path)
        request = ReceivedRequest(
            head: converted, body: nil, keepsAlive: head.isKeepAlive, isVersion10: head.version == .http1_0)
        if let length = converted.headerFields[.contentLength] {
            // Said before sent: nothing of it need be read.
            guard let length = Int(length), length <= bodyLimit else {
                return reject(.payloadTooLarge, context)
            }
            wantsContinue =
                converted.headerFields[.expect]?.lowercased() == "100-continue"
                && head.version == .http1_1
        } else {
            wantsContinue = false
        }
    }

    func deliver(_ request: ReceivedRequest, _ context: ChannelHandlerContext) {
        stopPhaseTimer()
        self.request = nil
        phase = .answering
        requests.yield(request)
    }

    /// Lets the refusal through in place of the request, so that it is answered and recorded as any other.
    func reject(_ rejection: ProblemType, _ context: ChannelHandlerContext) {
        var refused = request ?? .unreadable(rejection)
        refused.body = nil
        refused.keepsAlive = false
        refused.rejection = rejection
        deliver(refused, context)
    }

    /// Tells a client that waits for it to send its body (RFC 9110 §10.1.1).
    func sendContinue(_ context: ChannelHandlerContext) {
        guard wantsContinue, bodySize == 0 else { return }
        wantsContinue = false
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }
}
