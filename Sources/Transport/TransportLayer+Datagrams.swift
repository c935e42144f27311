internal import Logging
internal import NIOCore
internal import SIPCore
internal import SigComp

extension TransportLayer {
    /// One datagram off a socket: answers keep-alives, drops what is empty, hands on the rest.
    func receivedDatagram(_ bytes: [UInt8], from source: TransportAddress?, at index: UInt16) {
        tally.datagramsReceived += 1
        tally.datagramBytesReceived += UInt64(bytes.count)
        guard let source, let first = bytes.first else {
            tally.datagramsDropped += 1
            return
        }
        // Every SIP message begins with a token character, all of which lie above these.
        if first <= 0x20, receivedKeepAlive(bytes, from: source, at: index) { return }
        let flow = Flow(transport: .udp, listener: index, remote: source)
        let isSigComp = SigCompHeader.isSigComp(firstByte: first) && compression(on: flow) != nil
        emit(isSigComp ? .compressed(bytes, flow) : .received(bytes, flow))
    }

    /// STUN, or the blank datagrams with which many clients hold their NAT binding open; true when it was one of them.
    private func receivedKeepAlive(_ bytes: [UInt8], from source: TransportAddress, at index: UInt16) -> Bool {
        let flow = Flow(transport: .udp, listener: index, remote: source)
        if STUNBinding.isSTUN(bytes) {
            if let response = STUNBinding.response(to: bytes, from: source) {
                tally.bindingRequestsAnswered += 1
                send(response, to: .flow(flow), token: 0)
            } else {
                tally.datagramsDropped += 1
            }
            return true
        }
        guard bytes.count <= 8, bytes.allSatisfy({ $0 == 0x0d || $0 == 0x0a || $0 == 0 || $0 == 0x20 }) else {
            return false
        }
        tally.pingsReceived += 1
        if bytes == LineEnds.ping { send(LineEnds.pong, to: .flow(flow), token: 0) }
        return true
    }

    /// An error the socket reported. It costs nothing but a count, as long as the socket stays open.
    func datagramError(_ error: any Error, at index: UInt16) {
        tally.datagramErrors += 1
        logger.debug("UDP socket error", metadata: ["listener": "\(index)", "reason": "\(error)"])
    }
}
