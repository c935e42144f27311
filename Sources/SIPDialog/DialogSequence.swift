/// Whether a request in a dialog comes in its turn (RFC 3261 section 12.2.2).
public enum SequenceVerdict: Hashable, Sendable {
    case inOrder
    /// Lower than the number before: 500.
    case outOfOrder
    /// Beyond the numbers there are, which end below 2^31 (section 8.1.1.5): 400.
    case impossible

    /// The response the request is refused with; nil for one in order.
    public var statusCode: UInt16? {
        switch self {
        case .inOrder: nil
        case .outOfOrder: 500
        case .impossible: 400
        }
    }
}

/// The sequence number of the other side's last request in a dialog.
public struct RemoteSequence: Hashable, Sendable {
    /// 0 while there was none.
    public private(set) var number: UInt32

    public init(_ number: UInt32 = 0) { self.number = number }

    /// Judges a number without taking it over, because a request that is refused changes nothing. The same number as before
    /// is in order: retransmissions do not get this far, unless a restart lost their transaction.
    public func check(_ next: UInt32) -> SequenceVerdict {
        guard next < 1 << 31 else { return .impossible }
        return next < number ? .outOfOrder : .inOrder
    }

    /// Takes over the number of a request that was accepted.
    public mutating func accept(_ next: UInt32) { number = max(number, next) }
}

/// Sequence numbers of this side's requests in a dialog. They are reserved durably in blocks, so that none is used twice
/// whatever crashes, and a request needs no write.
///
/// RFC 3261 section 12.2.1.1 wants numbers without gaps; after a restart there is one, which section 12.2.2 has the other
/// side accept.
public struct SequenceReservation: Hashable, Sendable {
    /// Numbers end below 2^31 (RFC 3261 section 8.1.1.5).
    public static let last: UInt32 = 1 << 31 - 1

    /// The number used last; 0 before the first.
    public private(set) var used: UInt32
    /// No number above this has been used, as far as the store knows.
    public private(set) var ceiling: UInt32
    /// A higher ceiling on its way to the store; 0 when there is none.
    private var asked: UInt32 = 0

    /// A new dialog: numbers begin at 1, up to a ceiling that is stored with the dialog.
    public init(block: UInt32) {
        used = 0
        ceiling = min(max(1, block), Self.last)
    }

    /// A dialog out of the store: numbers go on above its ceiling, once a new one is stored.
    public init(above ceiling: UInt32) {
        used = min(ceiling, Self.last)
        self.ceiling = used
    }

    /// Whether there are no numbers any more: the dialog has to end.
    public var isExhausted: Bool { used >= Self.last }

    /// The next number; nil while none is reserved.
    public mutating func next() -> UInt32? {
        guard used < ceiling else { return nil }
        used += 1
        return used
    }

    /// The ceiling to store now, where fewer than half a block of numbers are left; nil when there are enough, or one is on
    /// its way.
    public mutating func reserve(block: UInt32) -> UInt32? {
        guard asked == 0, ceiling < Self.last, ceiling - used < max(2, block) / 2 else { return nil }
        return raise(block: block)
    }

    /// A higher ceiling for a record that is written anyway, whatever is left.
    public mutating func raise(block: UInt32) -> UInt32 {
        let higher = max(asked, UInt32(min(UInt64(used) + UInt64(max(1, block)), UInt64(Self.last))))
        asked = max(higher, ceiling)
        return asked
    }

    /// The store has a ceiling.
    public mutating func stored(_ ceiling: UInt32) {
        self.ceiling = max(self.ceiling, min(ceiling, Self.last))
        if asked <= self.ceiling { asked = 0 }
    }

    /// The store refused: it may be asked again.
    public mutating func storingFailed() { asked = 0 }
}
