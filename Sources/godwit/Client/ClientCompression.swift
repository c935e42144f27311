import LinkProfiles
import NIOCore
import SIPCore
import SigComp
import Transport

/// SigComp of a client with one server, on the event loop of its socket.
final class ClientCompression {
    /// What the client offers, and how it is called.
    struct Settings: Sendable {
        var identifier: String
        var parameters: SigCompParameters
    }

    private let compression: SignalingCompression
    private let flow: Flow

    /// The server is taken to want SigComp, as the user has said so; nil without settings.
    init?(_ settings: Settings?, server: ServerAddress, remote: SocketAddress) {
        guard let settings, let ip = remote.ipAddress.flatMap({ IPAddress(parsing: $0) }), let port = remote.port else {
            return nil
        }
        var compression = CompressionSettings(
            identifier: settings.identifier, endpoint: SigCompConfiguration(parameters: settings.parameters))
        compression.peers = [CompressedPeer(network: NetworkPrefix(high: ip.high, low: ip.low, length: 128))]
        self.compression = SignalingCompression(compression)
        flow = Flow(
            transport: server.transport, listener: 0, connection: server.transport.isReliable ? 1 : 0,
            remote: TransportAddress(ip: ip, port: UInt16(clamping: port)))
    }

    private var now: UInt64 { NIODeadline.now().uptimeNanoseconds / 1_000 }

    func datagram(_ message: [UInt8]) -> [UInt8] { compression.datagram(message, on: flow, at: now) }

    func record(_ message: [UInt8]) -> [UInt8]? { compression.record(message, on: flow, at: now) }

    /// The SIP message in a SigComp message, and what is to be sent back at once.
    func receive(_ bytes: [UInt8]) -> (message: [UInt8]?, answer: [UInt8]?) {
        switch compression.receive(bytes, on: flow, at: now) {
        case .message(let arrival):
            // Whom the client talks to was its own choice.
            compression.settle(arrival, .admitted(owner: 0), at: now)
            return (arrival.bytes, nil)
        case .failed(_, let answer): return (nil, answer)
        case .refused(let again): return (nil, again)
        case .ping: return (nil, compression.pong)
        case .nothing: return (nil, nil)
        }
    }
}
