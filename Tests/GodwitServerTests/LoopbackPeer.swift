import Foundation
import Glibc
import SIPCore

/// A UDP socket on the loopback address that speaks SIP as plain text; receiving waits, with a deadline.
final class LoopbackPeer {
    struct Silence: Error {}

    private let descriptor: Int32
    private let server: UInt16
    let port: UInt16

    /// - Parameter server: port of the server to talk to.
    init(server: UInt16) throws {
        self.server = server
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
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n").utf8)
        var address = Self.loopback(server)
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = sendto(descriptor, bytes, bytes.count, 0, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The next message that arrives.
    func receive() throws -> SIPMessage {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0, case .message(let message) = SIPMessage.parse(Array(buffer[..<count])) else { throw Silence() }
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
            Contact: <sip:\(user)@127.0.0.1:\(port)>;expires=\(expires)
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

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }
}
