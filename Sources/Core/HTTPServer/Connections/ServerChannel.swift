import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// What Hummingbird's server does with each connection it accepts.
struct ServerChannel: ServerChildChannel {
    typealias Value = NIOAsyncChannel<ReceivedRequest, EncodedResponse>

    let limits: ConnectionLimits
    let pipeline: RequestPipeline

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var decoderLimits = NIOHTTPDecoderLimitConfiguration()
            decoderLimits.maxHeaderFieldSize = limits.maximumHeaderSize
            decoderLimits.maxHeaderListSize = limits.maximumHeaderSize
            decoderLimits.maxHeaderFieldCount = limits.maximumHeaderFields
            let operations = channel.pipeline.syncOperations
            try operations.addHandlers([
                ByteToMessageHandler(
                    HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: decoderLimits)),
                ConnectionHandler(limits: limits),
            ])
            return try NIOAsyncChannel(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    /// Answers one request after the other until the connection ends.
    func handle(value: Value, logger: Logger) async {
        let peer = IPAddress(value.channel.remoteAddress)
        do {
            try await value.executeThenClose { inbound, outbound in
                for try await request in inbound {
                    try await outbound.write(await pipeline.answer(request, peer: peer))
                }
            }
        } catch {
            // The client is gone; whoever waited for the answer does not any more.
            logger.trace("Connection ended", metadata: ["error": "\(error)"])
        }
    }
}

extension IPAddress {
    /// The address of a peer; one that has none, on a Unix socket, counts as this machine.
    init(_ address: SocketAddress?) {
        switch address {
        case .v4:
            // `sockaddr_in`: family, port, then the address in network order.
            self.init(v4: UInt32(bigEndian: address.read(4) ?? 0))
        case .v6:
            // `sockaddr_in6`: family, port, flow information, then the address in network order.
            self.init(high: UInt64(bigEndian: address.read(8) ?? 0), low: UInt64(bigEndian: address.read(16) ?? 0))
        case .unixDomainSocket, nil:
            self.init(v4: 0x7F00_0001)
        }
    }
}

extension SocketAddress? {
    /// A number out of the system's form of the address.
    fileprivate func read<Number: BitwiseCopyable>(_ offset: Int) -> Number? {
        self?.withSockAddr { pointer, size in
            guard size >= offset + MemoryLayout<Number>.size else { return nil }
            return UnsafeRawPointer(pointer).loadUnaligned(fromByteOffset: offset, as: Number.self)
        }
    }
}
