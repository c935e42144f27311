/// What an operator's command asks of a running server: one JSON object a line on the admin socket.
public struct AdminRequest: Codable, Hashable, Sendable {
    public enum Command: String, Codable, Hashable, Sendable, CaseIterable {
        /// Counters and sizes at this moment.
        case stats
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
    }

    public var command: Command
    /// Numbers of messages, at most ``numberLimit``.
    public var numbers: [Int64]?
    /// Absolute path of a file to be written.
    public var path: String?

    /// Messages one request may name; more take several requests, so that the server is never held up.
    public static let numberLimit = 1_000

    public init(_ command: Command, numbers: [Int64]? = nil, path: String? = nil) {
        self.command = command
        self.numbers = numbers
        self.path = path
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

    public init(ok: Bool, error: String? = nil, affected: Int? = nil, counters: [String: Int64]? = nil) {
        self.ok = ok
        self.error = error
        self.affected = affected
        self.counters = counters
    }

    public static func failure(_ error: String) -> AdminResponse { AdminResponse(ok: false, error: error) }
}
