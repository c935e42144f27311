import Foundation
import SIPCore

/// A SIP user agent for scripts: registers, sends and receives MESSAGE (RFC 3428), publishes and watches events (RFC 3903,
/// RFC 6665), answers challenges.
actor UserAgent {
    enum Failure: Error {
        /// No final response within 64 × T1, or the connection broke.
        case noAnswer(String)
        /// The server wants credentials that there are none for, or refused those given.
        case credentials(String)
    }

    /// A final response.
    struct Answer: Sendable {
        var status: UInt16
        var reason: String
        /// Value of Expires or of our contact's expires parameter, where there is one.
        var expires: Int64?
        /// The whole response.
        var message: SIPMessage
    }

    let identity: UserName
    private let socket: ClientSocket
    private let credentials: DigestAnswer?
    private let fromTag = UserAgent.token()
    private let instance: String
    /// Whether the Contact asks for SigComp.
    private let isCompressed: Bool
    private let registrationCallID = UserAgent.token() + "@godwit"
    private var registrationSequence: UInt32 = 0
    private var waiting: [String: AsyncStream<SIPMessage>.Continuation] = [:]
    private var answered: Set<String> = []
    private var answeredOrder: [String] = []
    private let received: AsyncStream<SIPMessage>.Continuation
    /// MESSAGEs, each once, after they were answered 200.
    nonisolated let messages: AsyncStream<SIPMessage>
    private let notified: AsyncStream<SIPMessage>.Continuation
    /// NOTIFYs of our subscription, each once, after they were answered 200.
    nonisolated let notifications: AsyncStream<SIPMessage>
    /// Call-ID of the subscription whose NOTIFYs are ours; any other is answered 481.
    var subscriptionCallID = ""

    init(identity: UserName, password: String?, instance: String, isCompressed: Bool, socket: ClientSocket) {
        self.identity = identity
        self.instance = instance
        self.isCompressed = isCompressed
        self.socket = socket
        credentials = password.map { DigestAnswer(username: identity.username, password: $0) }
        (messages, received) = AsyncStream.makeStream(of: SIPMessage.self)
        (notifications, notified) = AsyncStream.makeStream(of: SIPMessage.self)
    }

    /// Reads what arrives until the connection ends.
    func run() async {
        for await bytes in socket.incoming {
            guard case .message(let message) = SIPMessage.parse(bytes) else { continue }
            if message.isRequest {
                answer(message)
            } else {
                waiting[message.text(message.topVia.branch)]?.yield(message)
            }
        }
        received.finish()
        notified.finish()
        for continuation in waiting.values { continuation.finish() }
    }

    func stop() async { await socket.close() }

    /// A CRLF keep-alive (RFC 5626 section 3.5.1).
    func keepAlive() { socket.send(Array("\r\n\r\n".utf8)) }

    // MARK: Requests

    /// - Parameter expires: seconds; 0 takes the registration back.
    func register(expires: Int64) async throws -> Answer {
        let own = "sip:\(identity.username)@\(identity.domain)"
        return try await request(
            .register, uri: "sip:\(identity.domain)", to: own, callID: registrationCallID,
            sequence: {
                self.registrationSequence += 1; return self.registrationSequence
            },
            headers: """
                Contact: \(contact);expires=\(expires);+sip.instance="<urn:uuid:\(instance)>";reg-id=1\r
                Expires: \(expires)\r
                Supported: path, outbound\r

                """, body: [])
    }

    func message(to recipient: String, body: [UInt8], contentType: String, expires: Int64?) async throws -> Answer {
        var sequence: UInt32 = 0
        var headers = "Content-Type: \(contentType)\r\n"
        if let expires { headers += "Expires: \(expires)\r\n" }
        return try await request(
            .message, uri: recipient, to: recipient, callID: Self.token() + "@godwit",
            sequence: {
                sequence += 1; return sequence
            }, headers: headers, body: body)
    }

    /// The bytes a MESSAGE would have, to decide whether it may go by datagram.
    static let datagramLimit = 1_300

    /// Our Contact value (RFC 3261 section 8.1.1.8).
    var contact: String {
        let transport = socket.transport == .udp ? "" : ";transport=\(socket.transport.uriToken)"
        let compression = isCompressed ? ";comp=sigcomp;sigcomp-id=urn:uuid:\(instance)" : ""
        return "<sip:\(identity.username)@\(socket.host):\(socket.port)\(transport)\(compression)>"
    }

    /// One request and its final answer, challenges answered.
    ///
    /// - Parameters:
    ///   - toTag: the peer's tag within a dialog.
    ///   - sequence: gives the CSeq number, once for each try.
    ///   - headers: whole lines with their ends.
    func request(
        _ method: SIPMethod, uri: String, to: String, toTag: String = "", callID: String, sequence: () -> UInt32,
        headers: String, body: [UInt8]
    ) async throws -> Answer {
        var authorization = ""
        for _ in 0..<3 {
            let branch = "z9hG4bK" + Self.token()
            var writer = MessageWriter(capacity: 512 + headers.utf8.count + body.count)
            writer.appendRequestLine(method, uri: uri)
            writer.append(
                "Via: SIP/2.0/\(socket.transport.viaToken) \(socket.host):\(socket.port);branch=\(branch);rport\r\n")
            writer.append("Max-Forwards: 70\r\nFrom: <sip:\(identity.username)@\(identity.domain)>;tag=\(fromTag)\r\n")
            let tag = toTag.isEmpty ? "" : ";tag=\(toTag)"
            writer.append("To: <\(to)>\(tag)\r\nCall-ID: \(callID)\r\nCSeq: \(sequence()) \(method.text)\r\n")
            writer.append(authorization)
            writer.append(headers)
            writer.append("User-Agent: godwit\r\n")
            let bytes = writer.finish(body: body)
            if socket.transport == .udp, bytes.count > Self.datagramLimit {
                throw Failure.noAnswer(
                    "\(bytes.count) bytes are too many for UDP (RFC 3428 section 8); use --server tcp:… or tls:…")
            }
            let response = try await transact(bytes, branch: branch)
            guard response.statusCode == 401 || response.statusCode == 407 else { return answer(from: response) }
            guard let credentials else { throw Failure.credentials("the server wants a password") }
            let isStale = Self.isStale(response)
            guard authorization.isEmpty || isStale else { throw Failure.credentials("the password was refused") }
            let line = credentials.header(for: response, method: method, uri: uri, cnonce: Self.token())
            guard let line else { throw Failure.credentials("the server's challenge is not understood") }
            authorization = line
        }
        throw Failure.credentials("the password was refused")
    }

    /// One client transaction (RFC 3261 section 17.1.2).
    private func transact(_ bytes: [UInt8], branch: String) async throws -> SIPMessage {
        let (responses, continuation) = AsyncStream.makeStream(of: SIPMessage.self)
        waiting[branch] = continuation
        defer { waiting[branch] = nil }
        let isUnreliable = socket.transport == .udp
        let sender = Task { [socket] in
            var interval = 500
            var waited = 0
            while waited < 32_000 {
                if waited == 0 || isUnreliable { socket.send(bytes) }
                try await Task.sleep(for: .milliseconds(interval))
                waited += interval
                interval = min(interval * 2, 4_000)
            }
            continuation.finish()
        }
        defer { sender.cancel() }
        for await response in responses where response.statusCode >= 200 { return response }
        throw Failure.noAnswer("no answer from the server")
    }

    private func answer(from response: SIPMessage) -> Answer {
        var expires = response.expires >= 0 ? response.expires : nil
        for contact in response.addresses(.contact) {
            if let value = response.parameter("expires", in: contact.parameters).flatMap({ response.decimal($0) }) {
                expires = Int64(value)
            }
        }
        return Answer(
            status: response.statusCode, reason: response.text(response.reason), expires: expires, message: response)
    }

    private static func isStale(_ response: SIPMessage) -> Bool {
        response.fields.contains { field in
            guard field.name == .wwwAuthenticate || field.name == .proxyAuthenticate else { return false }
            return AuthorizationHeader(field.value, of: response)?.parameters["stale"]?.lowercased() == "true"
        }
    }

    // MARK: Requests of others

    private func answer(_ request: SIPMessage) {
        guard request.method != .ack else { return }
        // A retransmission, and a redelivery after a crash of the server, carry the same of these three.
        let name = "\(request.text(request.callID)) \(request.cseqNumber) \(request.text(request.from.tag))"
        let isOurs = request.method == .message || isNotification(request)
        let status: UInt16 =
            switch request.method {
            case .message, .options: 200
            case .notify: isOurs ? 200 : 481
            default: 405
            }
        let headers = "Allow: MESSAGE, NOTIFY, OPTIONS\r\nAccept: */*\r\n"
        socket.send(
            MessageWriter.response(
                to: request, status: status, toTag: Array(fromTag.utf8), headers: isOurs ? [] : Array(headers.utf8)))
        guard isOurs, answered.insert(name).inserted else { return }
        answeredOrder.append(name)
        if answeredOrder.count > 10_000 { answered.remove(answeredOrder.removeFirst()) }
        (request.method == .message ? received : notified).yield(request)
    }

    /// Whether the request belongs to our subscription (RFC 6665 section 4.4.1).
    private func isNotification(_ request: SIPMessage) -> Bool {
        request.method == .notify && !subscriptionCallID.isEmpty && request.text(request.callID) == subscriptionCallID
            && request.text(request.to.tag) == fromTag
    }

    static func token() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt32.random(in: .min ... .max), radix: 36)
    }
}
