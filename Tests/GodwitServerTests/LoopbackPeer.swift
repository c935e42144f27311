import Foundation
import Glibc
import SIPCore
import Transport

/// A UDP socket on the loopback address that speaks SIP as plain text, or with SigComp; receiving waits, with a deadline.
final class LoopbackPeer {
    struct Silence: Error {}

    private let descriptor: Int32
    private let server: UInt16
    let port: UInt16
    /// What compresses and decompresses; nil for plain text. `contactParameters` are what the Contact says then.
    private let compression: SignalingCompression?
    var contactParameters = ""
    /// Datagrams received that were SigComp, and those that were not.
    private(set) var compressed = 0
    private(set) var plain = 0
    private var instant: UInt64 = 0

    /// - Parameter server: port of the server to talk to.
    init(server: UInt16, compression: CompressionSettings? = nil) throws {
        self.server = server
        self.compression = compression.map { SignalingCompression($0) }
        descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        var address = Self.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var bound = sockaddr_in()
        let descriptor = descriptor
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = bind(descriptor, $0, length) }
        }
        withUnsafeMutablePointer(to: &bound) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(descriptor, $0, &length) }
        }
        port = UInt16(bigEndian: bound.sin_port)
        wait(atMost: 10)
    }

    /// How long receiving waits from now on, in seconds.
    func wait(atMost seconds: Int) {
        var patience = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    private var flow: Flow {
        Flow(transport: .udp, listener: 0, remote: TransportAddress(ip: IPAddress(v4: 0x7f00_0001), port: server))
    }

    private func tick() -> UInt64 {
        instant += 1_000
        return instant
    }

    func send(_ text: String) {
        let bytes = Array(text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n").utf8)
        send(bytes: compression?.datagram(bytes, on: flow, at: tick()) ?? bytes)
    }

    /// Sends bytes as they are.
    func send(bytes: [UInt8]) {
        var address = Self.loopback(server)
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The next datagram as it comes.
    func receiveBytes() throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { throw Silence() }
        return Array(buffer[..<count])
    }

    /// The next message that arrives.
    func receive() throws -> SIPMessage {
        while true {
            let bytes = try receiveBytes()
            guard bytes[0] >= 0xf8 else {
                plain += 1
                return try parsed(bytes)
            }
            guard let compression else { throw Silence() }
            compressed += 1
            guard case .message(let arrival) = compression.receive(bytes, on: flow, at: tick()) else { continue }
            compression.settle(arrival, .admitted(owner: 0), at: tick())
            return try parsed(arrival.bytes)
        }
    }

    private func parsed(_ bytes: [UInt8]) throws -> SIPMessage {
        guard case .message(let message) = SIPMessage.parse(bytes) else { throw Silence() }
        return message
    }

    /// The next final response.
    func receiveFinal() throws -> SIPMessage {
        while true {
            let message = try receive()
            if !message.isRequest, message.statusCode >= 200 { return message }
        }
    }

    /// The next MESSAGE; anything else is passed over.
    func receiveMessage() throws -> SIPMessage {
        while true {
            let message = try receive()
            if message.isRequest, message.method == .message { return message }
        }
    }

    func answer(_ request: SIPMessage, _ status: UInt16) {
        send(
            String(
                decoding: MessageWriter.response(to: request, status: status, toTag: Array("peer".utf8)), as: UTF8.self)
        )
    }

    func register(_ user: String, expires: Int = 600, sequence: Int) {
        send(
            """
            REGISTER sip:example.com SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:\(port);branch=z9hG4bKr\(user)\(sequence);rport
            Max-Forwards: 70
            From: <sip:\(user)@example.com>;tag=r\(user)
            To: <sip:\(user)@example.com>
            Call-ID: registration-\(user)
            CSeq: \(sequence) REGISTER
            \(compression == nil ? "Allow: MESSAGE" : Self.manyMethods)
            Contact: <sip:\(user)@127.0.0.1:\(port)\(contactParameters)>;expires=\(expires)
            Content-Length: 0


            """)
    }

    func message(from sender: String, to recipient: String, _ text: String, id: String) {
        send(
            """
            MESSAGE sip:\(recipient)@example.com SIP/2.0
            Via: SIP/2.0/UDP 127.0.0.1:\(port);branch=z9hG4bKm\(id);rport
            Max-Forwards: 70
            From: <sip:\(sender)@example.com>;tag=m\(id)
            To: <sip:\(recipient)@example.com>
            Call-ID: message-\(id)
            CSeq: 1 MESSAGE
            Content-Type: text/plain
            Content-Length: \(text.utf8.count)

            \(text)
            """)
    }

    /// A line so long that bytecode and message together are smaller than the message, whatever the algorithm.
    private static let manyMethods =
        "Allow: " + String(repeating: "INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, ", count: 10) + "INFO"

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
