public import LinkProfiles

/// The durations a transaction takes from its link, in microseconds (RFC 3261 section 17.1.1.1 and table 4).
public struct TransactionTimers: Hashable, Sendable {
    /// Round-trip time estimate.
    public var t1: Int64
    /// The longest retransmission interval of non-INVITE requests and INVITE responses.
    public var t2: Int64
    /// The longest time a message stays in the network.
    public var t4: Int64
    /// Timers B, F, H, J, L and M: 64*T1 unless the profile says otherwise.
    public var lifetime: Int64

    public init(t1: Int64, t2: Int64, t4: Int64, lifetime: Int64) {
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
        self.lifetime = lifetime
    }

    public init(_ profile: LinkProfile) {
        self.init(
            t1: profile.t1.microseconds, t2: profile.t2.microseconds, t4: profile.t4.microseconds,
            lifetime: profile.transactionLifetime.microseconds)
    }
}

/// Timers known to a ``TransactionLayer``, by number: one byte a transaction instead of thirty-two.
public struct TimersIndex: Hashable, Sendable {
    let number: UInt8
}
