/// What an operator's command asks of a running server: one JSON object a line on the admin socket.
public struct AdminRequest: Codable, Hashable, Sendable {
    public enum Command: String, Codable, Hashable, Sendable, CaseIterable {
        /// Counters and sizes at this moment.
        case stats
        /// The peers with which SigComp is used, those with most bytes first.
        case sigcomp
        /// Reads accounts and certificates again.
        case reload
        /// Ends the server as SIGTERM does.
        case drain
        /// Copies the database to `path` while it is in use.
        case backup
        /// Makes the messages `numbers` due now.
        case retry
        /// Ends the lives of the messages `numbers`.
        case expire
        /// Refuses the messages `numbers` for good.
        case drop
        /// Puts the presence rules `document` of `user` in force, or takes them away.
        case rules
    }

    public var command: Command
    /// Numbers of messages, at most ``numberLimit``.
    public var numbers: [Int64]?
    /// Absolute path of a file to be written.
    public var path: String?
    /// A user as `sip:user@domain`.
    public var user: String?
    /// A document as text; none to take it away.
    public var document: String?

    /// Messages one request may name; more take several requests, so that the server is never held up.
    public static let numberLimit = 1_000
    /// Peers in an answer to `sigcomp`.
    public static let peerLimit = 1_000

    public init(_ command: Command, numbers: [Int64]? = nil, path: String? = nil) {
        self.command = command
        self.numbers = numbers
        self.path = path
    }

    /// - Parameter document: nil takes the user's rules away.
    public init(rulesOf user: String, document: String?) {
        self.init(.rules)
        self.user = user
        self.document = document
    }
}

/// The server's answer, one JSON object a line.
public struct AdminResponse: Codable, Hashable, Sendable {
    public var ok: Bool
    /// What went wrong, for people; only when `ok` is false.
    public var error: String?
    /// Messages that a `retry`, `expire` or `drop` met in the queue, accounts a `reload` read.
    public var affected: Int?
    /// Answer to `stats`: name → value.
    public var counters: [String: Int64]?
    /// Answer to `sigcomp`.
    public var compressionPeers: [CompressionPeer]?

    public init(
        ok: Bool, error: String? = nil, affected: Int? = nil, counters: [String: Int64]? = nil,
        compressionPeers: [CompressionPeer]? = nil
    ) {
        self.ok = ok
        self.error = error
        self.affected = affected
        self.counters = counters
        self.compressionPeers = compressionPeers
    }

    public static func failure(_ error: String) -> AdminResponse { AdminResponse(ok: false, error: error) }
}

/// What went to and came from one peer with SigComp.
public struct CompressionPeer: Codable, Hashable, Sendable {
    /// Its SIP/SigComp identifier, or its address where it has none.
    public var name: String
    public var address: String
    /// Bytes of states kept for it.
    public var stateBytes: Int
    public var messagesSent: UInt64
    /// Bytes of SIP, and on the wire, for `messagesSent`.
    public var plainBytesSent: UInt64
    public var bytesSent: UInt64
    public var messagesReceived: UInt64
    /// Bytes of SIP, and on the wire, for `messagesReceived`.
    public var plainBytesReceived: UInt64
    public var bytesReceived: UInt64
}
