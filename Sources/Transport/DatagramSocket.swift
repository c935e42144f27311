internal import Glibc
internal import SIPCore

/// Makes and binds a non-blocking UDP socket with large buffers.
///
/// - Returns: its descriptor, which the caller owns.
func openDatagramSocket(
    at address: TransportAddress, bufferSize: Int
) throws(TransportFailure) -> CInt {
    let isV4 = address.ip.isV4
    let descriptor = socket(
        isV4 ? AF_INET : AF_INET6,
        CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
            | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else {
        throw .cannotListen(at: "\(address) (UDP)", reason: systemReason(errno))
    }
    if !isV4 { setOption(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
    // The forced variants need CAP_NET_ADMIN and ignore net.core.rmem_max; without it the plain ones give what they can.
    let size = CInt(clamping: bufferSize)
    if !setOption(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, size) { setOption(descriptor, SOL_SOCKET, SO_RCVBUF, size) }
    if !setOption(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, size) { setOption(descriptor, SOL_SOCKET, SO_SNDBUF, size) }

    let result: CInt
    if isV4 {
        var bound = address.socketAddressV4
        result = withUnsafePointer(to: &bound) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    } else {
        var bound = address.socketAddressV6
        result = withUnsafePointer(to: &bound) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
    guard result == 0 else {
        let number = errno
        _ = close(descriptor)
        throw .cannotListen(at: "\(address) (UDP)", reason: systemReason(number))
    }
    return descriptor
}

@discardableResult
private func setOption(_ descriptor: CInt, _ level: CInt, _ name: CInt, _ value: CInt) -> Bool {
    var value = value
    return setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
}
