/// STATE-ACCESS, STATE-CREATE, STATE-FREE, OUTPUT and END-MESSAGE (RFC 3320, sections 9.4.5 to 9.4.9).
extension UDVM {
    /// The most states that one message may create, and as many may be freed.
    static var requestLimit: Int { 4 }

    mutating func stateAccess() throws(DecompressionFailureReason) {
        let identifierStart = try multitype()
        let identifierLength = try multitype()
        let begin = try multitype()
        var length = try multitype()
        var address = try multitype()
        var instruction = try multitype()
        let identifier = try partialIdentifier(at: identifierStart, length: identifierLength)
        failedIdentifier = identifier
        let state = try states.access(identifier)
        if length == 0 {
            guard begin == 0 else { throw .invalidStateProbe }
            length = state.value.count
        }
        try charge(1 + length)
        guard begin + length <= state.value.count else { throw .stateTooShort }
        if address == 0 { address = Int(state.address) }
        if instruction == 0 { instruction = Int(state.instruction) }
        try byteCopy(state.value[begin..<begin + length], to: address)
        if instruction != 0 { try continueExecution(at: instruction) }
    }

    mutating func stateCreate() throws(DecompressionFailureReason) {
        let creation = try pendingCreation()
        try charge(1 + creation.length)
        guard PartialStateIdentifier.lengths.contains(creation.minimumAccessLength) else {
            throw .invalidStateIDLength
        }
        guard creation.priority != Int(StateRetentionPriority.locallyAvailable) else { throw .invalidStatePriority }
        try append(.create(creation))
    }

    mutating func stateFree() throws(DecompressionFailureReason) {
        let start = try multitype()
        let length = try multitype()
        try charge(1)
        guard PartialStateIdentifier.lengths.contains(length) else { throw .invalidStateIDLength }
        try append(.free(identifierStart: start, identifierLength: length))
    }

    mutating func outputBytes() throws(DecompressionFailureReason) {
        let start = try multitype()
        let length = try multitype()
        try charge(1 + length)
        guard length <= outputLimit &- gathered.count else { throw .outputOverflow }
        hasOutput = true
        let bounds = try byteCopyBounds()
        var source = start
        var left = length
        while left > 0 {
            let piece = min(left, bounds.run(from: source))
            try memory.withBytes(at: source, count: piece) { bytes throws(DecompressionFailureReason) in
                try gathered.append(bytes)
            }
            source = bounds.address(after: source, count: piece)
            left &-= piece
        }
    }

    /// Ends the run. Only now are states and identifiers read from the memory (RFC 4896, section 4.1).
    mutating func endMessage() throws(DecompressionFailureReason) {
        let requestedFeedbackLocation = try multitype()
        let returnedParametersLocation = try multitype()
        let creation = try pendingCreation()
        try charge(1 + creation.length)
        if PartialStateIdentifier.lengths.contains(creation.minimumAccessLength),
            creation.priority != Int(StateRetentionPriority.locallyAvailable)
        {
            try append(.create(creation))
        }
        for request in pendingRequests { requests.append(try resolved(request)) }
        if requestedFeedbackLocation != 0 {
            requestedFeedback = try readRequestedFeedback(at: requestedFeedbackLocation)
        }
        if returnedParametersLocation != 0 {
            returnedParameters = try readReturnedParameters(at: returnedParametersLocation)
        }
        hasEnded = true
    }

    private mutating func pendingCreation() throws(DecompressionFailureReason) -> PendingStateRequest.Creation {
        PendingStateRequest.Creation(
            length: try multitype(), address: try multitype(), instruction: try multitype(),
            minimumAccessLength: try multitype(), priority: try multitype())
    }

    private mutating func append(_ request: PendingStateRequest) throws(DecompressionFailureReason) {
        var alike = 0
        for pending in pendingRequests where pending.isCreation == request.isCreation { alike += 1 }
        guard alike < Self.requestLimit else { throw .tooManyStateRequests }
        pendingRequests.append(request)
    }

    private func resolved(_ request: PendingStateRequest) throws(DecompressionFailureReason) -> StateRequest {
        switch request {
        case .free(let start, let length):
            return .free(try partialIdentifier(at: start, length: length))
        case .create(let creation):
            var value: [UInt8] = []
            value.reserveCapacity(creation.length)
            try appendBytes(from: creation.address, count: creation.length, to: &value)
            return .create(
                StateCreation(
                    address: UInt16(truncatingIfNeeded: creation.address),
                    instruction: UInt16(truncatingIfNeeded: creation.instruction),
                    minimumAccessLength: UInt8(truncatingIfNeeded: creation.minimumAccessLength),
                    priority: UInt16(truncatingIfNeeded: creation.priority), value: value))
        }
    }

    private func partialIdentifier(at start: Int, length: Int) throws(DecompressionFailureReason)
        -> PartialStateIdentifier
    {
        guard PartialStateIdentifier.lengths.contains(length) else { throw .invalidStateIDLength }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length)
        try appendBytes(from: start, count: length, to: &bytes)
        guard let identifier = PartialStateIdentifier(bytes) else { throw .invalidStateIDLength }
        return identifier
    }
}

/// A request as its operands say it, before the memory is read.
enum PendingStateRequest {
    struct Creation {
        var length: Int
        var address: Int
        var instruction: Int
        var minimumAccessLength: Int
        var priority: Int
    }

    case create(Creation)
    case free(identifierStart: Int, identifierLength: Int)

    var isCreation: Bool {
        switch self {
        case .create: true
        case .free: false
        }
    }
}
