public import MessageStore
public import SIPCore

/// Everything the engine wants done, in the order it wants it. The driver takes it after every input or batch of inputs.
public struct EngineOutput: Sendable {
    /// Messages to send, in order.
    public var transmissions: [Transmission] = []
    /// Durable steps, in order; they continue the numbering of those handed out before (the first ever is number 1).
    public var storeCommands: [StoreCommand] = []
    /// Next hops to look up (RFC 3263).
    public var resolutions: [Resolution] = []
    /// Connections to close once what is queued on them has left.
    public var closures: [Flow] = []
    /// Things worth a log line. Never carries secrets.
    public var notices: [Notice] = []

    public init() {}

    public var isEmpty: Bool {
        transmissions.isEmpty && storeCommands.isEmpty && resolutions.isEmpty && closures.isEmpty && notices.isEmpty
    }
}

/// One SIP message (or keep-alive) on its way out.
public struct Transmission: Sendable {
    public var bytes: [UInt8]
    public var destination: Destination
    /// Handed back with ``Engine/transmissionFailed(_:reason:at:)`` when it could not be sent; 0 when nobody cares.
    public var token: UInt64
    /// What it was reckoned to take of its endpoint's budget; nil where there is none. With compression, the size it really had is
    /// reported with ``Engine/transmitted(_:bytes:again:at:)``.
    public var charge: DownlinkCharge?

    public init(bytes: [UInt8], destination: Destination, token: UInt64 = 0) {
        self.bytes = bytes
        self.destination = destination
        self.token = token
    }
}

/// A question to DNS in the terms of RFC 3263 section 4; the answer is an ordered list of targets.
public struct Resolution: Hashable, Sendable {
    /// Handed back with ``Engine/resolved(_:targets:at:)``.
    public var id: UInt64
    /// Host of the URI: a domain name, or an address in text.
    public var host: String
    /// Port of the URI; 0 when it names none.
    public var port: UInt16
    /// Value of the URI's transport parameter, if any.
    public var transport: SIPTransport?
    /// Whether the URI is `sips`.
    public var isSecure: Bool

    public init(id: UInt64, host: String, port: UInt16, transport: SIPTransport?, isSecure: Bool) {
        self.id = id
        self.host = host
        self.port = port
        self.transport = transport
        self.isSecure = isSecure
    }
}

/// Something for the log. `level` follows swift-log.
public struct Notice: Sendable {
    public enum Level: Int, Sendable { case debug, info, notice, warning, error }
    public var level: Level
    public var message: String
    /// Pairs for structured logging.
    public var details: [(String, String)]

    public init(_ level: Level, _ message: String, _ details: [(String, String)] = []) {
        self.level = level
        self.message = message
        self.details = details
    }
}
