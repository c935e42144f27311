import SIPCore
import Testing

@Suite("Stream framer")
struct StreamFramerTests {
    /// Feeds the pieces and collects every item; the failure too, if there is one.
    private func frame(
        _ pieces: [[UInt8]], pongs: Int = 0, limits: ParserLimits = .init()
    ) -> ([FramedItem], SyntaxFailure.Kind?) {
        var framer = StreamFramer(limits: limits)
        framer.expectedPongs = pongs
        var items: [FramedItem] = []
        for piece in pieces {
            framer.append(piece)
            do {
                while let item = try framer.next() { items.append(item) }
            } catch {
                return (items, error.kind)
            }
        }
        return (items, nil)
    }

    static func message(_ index: Int, body: Int) -> [UInt8] {
        request("Content-Length: \(body)\nX-Index: \(index)", body: String(repeating: "b", count: body))
    }

    @Test func oneMessage() {
        let bytes = Self.message(0, body: 5)
        #expect(frame([bytes]).0 == [.message(bytes)])
        var framer = StreamFramer()
        framer.append(bytes.dropLast())
        #expect(throws: Never.self) { try framer.next() == nil }
        #expect(framer.bufferedCount == bytes.count - 1)
    }

    @Test func byteByByteAndAtOnce() {
        let messages = (0..<20).map { Self.message($0, body: $0 * 7 % 40) }
        let stream = wire("\n\n") + messages.joined(separator: wire("\n")) + wire("\n\n")
        let expected = [FramedItem.ping] + messages.map(FramedItem.message) + [.ping]
        #expect(frame([stream]).0 == expected)
        #expect(frame(stream.map { [$0] }).0 == expected)
    }

    @Test(arguments: 0..<50)
    func randomCuts(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var stream: [UInt8] = []
        var expected: [FramedItem] = []
        for index in 0..<Int.random(in: 1...60, using: &generator) {
            switch Int.random(in: 0..<6, using: &generator) {
            case 0:
                stream += wire("\n\n")
                expected.append(.ping)
            default:
                if Bool.random(using: &generator), expected.last != .ping { stream += wire("\n") }
                let message = Self.message(index, body: Int.random(in: 0...300, using: &generator))
                stream += message
                expected.append(.message(message))
            }
        }
        var pieces: [[UInt8]] = []
        var rest = stream[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...500, using: &generator))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        let (items, failure) = frame(pieces)
        #expect(items == expected && failure == nil)
    }

    @Test func pongsAreTakenWhenAwaited() {
        let bytes = Self.message(1, body: 0)
        let (items, failure) = frame([wire("\n"), wire("\n\n\n"), bytes], pongs: 2)
        #expect(items == [.pong, .pong, .ping, .message(bytes)] && failure == nil)
        #expect(frame([wire("\n") + bytes]).0 == [.message(bytes)])
    }

    @Test(arguments: [
        ("", SyntaxFailure.Kind.contentLengthMissing), ("Content-Length: -1", .contentLength),
        ("Content-Length: ", .contentLength), ("l: 5 5", .contentLength), ("l: 99999999999999999999", .contentLength),
        ("Content-Length: 4294967296", .contentLength), ("Content-Length", .contentLength),
        ("Content-Length: 1048576", .messageTooLarge), ("l: 0\nContent-Length: 0", .repeatedHeader),
    ])
    func broken(_ line: String, _ kind: SyntaxFailure.Kind) {
        let bytes = request(line)
        #expect(frame([bytes]).1 == kind)
        #expect(frame(bytes.map { [$0] }).1 == kind)
    }

    @Test func failureIsFinal() {
        var framer = StreamFramer()
        framer.append(request(""))
        for _ in 0..<3 {
            #expect(throws: SyntaxFailure(.contentLengthMissing)) { try framer.next() }
            framer.append(Self.message(0, body: 0))
        }
        // The broken message can still be read, to answer it before the connection goes.
        guard case .message(let message) = SIPMessage.parse(Array(framer.remainder)) else {
            Issue.record("remainder is not the message")
            return
        }
        #expect(message.method == .message)
    }

    @Test func endlessHeaderIsCutOff() {
        let limits = ParserLimits(headerBytes: 1_000, messageBytes: 2_000)
        #expect(frame([Array(repeating: 0x41, count: 1_001)], limits: limits).1 == .headerTooLarge)
        #expect(frame([Array(repeating: 0x41, count: 1_000)], limits: limits).1 == nil)
        #expect(frame([[0x0d], Array(repeating: 0x41, count: 1_001)], limits: limits).1 == .headerTooLarge)
        #expect(frame([request("l: 3000")], limits: limits).1 == .messageTooLarge)
        let long = request("l: 0\nX: " + String(repeating: "y", count: 2_000))
        #expect(frame([long], limits: limits).1 == .headerTooLarge)
    }

    @Test func foldedLengthAndOtherNames() {
        let bytes = request("Content-Length  :\n  3\nContent-Type: a/b\nCall-Info: x\nC: 1", body: "abc")
        #expect(frame([bytes]).0 == [.message(bytes)])
    }

    @Test(arguments: ["dblreq", "clerr", "ncl", "mcl01", "mpart01"])
    func tortureOnAStream(_ name: String) throws {
        let (items, failure) = frame([try TortureVectors.torture(name)])
        switch name {
        case "dblreq":
            #expect(items.count >= 1 && items.first.map { if case .message = $0 { true } else { false } } == true)
        case "clerr": #expect(items.isEmpty && failure == nil)
        case "ncl": #expect(items.isEmpty && failure == .contentLength)
        case "mcl01": #expect(items.isEmpty && failure == .repeatedHeader)
        default: #expect(items == [.message(try TortureVectors.torture(name))] && failure == nil)
        }
    }

    /// Two megabytes of small messages in one piece, and one message in many: both take linear time, so they end.
    @Test func longStreams() {
        let message = Self.message(0, body: 10)
        let many = Array((0..<8_000).map { _ in message }.joined())
        #expect(frame([many]).0.count == 8_000)
        let large = Self.message(0, body: 1_000_000)
        var pieces: [[UInt8]] = []
        for start in stride(from: 0, to: large.count, by: 1_000) {
            pieces.append(Array(large[start..<min(start + 1_000, large.count)]))
        }
        #expect(frame(pieces).0.count == 1)
    }
}
