/// Reading feedback data from the memory at END-MESSAGE (RFC 3320, figures 12 and 13). Byte copying rules do not apply
/// (RFC 4896, section 4.1).
extension UDVM {
    func readRequestedFeedback(at location: Int) throws(DecompressionFailureReason) -> RequestedFeedback {
        let flags = try memory.byte(at: location)
        var feedback = RequestedFeedback()
        feedback.declinesState = flags & 2 != 0
        feedback.declinesLocalState = flags & 1 != 0
        if flags & 4 != 0 {
            let first = try memory.byte(at: location + 1)
            let length = first & 0x80 == 0 ? 1 : 1 + (first & 0x7F)
            var item: [UInt8] = []
            try memory.withBytes(at: location + 1, count: length) { item.append(contentsOf: $0) }
            feedback.item = item
        }
        return feedback
    }

    func readReturnedParameters(at location: Int) throws(DecompressionFailureReason) -> ReturnedParameters {
        var parameters = ReturnedParameters()
        parameters.resources = try memory.byte(at: location)
        parameters.version = UInt8(truncatingIfNeeded: try memory.byte(at: location + 1))
        var next = location + 2
        while true {
            let length = try memory.byte(at: next)
            guard PartialStateIdentifier.lengths.contains(length),
                parameters.stateIdentifiers.count < ReturnedParameters.identifierLimit
            else { return parameters }
            var bytes: [UInt8] = []
            try memory.withBytes(at: next + 1, count: length) { bytes.append(contentsOf: $0) }
            if let identifier = PartialStateIdentifier(bytes) { parameters.stateIdentifiers.append(identifier) }
            next += 1 + length
        }
    }
}
