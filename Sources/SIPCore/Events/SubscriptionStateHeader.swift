/// Why a subscription ended (RFC 6665 section 4.1.3).
public enum SubscriptionEndReason: UInt8, Hashable, Sendable, CaseIterable {
    /// The subscriber is to subscribe again at once.
    case deactivated
    /// It is to subscribe again later.
    case probation
    /// The policy changed; it is not to subscribe again.
    case rejected
    /// It was not refreshed, was taken back, or was a fetch.
    case timeout
    /// Nobody decided in time.
    case giveUp
    /// What was watched exists no more.
    case noResource
    /// What is watched will not change.
    case invariant
    /// A reason this library does not know.
    case other

    /// The reason as written; empty for ``other``.
    public var token: StaticString {
        switch self {
        case .deactivated: "deactivated"
        case .probation: "probation"
        case .rejected: "rejected"
        case .timeout: "timeout"
        case .giveUp: "giveup"
        case .noResource: "noresource"
        case .invariant: "invariant"
        case .other: ""
        }
    }

    init(_ bytes: Span<UInt8>, _ range: ByteRange) {
        self = Self.allCases.first { $0 != .other && bytes.equalsFolded($0.token, at: range) } ?? .other
    }
}

/// The Subscription-State header of a NOTIFY (RFC 6665 section 8.2.3).
public struct SubscriptionStateHeader: Hashable, Sendable {
    public enum Substate: UInt8, Hashable, Sendable, CaseIterable {
        case active, pending, terminated
        /// One of another specification.
        case other
    }

    public var substate: Substate
    /// Seconds left; nil when the header does not say.
    public var expires: UInt32?
    /// nil when the header gives none.
    public var reason: SubscriptionEndReason?
    /// Seconds to wait before subscribing again; nil when the header does not say.
    public var retryAfter: UInt32?
    /// Rates the notifier keeps to (RFC 6446).
    public var rates: EventRates

    public init(
        _ substate: Substate, expires: UInt32? = nil, reason: SubscriptionEndReason? = nil, retryAfter: UInt32? = nil,
        rates: EventRates = .none
    ) {
        self.substate = substate
        self.expires = expires
        self.reason = reason
        self.retryAfter = retryAfter
        self.rates = rates
    }

    /// Reads the header of a NOTIFY; nil when there is none, or it is malformed.
    public init?(of message: SIPMessage) {
        guard let field = message.first(.subscriptionState) else { return nil }
        self.init(message.bytes.span, field.value)
    }

    init?(_ bytes: Span<UInt8>, _ value: ByteRange) {
        let end = bytes.skip(.token, value.lower, value.upper)
        guard end > value.lower else { return nil }
        self.init(Self.substate(bytes, ByteRange(value.lower, end)))
        var scanner = ParameterScanner(ByteRange(end, value.upper))
        while let parameter = scanner.next(bytes) {
            if bytes.equalsFolded("expires", at: parameter.name) {
                guard let seconds = Self.deltaSeconds(bytes, parameter.value) else { return nil }
                expires = seconds
            } else if bytes.equalsFolded("retry-after", at: parameter.name) {
                guard let seconds = Self.deltaSeconds(bytes, parameter.value) else { return nil }
                retryAfter = seconds
            } else if bytes.equalsFolded("reason", at: parameter.name) {
                guard !parameter.value.isEmpty else { return nil }
                reason = SubscriptionEndReason(bytes, parameter.value)
            } else if !rates.read(parameter, bytes) {
                return nil
            }
        }
        guard !scanner.isMalformed, bytes.skipSpace(scanner.position, value.upper) == value.upper else { return nil }
    }

    private static func substate(_ bytes: Span<UInt8>, _ range: ByteRange) -> Substate {
        if bytes.equalsFolded("active", at: range) { return .active }
        if bytes.equalsFolded("pending", at: range) { return .pending }
        return bytes.equalsFolded("terminated", at: range) ? .terminated : .other
    }

    /// Numbers beyond 32 bits count as the largest of these: RFC 3261 section 25.1 does not bound delta-seconds.
    private static func deltaSeconds(_ bytes: Span<UInt8>, _ range: ByteRange) -> UInt32? {
        guard !range.isEmpty else { return nil }
        for index in range.lower..<range.upper where !bytes[index].isDigit { return nil }
        return bytes.decimal(range.lower, range.upper).map { UInt32(clamping: $0) } ?? .max
    }
}

extension MessageWriter {
    /// Writes the header's value, as `active;expires=3600;max-rate=0.05`. ``SubscriptionStateHeader/Substate/other`` has no
    /// text of its own and is written as terminated.
    public mutating func append(_ state: SubscriptionStateHeader) {
        switch state.substate {
        case .active: append("active")
        case .pending: append("pending")
        case .terminated, .other: append("terminated")
        }
        if let expires = state.expires {
            append(";expires=")
            append(decimal: expires)
        }
        if let reason = state.reason, reason != .other {
            append(";reason=")
            append(reason.token)
        }
        if let seconds = state.retryAfter {
            append(";retry-after=")
            append(decimal: seconds)
        }
        append(state.rates)
    }
}
