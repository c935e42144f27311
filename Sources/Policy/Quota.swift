/// How much may wait for one recipient, or from one sender.
public struct Quota: Hashable, Sendable {
    /// Messages; 0 for any number.
    public var messages: Int
    /// Bytes; 0 for any amount.
    public var bytes: Int

    public init(messages: Int = 0, bytes: Int = 0) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// How much waits.
public struct QuotaUsage: Hashable, Sendable {
    public var messages: Int
    public var bytes: Int

    public init(messages: Int = 0, bytes: Int = 0) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// Why a message is not stored.
public enum QuotaRefusal: UInt8, Hashable, Sendable, CaseIterable {
    /// As many messages as allowed wait for the recipient.
    case recipientMessages
    /// As many bytes as allowed wait for the recipient.
    case recipientBytes
    /// As many messages of the sender wait as allowed.
    case senderMessages
    /// As many bytes of the sender wait as allowed.
    case senderBytes
    /// The message alone is larger than what may wait.
    case tooLarge
    /// The server as a whole holds as many messages as allowed.
    case serverFull

    /// 480 where waiting helps, 413 where it does not, 503 where it is not about the two users.
    public var statusCode: UInt16 {
        switch self {
        case .recipientMessages, .recipientBytes, .senderMessages, .senderBytes: 480
        case .tooLarge: 413
        case .serverFull: 503
        }
    }

    /// Reason phrase that tells a person what happened.
    public var reason: StaticString {
        switch self {
        case .recipientMessages, .recipientBytes: "Recipient's Message Queue Full"
        case .senderMessages, .senderBytes: "Too Many Undelivered Messages From Sender"
        case .tooLarge: "Message Larger Than Queue Allows"
        case .serverFull: "Message Store Full"
        }
    }

    /// Text for a Warning header, to be put between quotes behind `399` and the agent (RFC 3261 section 20.43).
    public var warning: StaticString {
        switch self {
        case .recipientMessages: "Number of messages waiting for the recipient is at its limit"
        case .recipientBytes: "Bytes of messages waiting for the recipient are at their limit"
        case .senderMessages: "Number of undelivered messages of the sender is at its limit"
        case .senderBytes: "Bytes of undelivered messages of the sender are at their limit"
        case .tooLarge: "Message is larger than all that may wait for one recipient or sender"
        case .serverFull: "Number of messages waiting on this server is at its limit"
        }
    }

    /// Seconds for Retry-After; 0 for none.
    public var retryAfter: UInt32 {
        switch self {
        case .recipientMessages, .recipientBytes, .senderMessages, .senderBytes: 600
        case .tooLarge: 0
        case .serverFull: 60
        }
    }
}

/// The quotas of a deferred queue.
public struct QuotaPolicy: Hashable, Sendable {
    public var perRecipient: Quota
    public var perSender: Quota
    /// Messages in all; 0 for any number.
    public var messagesInAll: Int

    public init(perRecipient: Quota = Quota(), perSender: Quota = Quota(), messagesInAll: Int = 0) {
        self.perRecipient = perRecipient
        self.perSender = perSender
        self.messagesInAll = messagesInAll
    }

    /// Whether a message of `size` bytes may be stored on top of what waits already; nil when it may.
    public func refusal(
        size: Int, recipient: QuotaUsage, sender: QuotaUsage, messagesInAll waiting: Int
    ) -> QuotaRefusal? {
        if exceeds(size, perRecipient.bytes) || exceeds(size, perSender.bytes) { return .tooLarge }
        if exceeds(recipient.messages + 1, perRecipient.messages) { return .recipientMessages }
        if exceeds(recipient.bytes + size, perRecipient.bytes) { return .recipientBytes }
        if exceeds(sender.messages + 1, perSender.messages) { return .senderMessages }
        if exceeds(sender.bytes + size, perSender.bytes) { return .senderBytes }
        if exceeds(waiting + 1, messagesInAll) { return .serverFull }
        return nil
    }

    private func exceeds(_ amount: Int, _ limit: Int) -> Bool { limit > 0 && amount > limit }
}

/// What waits from each sender, by a keyed hash of the sender. Only senders with something waiting take room.
public struct SenderLedger: Sendable {
    private var usage: [UInt32: Entry] = [:]

    private struct Entry {
        var messages: UInt32 = 0
        var bytes: UInt64 = 0
    }

    public init() {}

    /// Senders with something waiting.
    public var count: Int { usage.count }

    public func usage(of sender: UInt32) -> QuotaUsage {
        guard let entry = usage[sender] else { return QuotaUsage() }
        return QuotaUsage(messages: Int(entry.messages), bytes: Int(clamping: entry.bytes))
    }

    /// A message was stored.
    public mutating func add(_ size: Int, of sender: UInt32) {
        var entry = usage[sender] ?? Entry()
        entry.messages += 1
        entry.bytes += UInt64(max(0, size))
        usage[sender] = entry
    }

    /// A message has left the store, delivered or not.
    public mutating func remove(_ size: Int, of sender: UInt32) {
        guard var entry = usage[sender] else { return }
        entry.messages -= min(entry.messages, 1)
        entry.bytes -= min(entry.bytes, UInt64(max(0, size)))
        usage[sender] = entry.messages == 0 ? nil : entry
        if usage.isEmpty { usage = [:] }
    }
}
