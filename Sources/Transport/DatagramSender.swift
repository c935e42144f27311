internal import Glibc
internal import SIPCore

/// Sends the datagrams of one socket in batches, many to a system call.
///
/// SwiftNIO closes a datagram channel when a send meets any error but two, so one unroutable Contact would silence a
/// listening point. Here an error costs the datagram it belongs to and nothing else. `sendmmsg(2)` is looked up at run
/// time, as Glibc's module does not show it.
struct DatagramSender: ~Copyable {
    /// What became of a datagram that was not sent.
    struct Loss {
        var token: UInt64
        var reason: String
    }

    /// Longest UDP payload over IPv4; IPv6 allows twenty bytes more.
    static let longestPayload = 65_507
    private static let slots = 256
    private static let stagingSize = 512 * 1_024

    private typealias SendMultiple = @convention(c) (CInt, UnsafeMutableRawPointer?, CUnsignedInt, CInt) -> CInt
    /// `struct mmsghdr` of the Linux ABI.
    private struct MultipleHeader {
        var header = msghdr()
        var sent: CUnsignedInt = 0
    }

    private let descriptor: CInt
    private let isV4: Bool
    private let headers: UnsafeMutablePointer<MultipleHeader>
    private let vectors: UnsafeMutablePointer<iovec>
    private let addresses: UnsafeMutablePointer<sockaddr_in6>
    private let staging: UnsafeMutableRawPointer
    private var tokens: [UInt64]
    private var staged = 0
    /// Datagrams waiting: those from `first` to before `count`.
    private var first = 0
    private var count = 0
    private let sendMultiple: SendMultiple?
    private(set) var sentDatagrams: UInt64 = 0
    private(set) var sentBytes: UInt64 = 0
    private(set) var errors: UInt64 = 0

    /// Takes over the descriptor and closes it at the end.
    init(owning descriptor: CInt, isV4: Bool) {
        self.descriptor = descriptor
        self.isV4 = isV4
        headers = .allocate(capacity: Self.slots)
        headers.initialize(repeating: MultipleHeader(), count: Self.slots)
        vectors = .allocate(capacity: Self.slots)
        vectors.initialize(repeating: iovec(), count: Self.slots)
        addresses = .allocate(capacity: Self.slots)
        addresses.initialize(repeating: sockaddr_in6(), count: Self.slots)
        staging = .allocate(byteCount: Self.stagingSize, alignment: 64)
        tokens = Array(repeating: 0, count: Self.slots)
        sendMultiple = dlsym(nil, "sendmmsg").map { unsafeBitCast($0, to: SendMultiple.self) }
    }

    deinit {
        headers.deallocate()
        vectors.deallocate()
        addresses.deallocate()
        staging.deallocate()
        _ = Glibc.close(descriptor)
    }

    /// Whether datagrams wait for the kernel to take them.
    var isEmpty: Bool { first == count }

    /// Copies a datagram in. Sends what is there when there is no room.
    mutating func append(
        _ bytes: [UInt8], to address: TransportAddress, token: UInt64, losses: inout [Loss]
    ) {
        guard bytes.count <= Self.longestPayload else {
            errors += 1
            losses.append(Loss(token: token, reason: "larger than a datagram can be"))
            return
        }
        guard address.ip.isV4 == isV4, address.port != 0 else {
            errors += 1
            losses.append(Loss(token: token, reason: "not an address this socket can send to"))
            return
        }
        if count == Self.slots || staged + bytes.count > Self.stagingSize {
            send(losses: &losses)
            guard isEmpty else {
                errors += 1
                losses.append(Loss(token: token, reason: "the socket's send buffer is full"))
                return
            }
        }
        let place = staging + staged
        bytes.withUnsafeBytes { if let base = $0.baseAddress { place.copyMemory(from: base, byteCount: $0.count) } }
        staged += bytes.count

        let length: Int
        if isV4 {
            UnsafeMutableRawPointer(addresses + count).storeBytes(of: address.socketAddressV4, as: sockaddr_in.self)
            length = MemoryLayout<sockaddr_in>.size
        } else {
            addresses[count] = address.socketAddressV6
            length = MemoryLayout<sockaddr_in6>.size
        }
        vectors[count] = iovec(iov_base: place, iov_len: bytes.count)
        headers[count].header.msg_name = UnsafeMutableRawPointer(addresses + count)
        headers[count].header.msg_namelen = socklen_t(length)
        headers[count].header.msg_iov = vectors + count
        headers[count].header.msg_iovlen = 1
        tokens[count] = token
        count += 1
    }

    /// Hands everything to the kernel. What it has no room for stays; try again a little later.
    mutating func send(losses: inout [Loss]) {
        while first < count {
            let sent = sendSome()
            if sent > 0 {
                for slot in first..<first + sent { sentBytes += UInt64(vectors[slot].iov_len) }
                sentDatagrams += UInt64(sent)
                first += sent
                continue
            }
            let number = errno
            if number == EINTR { continue }
            if number == EAGAIN || number == EWOULDBLOCK || number == ENOBUFS { return }
            errors += 1
            losses.append(Loss(token: tokens[first], reason: systemReason(number)))
            first += 1
        }
        first = 0
        count = 0
        staged = 0
    }

    private func sendSome() -> Int {
        if let sendMultiple {
            return Int(sendMultiple(descriptor, headers + first, CUnsignedInt(count - first), CInt(MSG_NOSIGNAL)))
        }
        return sendmsg(descriptor, &headers[first].header, CInt(MSG_NOSIGNAL)) >= 0 ? 1 : -1
    }
}
