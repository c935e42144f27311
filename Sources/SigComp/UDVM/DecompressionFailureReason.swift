/// Why a message could not be decompressed: the reason codes of RFC 4077, section 3.2; the raw value is the code.
public enum DecompressionFailureReason: UInt8, Error, CaseIterable, Sendable {
    /// No stored state has this identifier, or fewer bytes of it were given than the state asks for.
    case stateNotFound = 1
    /// An instruction costs more than the cycles that are left.
    case cyclesExhausted = 2
    /// The bytecode executed DECOMPRESSION-FAILURE.
    case userRequested = 3
    /// An address outside the UDVM's memory was read, written or executed.
    case segfault = 4
    /// More than four states were to be created, or more than four to be freed.
    case tooManyStateRequests = 5
    /// A length of a state identifier outside 6 to 20.
    case invalidStateIDLength = 6
    /// A state was to be created with the priority of locally available state, 65535.
    case invalidStatePriority = 7
    /// More output than a decompressed message may have.
    case outputOverflow = 8
    /// A value was to be popped from an empty stack.
    case stackUnderflow = 9
    /// The register input_bit_order is above 7.
    case badInputBitOrder = 10
    /// DIVIDE or REMAINDER by zero.
    case divisionByZero = 11
    /// SWITCH with a value that has no branch.
    case switchValueTooHigh = 12
    /// An input instruction asked for more than 16 bits.
    case tooManyBitsRequested = 13
    /// Bytes that encode no operand.
    case invalidOperand = 14
    /// The input fits none of the codes of INPUT-HUFFMAN.
    case huffmanNoMatch = 15
    /// The message ends inside its header.
    case messageTooShort = 16
    /// The destination of uploaded bytecode is the reserved value 0.
    case invalidCodeLocation = 17
    /// The message or its bytecode does not fit into the decompression memory.
    case bytecodesTooLarge = 18
    /// A byte that is no instruction was to be executed.
    case invalidOpcode = 19
    /// STATE-ACCESS with a beginning but without a length.
    case invalidStateProbe = 20
    /// A partial identifier fits more than one state.
    case idNotUnique = 21
    /// A MULTILOAD would overwrite itself.
    case multiloadOverwritten = 22
    /// STATE-ACCESS wants more bytes than the state has.
    case stateTooShort = 23
    /// A condition on this side that the message did not cause.
    case internalError = 24
    /// An unquoted 0xFF80 to 0xFFFE in a stream.
    case framingError = 25

    /// The name that RFC 4077 gives the reason.
    public var name: String {
        switch self {
        case .stateNotFound: "STATE_NOT_FOUND"
        case .cyclesExhausted: "CYCLES_EXHAUSTED"
        case .userRequested: "USER_REQUESTED"
        case .segfault: "SEGFAULT"
        case .tooManyStateRequests: "TOO_MANY_STATE_REQUESTS"
        case .invalidStateIDLength: "INVALID_STATE_ID_LENGTH"
        case .invalidStatePriority: "INVALID_STATE_PRIORITY"
        case .outputOverflow: "OUTPUT_OVERFLOW"
        case .stackUnderflow: "STACK_UNDERFLOW"
        case .badInputBitOrder: "BAD_INPUT_BITORDER"
        case .divisionByZero: "DIV_BY_ZERO"
        case .switchValueTooHigh: "SWITCH_VALUE_TOO_HIGH"
        case .tooManyBitsRequested: "TOO_MANY_BITS_REQUESTED"
        case .invalidOperand: "INVALID_OPERAND"
        case .huffmanNoMatch: "HUFFMAN_NO_MATCH"
        case .messageTooShort: "MESSAGE_TOO_SHORT"
        case .invalidCodeLocation: "INVALID_CODE_LOCATION"
        case .bytecodesTooLarge: "BYTECODES_TOO_LARGE"
        case .invalidOpcode: "INVALID_OPCODE"
        case .invalidStateProbe: "INVALID_STATE_PROBE"
        case .idNotUnique: "ID_NOT_UNIQUE"
        case .multiloadOverwritten: "MULTILOAD_OVERWRITTEN"
        case .stateTooShort: "STATE_TOO_SHORT"
        case .internalError: "INTERNAL_ERROR"
        case .framingError: "FRAMING_ERROR"
        }
    }
}

/// A decompression failure with everything that a NACK tells about it (RFC 4077, section 3.1).
public struct DecompressionFailure: Error, Equatable, Sendable {
    public var reason: DecompressionFailureReason
    /// The instruction that failed; 0 when none had begun.
    public var opcode: UInt8
    /// The address of that instruction; 0 when none had begun.
    public var programCounter: UInt16
    /// What the reason's row in RFC 4077, figure 2 asks for: a state identifier, cycles per bit or a memory size.
    public var details: [UInt8]
    /// Whether a NACK may be sent. False for what may be a NACK itself: two endpoints must not answer each other for ever.
    public var isAnswerable: Bool

    public init(
        _ reason: DecompressionFailureReason, opcode: UInt8 = 0, programCounter: UInt16 = 0, details: [UInt8] = [],
        isAnswerable: Bool = true
    ) {
        self.reason = reason
        self.opcode = opcode
        self.programCounter = programCounter
        self.details = details
        self.isAnswerable = isAnswerable
    }
}
