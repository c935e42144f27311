extension SIPMessage {
    /// Reads one datagram or one framed message (RFC 3261 section 7).
    ///
    /// Leading line ends are skipped, bytes behind the body of a datagram ignored (section 18.3). The first rule broken
    /// decides the failure, and reading goes on, so that a bad request can be answered. Takes time linear in the bytes
    /// and few allocations, whatever the bytes; never traps.
    ///
    /// - Parameter fromStream: whether the bytes came over a stream, where a message without Content-Length has no end
    ///   (section 18.3) and is refused.
    public static func parse(
        _ bytes: [UInt8], limits: ParserLimits = .init(), fromStream: Bool = false
    ) -> ParseOutcome {
        var message = SIPMessage(bytes: bytes)
        var failure = message.read(bytes.span, limits)
        if fromStream, failure == nil, !message.contains(.contentLength) {
            failure = SyntaxFailure(.contentLengthMissing)
        }
        guard let failure else { return .message(message) }
        return message.contains(.via) ? .malformed(message, failure) : .unreadable(failure)
    }

    private mutating func read(_ span: Span<UInt8>, _ limits: ParserLimits) -> SyntaxFailure? {
        guard span.count <= limits.messageBytes, span.count <= Int(Int32.max) else {
            return SyntaxFailure(.messageTooLarge)
        }
        var index = 0
        while index < span.count, span[index] == 0x0d || span[index] == 0x0a { index += 1 }
        guard index < span.count else { return SyntaxFailure(.empty) }
        guard let start = LineGrammar.read(span, index, isFoldable: false) else { return SyntaxFailure(.startLine) }
        var failure = StartLineGrammar.read(span, index, start.contentEnd, into: &self)
        if failure == nil, start.hasBareLineEnd { failure = SyntaxFailure(.lineEnd) }
        fields.reserveCapacity(16)
        index = start.next
        let begin = index
        while true {
            guard index < span.count else {
                headerEnd = UInt32(truncatingIfNeeded: span.count)
                return failure ?? SyntaxFailure(.missingEmptyLine)
            }
            guard let line = LineGrammar.read(span, index, isFoldable: true) else {
                headerEnd = UInt32(truncatingIfNeeded: span.count)
                return failure ?? SyntaxFailure(.missingEmptyLine)
            }
            if line.hasBareLineEnd, failure == nil { failure = SyntaxFailure(.lineEnd) }
            if line.contentEnd == index {
                index = line.next
                break
            }
            guard fields.count < limits.headerCount else { return failure ?? SyntaxFailure(.tooManyHeaders) }
            guard line.next - begin <= limits.headerBytes else { return failure ?? SyntaxFailure(.headerTooLarge) }
            let broken = readHeader(span, index, line, limits)
            if failure == nil { failure = broken }
            index = line.next
        }
        headerEnd = UInt32(truncatingIfNeeded: index)
        if failure == nil { failure = checkPresence(span) }
        let broken = readBody(span, index)
        return failure ?? broken
    }

    private mutating func readHeader(
        _ span: Span<UInt8>, _ start: Int, _ line: LineGrammar.Line, _ limits: ParserLimits
    ) -> SyntaxFailure? {
        let nameEnd = span.skip(.token, start, line.contentEnd)
        var colon = nameEnd
        while colon < line.contentEnd, span[colon] == 0x20 || span[colon] == 0x09 { colon += 1 }
        guard nameEnd > start, colon < line.contentEnd, span[colon] == UInt8(ascii: ":") else {
            return SyntaxFailure(.headerLine)
        }
        let nameRange = ByteRange(start, nameEnd)
        let name = HeaderNameTable.shared.name(span, nameRange)
        let valueStart = span.skipSpace(colon + 1, line.contentEnd)
        let value = ByteRange(valueStart, span.trimEnd(valueStart, line.contentEnd))
        fields.append(HeaderField(name: name, nameRange: nameRange, value: value, line: ByteRange(start, line.next)))
        guard name != .other else { return nil }
        let bit: UInt128 = 1 << UInt128(name.rawValue)
        if present & bit != 0, name.isSingle { return SyntaxFailure(.repeatedHeader) }
        present |= bit
        return readValue(span, name, value, limits)
    }

    /// Without these a request cannot be processed (RFC 3261 section 8.1.1; Max-Forwards may be missing, section 16.3).
    private func checkPresence(_ span: Span<UInt8>) -> SyntaxFailure? {
        guard contains(.via), contains(.from), contains(.to), contains(.callID), contains(.cseq) else {
            return SyntaxFailure(.missingHeader)
        }
        guard isRequest, !span.equals(cseqMethod, methodText) else { return nil }
        return SyntaxFailure(.cseqMethodMismatch)
    }

    /// The body is what Content-Length says, or else the rest of the datagram (RFC 3261 section 18.3).
    private mutating func readBody(_ span: Span<UInt8>, _ start: Int) -> SyntaxFailure? {
        body = ByteRange(start, span.count)
        guard let field = first(.contentLength), let length = span.decimal(field.value.lower, field.value.upper) else {
            return nil
        }
        guard length <= UInt64(span.count - start) else { return SyntaxFailure(.bodyTooShort) }
        body = ByteRange(start, start + Int(length))
        return nil
    }
}
