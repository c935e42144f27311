import Foundation
import SigComp

/// What became of one SigComp message, as `--json` prints it.
struct MessageReport: Encodable {
    struct State: Encodable {
        /// `create` or `free`.
        var request: String
        var identifier: String
        var length: Int?
        var address: UInt16?
        var instruction: UInt16?
        var minimumAccessLength: UInt8?
        var priority: UInt16?
        /// Whether the state handler keeps it, for a state that was to be created.
        var stored: Bool?
    }

    struct RequestedFeedback: Encodable {
        var item: String?
        var declinesState: Bool
        var declinesLocalState: Bool
    }

    struct ReturnedParameters: Encodable {
        var cyclesPerBit: Int?
        var decompressionMemory: Int?
        var stateMemory: Int?
        var version: UInt8?
        var states: [String]
    }

    struct Failure: Encodable {
        var reason: String
        var code: UInt8
        var instruction: String?
        var address: UInt16
        var details: String
        /// The NACK that an endpoint would send.
        var answer: String?
    }

    var message: String
    /// `decompressed`, `failed`, or `nack` for a message that is one.
    var result: String
    var compressedLength: Int
    var length: Int?
    var cycles: Int?
    var program: String?
    var output: Data?
    var states: [State]?
    var requestedFeedback: RequestedFeedback?
    var returnedFeedbackItem: String?
    var returnedParameters: ReturnedParameters?
    var failure: Failure?
    /// Of a NACK: the hash of the message it is about.
    var about: String?
}

extension MessageReport.State {
    init(_ request: StateRequest, _ compartment: Compartment, _ hash: StateHash) {
        switch request {
        case .free(let identifier):
            self.init(request: "free", identifier: identifier.description)
        case .create(let creation):
            let value = creation.value.prefix(max(0, compartment.stateMemorySize - StateItem.overhead))
            let identifier = hash.identifier(
                address: creation.address, instruction: creation.instruction,
                minimumAccessLength: creation.minimumAccessLength,
                value: value.isEmpty ? creation.value[...] : value)
            self.init(
                request: "create", identifier: identifier?.description ?? "", length: creation.value.count,
                address: creation.address, instruction: creation.instruction,
                minimumAccessLength: creation.minimumAccessLength, priority: creation.priority,
                stored: identifier.map(compartment.holds) ?? false)
        }
    }

    var text: String {
        guard let length, let address, let instruction, let minimumAccessLength, let priority else {
            return "\(request) state \(identifier)"
        }
        return "\(request) state \(identifier): \(length) bytes at \(address), begins at \(instruction), "
            + "minimum access length \(minimumAccessLength), priority \(priority)"
            + (stored == true ? "" : "; not kept")
    }
}

extension MessageReport.RequestedFeedback {
    init(_ feedback: SigComp.RequestedFeedback) {
        self.init(
            item: feedback.item?.hexadecimal, declinesState: feedback.declinesState,
            declinesLocalState: feedback.declinesLocalState)
    }

    var text: String {
        var parts: [String] = []
        if let item { parts.append("return the item \(item)") }
        if declinesState { parts.append("it saves no state here") }
        if declinesLocalState { parts.append("it uses no locally available state") }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}

extension MessageReport.ReturnedParameters {
    init(_ parameters: SigComp.ReturnedParameters) {
        let sizes = SigCompParameters(
            encoded: UInt8(truncatingIfNeeded: parameters.resources), version: parameters.version)
        self.init(
            cyclesPerBit: sizes?.cyclesPerBit, decompressionMemory: sizes?.decompressionMemorySize,
            stateMemory: sizes?.stateMemorySize, version: parameters.version == 0 ? nil : parameters.version,
            states: parameters.stateIdentifiers.map(\.description))
    }

    var text: String {
        var parts: [String] = []
        if let cyclesPerBit, let decompressionMemory, let stateMemory {
            parts.append("\(cyclesPerBit) cycles per bit")
            parts.append("\(decompressionMemory) bytes of decompression memory")
            parts.append("\(stateMemory) bytes of state memory")
        }
        if let version { parts.append("version \(version)") }
        if !states.isEmpty { parts.append("states " + states.joined(separator: " ")) }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}

extension MessageReport.Failure {
    init(_ failure: DecompressionFailure, answer: NegativeAcknowledgement? = nil) {
        let opcode = failure.opcode == 0 && failure.reason != .userRequested ? nil : Opcode(rawValue: failure.opcode)
        self.init(
            reason: failure.reason.name, code: failure.reason.rawValue, instruction: opcode?.mnemonic,
            address: failure.programCounter, details: failure.details.hexadecimal, answer: answer?.bytes.hexadecimal)
    }

    var text: String {
        var text = reason
        if let instruction { text += ", \(instruction) at \(address)" } else if address > 0 { text += " at \(address)" }
        if !details.isEmpty { text += ", details \(details)" }
        return text
    }
}

extension MessageReport {
    /// For people; what came out is not part of it.
    var lines: [String] {
        var lines: [String] = []
        switch result {
        case "decompressed":
            let count = length.map { "\($0) bytes" } ?? "no message"
            lines.append("\(message): \(compressedLength) bytes to \(count), \(cycles ?? 0) cycles")
        case "nack":
            lines.append("\(message): a NACK about the message \(about ?? "")")
        default:
            lines.append("\(message): failed: \(failure?.text ?? "")")
        }
        if result == "nack", let failure { lines.append("  reason: \(failure.text)") }
        if let program { lines.append("  begins with state \(program)") }
        for state in states ?? [] { lines.append("  asks: \(state.text)") }
        if let requestedFeedback { lines.append("  asks for feedback: \(requestedFeedback.text)") }
        if let returnedFeedbackItem { lines.append("  returns the item \(returnedFeedbackItem)") }
        if let returnedParameters { lines.append("  tells about itself: \(returnedParameters.text)") }
        if let answer = failure?.answer { lines.append("  answer: \(answer)") }
        return lines
    }
}
