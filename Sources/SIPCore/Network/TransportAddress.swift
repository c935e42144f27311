/// An IPv4 or IPv6 address, kept in sixteen bytes.
public struct IPAddress: Hashable, Sendable {
    /// The upper and lower half of the IPv6 form, big-endian; IPv4 is kept IPv4-mapped (::ffff:a.b.c.d).
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its 32 bits in host order.
    public init(v4 bits: UInt32) {
        high = 0
        low = 0x0000_ffff_0000_0000 | UInt64(bits)
    }

    /// Whether this is an IPv4 address (or an IPv4-mapped IPv6 one).
    public var isV4: Bool { high == 0 && low >> 32 == 0xffff }

    /// The 32 bits of an IPv4 address in host order.
    public var v4Bits: UInt32 { UInt32(truncatingIfNeeded: low) }
}

/// An IP address and a port.
public struct TransportAddress: Hashable, Sendable {
    public var ip: IPAddress
    public var port: UInt16

    public init(ip: IPAddress, port: UInt16) {
        self.ip = ip
        self.port = port
    }
}
