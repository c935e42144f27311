internal import Glibc
internal import NIOCore
internal import SIPCore

extension TransportAddress {
    /// `nil` for an address that is not IPv4 or IPv6.
    @inline(__always)
    init?(_ address: SocketAddress) {
        switch address {
        case .v4(let v4):
            let inner = v4.address
            self.init(
                ip: IPAddress(v4: UInt32(bigEndian: unsafeBitCast(inner.sin_addr, to: UInt32.self))),
                port: UInt16(bigEndian: inner.sin_port))
        case .v6(let v6):
            let inner = v6.address
            let halves = unsafeBitCast(inner.sin6_addr, to: (UInt64, UInt64).self)
            self.init(
                ip: IPAddress(high: UInt64(bigEndian: halves.0), low: UInt64(bigEndian: halves.1)),
                port: UInt16(bigEndian: inner.sin6_port))
        case .unixDomainSocket:
            return nil
        }
    }

    /// The form `sockaddr_in` of an IPv4 address.
    var socketAddressV4: sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr = unsafeBitCast(ip.v4Bits.bigEndian, to: in_addr.self)
        return address
    }

    /// The form `sockaddr_in6` of any address; IPv4 becomes IPv4-mapped.
    var socketAddressV6: sockaddr_in6 {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        address.sin6_addr = unsafeBitCast((ip.high.bigEndian, ip.low.bigEndian), to: in6_addr.self)
        return address
    }

    /// As SwiftNIO wants it.
    var socketAddress: SocketAddress {
        ip.isV4 ? SocketAddress(socketAddressV4, host: "") : SocketAddress(socketAddressV6, host: "")
    }
}
