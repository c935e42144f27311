import SIPCore

/// A flow written into the user part of our Record-Route URIs (RFC 5626 section 5.3.1): the flow's fields and a keyed hash over
/// them in hexadecimal, so that nobody can make up a flow.
enum FlowToken {
    static func text(of flow: Flow, key: (UInt64, UInt64)) -> [UInt8] {
        var writer = MessageWriter(capacity: 80)
        for word in words(of: flow) { writer.appendHex(word) }
        writer.appendHex(seal(of: flow, key: key))
        return writer.bytes
    }

    static func flow(from text: ArraySlice<UInt8>, key: (UInt64, UInt64)) -> Flow? {
        guard text.count == 80 else { return nil }
        var words: [UInt64] = []
        var position = text.startIndex
        while position < text.endIndex {
            guard let word = UInt64(String(decoding: text[position..<position + 16], as: UTF8.self), radix: 16) else {
                return nil
            }
            words.append(word)
            position += 16
        }
        guard let transport = SIPTransport(rawValue: UInt8(truncatingIfNeeded: words[0] >> 32)) else { return nil }
        let flow = Flow(
            transport: transport, listener: UInt16(truncatingIfNeeded: words[0] >> 16), connection: words[1],
            remote: TransportAddress(
                ip: IPAddress(high: words[2], low: words[3]), port: UInt16(truncatingIfNeeded: words[0])))
        return seal(of: flow, key: key) == words[4] ? flow : nil
    }

    private static func words(of flow: Flow) -> [UInt64] {
        [
            UInt64(flow.transport.rawValue) << 32 | UInt64(flow.listener) << 16 | UInt64(flow.remote.port),
            flow.connection, flow.remote.ip.high, flow.remote.ip.low,
        ]
    }

    private static func seal(of flow: Flow, key: (UInt64, UInt64)) -> UInt64 {
        var hash = KeyedHash(key: key)
        hash.combine(byte: 0xf1)
        for word in words(of: flow) { hash.combine(word) }
        return hash.finalize()
    }
}
