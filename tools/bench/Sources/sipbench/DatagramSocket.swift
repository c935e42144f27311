import Glibc

/// `struct mmsghdr` of the Linux ABI, which Glibc's module does not show.
struct MultipleHeader {
    var header = msghdr()
    var length: CUnsignedInt = 0
}

private typealias SendMultiple = @convention(c) (CInt, UnsafeMutableRawPointer?, CUnsignedInt, CInt) -> CInt
private typealias ReceiveMultiple =
    @convention(c) (CInt, UnsafeMutableRawPointer?, CUnsignedInt, CInt, UnsafeMutableRawPointer?) -> CInt

private func symbol<T>(_ name: String, as: T.Type) -> T {
    guard let found = dlsym(nil, name) else { fail("the C library has no \(name)") }
    return unsafeBitCast(found, to: T.self)
}

/// One UDP socket on 127.0.0.1 that sends and receives many datagrams to a system call.
final class DatagramSocket {
    static let batch = 64
    static let slotSize = 4_096

    let descriptor: CInt
    let port: UInt16
    private(set) var sendErrors = 0
    private var count = 0
    private let headers = UnsafeMutablePointer<MultipleHeader>.allocate(capacity: batch)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: batch)
    private let addresses = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: batch)
    private let staging = UnsafeMutablePointer<UInt8>.allocate(capacity: batch * slotSize)
    private let sendMultiple = symbol("sendmmsg", as: SendMultiple.self)

    init(port: UInt16) {
        self.port = port
        descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { fail("socket: \(String(cString: strerror(errno)))") }
        var size: CInt = 64 << 20
        for (force, plain) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)] {
            if setsockopt(descriptor, SOL_SOCKET, force, &size, 4) != 0 {
                setsockopt(descriptor, SOL_SOCKET, plain, &size, 4)
            }
        }
        var local = address(port: port)
        let bound = withUnsafePointer(to: &local) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { fail("bind 127.0.0.1:\(port): \(String(cString: strerror(errno)))") }
        headers.initialize(repeating: MultipleHeader(), count: Self.batch)
        vectors.initialize(repeating: iovec(), count: Self.batch)
        addresses.initialize(repeating: sockaddr_in(), count: Self.batch)
        for slot in 0..<Self.batch {
            vectors[slot].iov_base = UnsafeMutableRawPointer(staging + slot * Self.slotSize)
            headers[slot].header.msg_iov = vectors + slot
            headers[slot].header.msg_iovlen = 1
            headers[slot].header.msg_name = UnsafeMutableRawPointer(addresses + slot)
            headers[slot].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        }
    }

    /// Room for the next datagram; ``finish(_:to:)`` sends it.
    func begin() -> SIPWriter {
        if count == Self.batch { flush() }
        return SIPWriter(start: staging + count * Self.slotSize)
    }

    func finish(_ writer: SIPWriter, to destination: sockaddr_in) {
        vectors[count].iov_len = writer.count
        addresses[count] = destination
        count += 1
    }

    func flush() {
        var first = 0
        while first < count {
            let sent = sendMultiple(descriptor, headers + first, CUnsignedInt(count - first), 0)
            if sent > 0 {
                first += Int(sent)
            } else if errno != EINTR {
                sendErrors += 1
                first += 1
            }
        }
        count = 0
    }
}

/// 127.0.0.1 and a port.
func address(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
}

/// Room for a batch of received datagrams, shared by all sockets.
struct ReceiveBatch {
    private static let slotSize = 65_536
    private let headers = UnsafeMutablePointer<MultipleHeader>.allocate(capacity: DatagramSocket.batch)
    private let vectors = UnsafeMutablePointer<iovec>.allocate(capacity: DatagramSocket.batch)
    private let addresses = UnsafeMutablePointer<sockaddr_in>.allocate(capacity: DatagramSocket.batch)
    private let space = UnsafeMutablePointer<UInt8>.allocate(capacity: DatagramSocket.batch * slotSize)
    private let receiveMultiple = symbol("recvmmsg", as: ReceiveMultiple.self)

    init() {
        headers.initialize(repeating: MultipleHeader(), count: DatagramSocket.batch)
        vectors.initialize(repeating: iovec(), count: DatagramSocket.batch)
        addresses.initialize(repeating: sockaddr_in(), count: DatagramSocket.batch)
    }

    /// Datagrams taken, at most one batch; 0 when there was none.
    func receive(from socket: DatagramSocket) -> Int {
        for slot in 0..<DatagramSocket.batch {
            vectors[slot] = iovec(iov_base: space + slot * Self.slotSize, iov_len: Self.slotSize)
            headers[slot].header.msg_iov = vectors + slot
            headers[slot].header.msg_iovlen = 1
            headers[slot].header.msg_name = UnsafeMutableRawPointer(addresses + slot)
            headers[slot].header.msg_namelen = socklen_t(MemoryLayout<sockaddr_in>.size)
        }
        let flags = CInt(MSG_DONTWAIT)
        return max(0, Int(receiveMultiple(socket.descriptor, headers, CUnsignedInt(DatagramSocket.batch), flags, nil)))
    }

    func bytes(_ slot: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: space + slot * Self.slotSize, count: Int(headers[slot].length))
    }

    func source(_ slot: Int) -> sockaddr_in { addresses[slot] }
}
