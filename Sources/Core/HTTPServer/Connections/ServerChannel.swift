import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// What Hummingbird's server does with each connection it accepts.
///
/// Not through `NIOAsyncChannel`: one that is accepted in the moment of a stop and never handled ends the process.
struct ServerChannel: ServerChildChannel {
    struct Connection: ServerChildChannelValue {
        let channel: any Channel
        let requests: AsyncStream<ReceivedRequest>
    }

    let limits: ConnectionLimits
    let pipeline: RequestPipeline

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Connection> {
        channel.eventLoop.makeCompletedFuture {
            var decoderLimits = NIOHTTPDecoderLimitConfiguration()
            decoderLimits.maxHeaderFieldSize = limits.maximumHeaderSize
            decoderLimits.maxHeaderListSize = limits.maximumHeaderSize
            decoderLimits.maxHeaderFieldCount = limits.maximumHeaderFields
            let (requests, continuation) = AsyncStream.makeStream(of: ReceivedRequest.self)
            // Also when there was never anyone to answer.
            continuation.onTermination = { _ in channel.close(promise: nil) }
            try channel.pipeline.syncOperations.addHandlers([
                ByteToMessageHandler(
                    HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: decoderLimits)),
                ConnectionHandler(limits: limits, state: pipeline.state, requests: continuation),
            ])
            return Connection(channel: channel, requests: requests)
        }
    }

    /// Answers one request after the other until the connection ends.
    func handle(value connection: Connection, logger: Logger) async {
        let peer = IPAddress(connection.channel.remoteAddress)
        for await request in connection.requests {
            connection.channel.writeAndFlush(await pipeline.answer(request, peer: peer), promise: nil)
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
