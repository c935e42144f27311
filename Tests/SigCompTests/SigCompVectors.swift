import Foundation
import Testing

/// The vectors of RFC 4465, RFC 4464 and RFC 4896, which live next to the repository.
enum SigCompVectors {
    static let directory = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "shared/vectors/sigcomp")

    struct Torture: Decodable { let tests: [TortureTest] }

    struct TortureTest: Decodable, Sendable {
        let id: String
        let conditions: Conditions
        let local_states: [String]
        let steps: [Step]
        let derived_variant_version_2: Variant?
    }

    struct Variant: Decodable, Sendable {
        let sigcomp_version: UInt8
        let steps: [Step]
    }

    struct Conditions: Decodable, Sendable {
        let transport: String
        let decompression_memory_size: Int
        let cycles_per_bit: Int
        let state_memory_size: Int
        let sigcomp_version: UInt8
    }

    struct Step: Decodable, Sendable {
        let step: Int?
        let compartment: Int?
        let message_hex: String?
        let stream_hex: String?
        let expect: Expectation?
        let expect_messages: [Expectation]?
        let own_interpreter: OwnInterpreter?
    }

    struct OwnInterpreter: Decodable, Sendable {
        let states_after: [String: [String]]?
        let failing_pc: UInt16?
    }

    struct Expectation: Decodable, Sendable {
        let result: String
        let output_hex: String?
        let output_instruction_executed: Bool?
        let cycles: Int?
        let nack_reason_code: UInt8?
        let reason: String?
        let items_in_compartment_after: Int?
        let requested_feedback_item_hex: String?
    }

    struct Algorithms: Decodable { let algorithms: [Algorithm] }

    struct Algorithm: Decodable, Sendable, CustomTestStringConvertible {
        let algorithm: String
        let bytecode_hex: String?
        let load_address: Int?
        let conditions: Conditions?
        let sigcomp_message_hex: String
        let plaintext_hex: String?
        let own_interpreter: Interpreter?
        let state_saved: SavedState?
        let derived_second_message: SecondMessage?

        var testDescription: String { algorithm }

        struct Interpreter: Decodable { let cycles: Int? }
        struct SavedState: Decodable { let state_identifier: String }
        struct SecondMessage: Decodable {
            let sigcomp_message_hex: String
            let output_hex: String
            let cycles: Int
        }
    }

    static func data(_ name: String) throws -> Data { try Data(contentsOf: directory.appending(path: name)) }

    static func torture() throws -> [TortureTest] {
        try JSONDecoder().decode(Torture.self, from: data("torture-rfc4465.json")).tests
    }

    static func algorithms() throws -> [Algorithm] {
        try JSONDecoder().decode(Algorithms.self, from: data("algorithms-rfc4464.json")).algorithms
    }

    static func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex.utf8)
        return stride(from: 0, to: digits.count - 1, by: 2).map { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) ?? 0
        }
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String(UInt16($0) + 0x100, radix: 16).suffix(2) }.joined()
    }
}
