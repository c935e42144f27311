/// Number of a deferred message: grows with acceptance, never reused, the row's key in every store.
public struct MessageNumber: Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: MessageNumber, b: MessageNumber) -> Bool { a.rawValue < b.rawValue }
}

/// Number of an address-of-record in the store (table `address`). The engine assigns it when it first needs one.
public struct AddressNumber: Hashable, Sendable {
    public var rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
}

/// Number of a binding's row. The engine assigns it.
public struct BindingNumber: Hashable, Sendable {
    public var rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
}

/// Number of a subscription's row. The engine assigns it; grows, never reused.
public struct SubscriptionNumber: Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: SubscriptionNumber, b: SubscriptionNumber) -> Bool { a.rawValue < b.rawValue }
}

/// Number of a publication's row. The engine assigns it; grows, never reused.
public struct PublicationNumber: Hashable, Comparable, Sendable {
    public var rawValue: Int64
    public init(_ rawValue: Int64) { self.rawValue = rawValue }
    public static func < (a: PublicationNumber, b: PublicationNumber) -> Bool { a.rawValue < b.rawValue }
}

/// Sixteen bytes that say whether two accepted requests are the same message: a keyed hash over sender, Call-ID and CSeq,
/// or over sender and the CPIM/IMDN Message-ID (RFC 3862, RFC 5438) where there is one.
public struct MessageIdentity: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}
