import Foundation
import SigComp
import Testing

/// Endpoints that talk over paths which lose, duplicate and reorder: a message is decompressed byte-exact or refused, never
/// wrong, and afterwards all is as before.
@Suite("Loss, duplication, reordering and restarts")
struct LossTests {
    /// GODWIT_TEST_SIGCOMP_MESSAGES asks for another number of messages in all.
    private static let total =
        ProcessInfo.processInfo.environment["GODWIT_TEST_SIGCOMP_MESSAGES"].flatMap(Int.init) ?? 6_000

    struct Setting: Sendable, CustomTestStringConvertible {
        let one: SigCompParameters
        let other: SigCompParameters
        let algorithms: [CompressionAlgorithm]
        var isSharing = true
        /// For what cannot be begun with what RFC 5049 makes the least of a peer: an algorithm that needs more, or a peer that has less.
        var mustBeKnown = false

        var testDescription: String {
            [one, other].map { "\($0.decompressionMemorySize)/\($0.stateMemorySize)/\($0.cyclesPerBit)" }
                .joined(separator: " with ") + " " + algorithms.map(\.rawValue).joined(separator: ", ")
                + (isSharing ? "" : " not shared")
        }

        /// - Parameter isAnnounced: whether the ends have to find out what the other has.
        func configurations(isAnnounced: Bool) -> (SigCompConfiguration, SigCompConfiguration) {
            var first = SigCompConfiguration(parameters: one, algorithms: algorithms, isSharing: isSharing)
            var second = SigCompConfiguration(parameters: other, algorithms: algorithms, isSharing: isSharing)
            if !isAnnounced || mustBeKnown {
                first.unknownPeer = PeerKnowledge(parameters: other, isSharing: isSharing)
                second.unknownPeer = PeerKnowledge(parameters: one, isSharing: isSharing)
            }
            return (first, second)
        }
    }

    private static func parameters(_ memory: Int, _ state: Int, _ cycles: Int) -> SigCompParameters {
        SigCompParameters(cyclesPerBit: cycles, decompressionMemorySize: memory, stateMemorySize: state)
    }

    private static let large = parameters(65_536, 65_536, 64)
    private static let least = parameters(8_192, 2_048, 16)

    static let settings: [Setting] =
        CompressionAlgorithm.allCases.map { Setting(one: large, other: large, algorithms: [$0], mustBeKnown: true) }
        + [
            Setting(one: large, other: large, algorithms: CompressionAlgorithm.allCases, isSharing: false),
            Setting(one: large, other: least, algorithms: CompressionAlgorithm.allCases),
            Setting(
                one: parameters(8_192, 8_192, 64), other: parameters(16_384, 4_096, 32),
                algorithms: CompressionAlgorithm.allCases),
            Setting(one: least, other: least, algorithms: CompressionAlgorithm.allCases),
            Setting(
                one: parameters(2_048, 0, 16), other: parameters(8_192, 0, 128),
                algorithms: CompressionAlgorithm.allCases, mustBeKnown: true),
        ]

    static let weathers: [LossyExchange.Weather] = [
        .init(loss: 100),
        .init(loss: 20, duplication: 20, reordering: 4, rejection: 10),
        .init(loss: 200, duplication: 100, reordering: 12, rejection: 50, restart: 5),
    ]

    @Test(arguments: settings, [DecompressorDispatcher.Transport.message])
    func nothingIsEverWrong(_ setting: Setting, _ transport: DecompressorDispatcher.Transport) {
        for (index, weather) in Self.weathers.enumerated() {
            let (one, other) = setting.configurations(isAnnounced: index % 2 == 0)
            var exchange = LossyExchange(
                one, other, transport: transport, weather: weather, seed: UInt64(1_000 + index))
            exchange.run(messages: Self.total / (Self.settings.count * Self.weathers.count))
            #expect(exchange.wrong == 0)
            #expect(exchange.confused == 0)
            #expect(exchange.greatestMemoryUse <= 100_000)
            Self.expectRecovery(&exchange)
        }
    }

    /// Once nothing goes wrong any more, at most one message each way is refused, and none of those that come after.
    private static func expectRecovery(_ exchange: inout LossyExchange) {
        exchange.weather = .init()
        exchange.settle()
        let before = exchange.refused
        exchange.run(messages: 12)
        exchange.settle()
        #expect(exchange.refused - before <= 2)
        let after = exchange.refused
        exchange.run(messages: 20)
        exchange.settle()
        #expect(exchange.refused == after)
        #expect(exchange.wrong == 0)
    }

    /// Where nothing is lost and the order is kept, no message is ever refused, and all get smaller.
    @Test(arguments: settings, [DecompressorDispatcher.Transport.message, .stream])
    func nothingIsRefusedOnAGoodPath(_ setting: Setting, _ transport: DecompressorDispatcher.Transport) {
        for isAnnounced in [true, false] {
            let (one, other) = setting.configurations(isAnnounced: isAnnounced)
            var exchange = LossyExchange(one, other, transport: transport, weather: .init(), seed: 7)
            exchange.run(messages: 60)
            exchange.settle()
            #expect(exchange.refused == 0)
            #expect(exchange.wrong == 0)
            if setting.one.stateMemorySize > 0 { #expect(exchange.sentBytes < exchange.plainBytes) }
        }
    }

    /// On a stream nothing is lost, but an end may begin anew.
    @Test(arguments: settings)
    func restartsOverAStream(_ setting: Setting) {
        let (one, other) = setting.configurations(isAnnounced: true)
        var exchange = LossyExchange(
            one, other, transport: .stream, weather: .init(rejection: 20, restart: 30), seed: 9)
        exchange.run(messages: 120)
        #expect(exchange.wrong == 0)
        #expect(exchange.confused == 0)
        Self.expectRecovery(&exchange)
    }
}
