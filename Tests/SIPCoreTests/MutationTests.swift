import SIPCore
import Testing

/// Random damage to the torture messages: nothing may trap, and what is accepted must survive a rewrite.
@Suite("Damaged messages")
struct MutationTests {
    static let spice: [[UInt8]] = [
        [0x0d, 0x0a], [0x0d], [0x0a], [0], [0xff], [0x22], [0x5c], [0x3c], [0x3e], [0x2c], [0x3b], [0x3d], [0x3a],
        [0x5b], [0x5d], [0x25], [0x20], Array("99999999999999999999".utf8), Array("\r\n ".utf8), Array("Via: ".utf8),
        Array("\r\nl: -1\r\n".utf8), Array("%00".utf8), Array("[::".utf8), Array("SIP/2.0".utf8),
    ]

    static func damaged(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &generator) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &generator)
            let end = min(bytes.count, at + Int.random(in: 0...20, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.removeSubrange(at..<end)
            case 2: bytes.insert(contentsOf: spice.randomElement(using: &generator) ?? [], at: at)
            case 3: bytes.insert(contentsOf: bytes[at..<end], at: Int.random(in: 0...bytes.count, using: &generator))
            case 4: bytes.removeSubrange(at...)
            default: bytes.replaceSubrange(at..<end, with: spice.randomElement(using: &generator) ?? [])
            }
        }
        return bytes
    }

    @Test(arguments: 0..<16)
    func neverTrapAndStayConsistent(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let vectors = try TortureVectors.all
        for _ in 0..<1_500 {
            let vector = try #require(vectors.randomElement(using: &generator))
            let bytes = Self.damaged(vector, using: &generator)
            switch SIPMessage.parse(bytes) {
            case .message(let message):
                MessageInvariants.check(message)
                try MessageInvariants.checkRewrites(message)
            case .malformed(let message, let failure):
                MessageInvariants.check(message)
                let response = MessageWriter.response(to: message, status: failure.statusCode, toTag: "t".utf8)
                #expect(!response.isEmpty)
            case .unreadable: break
            }
        }
    }

    @Test(arguments: 0..<8)
    func randomBytes(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(100 + seed))
        for _ in 0..<2_000 {
            let bytes = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            if case .message = SIPMessage.parse(bytes) { Issue.record("noise taken for a message") }
            _ = SIPURI(bytes)
            _ = NameAddress(parsing: bytes)
            _ = AuthorizationHeader(parsing: bytes)
            _ = ParameterList(parsing: bytes[...])
            _ = IPAddress(parsing: bytes[...])
        }
    }

    /// URIs that parse print as URIs that are equal.
    @Test func uriRoundTrip() throws {
        var generator = SeededGenerator(seed: 7)
        let seeds = [
            "sip:alice:pw@example.com:5061;transport=tcp;lr?a=b&c=d", "sips:%00%41@[2001:db8::1]", "tel:+1-201;ext=1",
        ].map { Array($0.utf8) }
        var accepted = 0
        for _ in 0..<20_000 {
            let bytes = Self.damaged(try #require(seeds.randomElement(using: &generator)), using: &generator)
            guard let uri = SIPURI(bytes) else { continue }
            accepted += 1
            #expect(SIPURI(parsing: uri.description) == uri)
            #expect(uri.matches(uri))
        }
        #expect(accepted > 1_000)
    }
}

/// What holds of every message the parser hands out, accepted or not.
enum MessageInvariants {
    static func check(_ message: SIPMessage, sourceLocation: SourceLocation = #_sourceLocation) {
        let count = UInt32(message.bytes.count)
        func inside(_ range: ByteRange) -> Bool { range.isEmpty || range.end <= count }
        let via = message.topVia
        var ranges = [message.body, message.methodText, message.requestURI, message.reason, message.callID]
        ranges += [via.value, via.host, via.branch, via.parameters, via.received, via.maddr, via.protocolTransport]
        for address in [message.from, message.to] {
            ranges += [address.value, address.uri, address.tag, address.displayName, address.parameters]
        }
        var end: UInt32 = 0
        for field in message.fields {
            ranges += [field.nameRange, field.value]
            #expect(field.line.start >= end && field.line.end > field.line.start, sourceLocation: sourceLocation)
            #expect(field.value.isEmpty || field.value.start > field.nameRange.start, sourceLocation: sourceLocation)
            #expect(field.value.isEmpty || field.value.end <= field.line.end, sourceLocation: sourceLocation)
            end = field.line.end
        }
        #expect(end <= count && ranges.allSatisfy(inside), sourceLocation: sourceLocation)
        for name in [HeaderName.contact, .route, .via, .require] { _ = message.addresses(name) }
    }

    /// Responding to it and forwarding it give messages that say the same.
    static func checkRewrites(_ message: SIPMessage, sourceLocation: SourceLocation = #_sourceLocation) throws {
        #expect(message.vias().count == message.viaCount, sourceLocation: sourceLocation)
        let source = TransportAddress(ip: IPAddress(v4: 0x0a00_0001), port: 9)
        guard message.isRequest else {
            if let bytes = MessageWriter.forwardedResponse(message) {
                let passed = try parsed(bytes, sourceLocation: sourceLocation)
                #expect(passed.viaCount == message.viaCount - 1, sourceLocation: sourceLocation)
                #expect(passed[passed.body] == message[message.body], sourceLocation: sourceLocation)
            }
            return
        }
        let response = try parsed(
            MessageWriter.response(to: message, status: 200, toTag: "t".utf8, source: source),
            sourceLocation: sourceLocation)
        #expect(response.viaCount == message.viaCount, sourceLocation: sourceLocation)
        #expect(response[response.callID] == message[message.callID], sourceLocation: sourceLocation)
        #expect(response[response.topVia.branch] == message[message.topVia.branch], sourceLocation: sourceLocation)
        var changes = ForwardingChanges(via: Array("SIP/2.0/UDP p;branch=z9hG4bKp".utf8))
        changes.source = source
        changes.removedRoutes = 1
        let forwarded = try parsed(MessageWriter.forwarded(message, changes), sourceLocation: sourceLocation)
        #expect(forwarded.viaCount == message.viaCount + 1, sourceLocation: sourceLocation)
        #expect(forwarded[forwarded.body] == message[message.body], sourceLocation: sourceLocation)
        #expect(forwarded[forwarded.from.value] == message[message.from.value], sourceLocation: sourceLocation)
        #expect(forwarded.method == message.method, sourceLocation: sourceLocation)
    }
}
