import Foundation
import Testing

@testable import SigComp

/// The bytecode of the conventional algorithms, and what their compressors believe of it.
@Suite("Compressors' programs")
struct CompressorProgramTests {
    @Test(arguments: [CompactCode.symbols, .lengths, .distances])
    func codesAreCompleteAndWithoutPrefixes(_ code: CompactCode) {
        let space = code.sets.reduce(0) { $0 + $1.count << (16 - $1.bits) }
        #expect(space == 1 << 16)
        let codes = code.sets.flatMap { set in (0..<set.count).compactMap { code.code(set.firstValue + $0) } }
        for (index, one) in codes.enumerated() where index % 7 == 0 {
            for other in codes where other.bits > one.bits {
                #expect(other.code >> (other.bits - one.bits) != one.code)
            }
        }
    }

    /// Small enough that a first message with it stays smaller than plain, and that two texts find room in 2048 bytes.
    @Test func theCompactProgramIsSmall() throws {
        let program = try #require(CompactProgram(ringEnd: 4_096, textLength: 771, hash: StateHash()))
        #expect(program.upload.count < 300)
        let text = program.loader.count + program.textLength + StateItem.overhead
        #expect(program.code.count + StateItem.overhead + 2 * text <= 2_048)
    }

    /// What is read out of zlib's data is what went in.
    @Test(arguments: 0..<20)
    func deflateTokens(_ seed: UInt64) throws {
        var traffic = SIPTraffic(seed: seed)
        let window = traffic.next()
        let message = traffic.next()
        let data = try #require(RawDeflate().compress(message, after: window[...], windowBits: 15))
        guard var tokens = Self.tokens(of: data) else { return }
        if tokens.last == .endOfBlock { tokens.removeLast() }
        var text = window
        for token in tokens {
            switch token {
            case .literal(let byte): text.append(byte)
            case .match(let length, let distance):
                for _ in 0..<length { text.append(text[text.count - distance]) }
            case .endOfBlock: break
            }
        }
        #expect(Array(text[window.count...]) == message)
    }

    private static func tokens(of data: [UInt8]) -> [DeflateTokens.Token]? {
        var reader = DeflateTokens(data)
        var tokens: [DeflateTokens.Token] = []
        while let isLast = reader.beginBlock() {
            while let token = reader.next() {
                tokens.append(token)
                if token == .endOfBlock { break }
            }
            if isLast { return tokens }
        }
        return nil
    }

    /// No message of a conversation costs more than the peer grants.
    @Test(arguments: [CompressionAlgorithm.deflate, .compact])
    func cyclesStayWithinTheBudget(_ algorithm: CompressionAlgorithm) throws {
        let parameters = SigCompParameters(cyclesPerBit: 32, decompressionMemorySize: 32_768, stateMemorySize: 32_768)
        let configuration = SigCompConfiguration(
            parameters: parameters, algorithms: [algorithm], unknownPeer: PeerKnowledge(parameters: parameters))
        let one = SigCompEndpoint(configuration: configuration)
        let other = SigCompEndpoint(configuration: configuration)
        let peer = CompartmentIdentifier("peer")
        var traffic = SIPTraffic(seed: 21)
        var compressed = 0
        for _ in 0..<40 {
            for (from, to) in [(one, other), (other, one)] {
                let message = traffic.next()
                let sent = from.compress(message, for: peer)
                guard sent.isSigComp, case .message(let received) = try to.receive(sent.bytes) else { continue }
                compressed += 1
                #expect(received.output == message)
                #expect(received.cycles <= (1_000 + 8 * sent.bytes.count) * parameters.cyclesPerBit)
                to.accept(received, for: peer)
            }
        }
        #expect(compressed > 50)
    }

    /// The beginning of the corpus' day at the least that RFC 5049 allows: smaller than plain from the first message on, no
    /// message larger, and every one decompressed with no more than those resources.
    @Test func theLeastPeersAreServed() throws {
        let directory = SigCompVectors.directory.deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "corpus/sip-day")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path()).sorted()
            .filter { $0.hasSuffix(".sip") }
        let up = SigCompEndpoint(configuration: SigCompConfiguration())
        let down = SigCompEndpoint(configuration: SigCompConfiguration())
        let peer = CompartmentIdentifier("peer")
        var (plain, total) = (0, 0)
        for file in files.prefix(80) {
            let message = [UInt8](try Data(contentsOf: directory.appending(path: file)))
            let (from, to) = file.contains("-up-") ? (up, down) : (down, up)
            let sent = from.compress(message, for: peer)
            #expect(sent.bytes.count <= message.count)
            if plain == 0 { #expect(sent.bytes.count < 800) }
            // One NOTIFY of 33 KB cannot be decompressed with 8192 bytes of memory, however it is compressed.
            if message.count < 8_192 {
                plain += message.count
                total += sent.bytes.count
            }
            guard sent.isSigComp, case .message(let received) = try to.receive(sent.bytes) else { continue }
            #expect(received.output == message)
            to.accept(received, for: peer)
        }
        #expect(total * 5 < plain * 2)
    }
}
