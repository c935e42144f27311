extension SIPMessage {
    /// Reads the value of a header every element depends on, or whose errors RFC 4475 wants found; all others are
    /// read on request.
    mutating func readValue(
        _ span: Span<UInt8>, _ name: HeaderName, _ value: ByteRange, _ limits: ParserLimits
    ) -> SyntaxFailure? {
        switch name {
        case .via: readVia(span, value, limits)
        case .from: Self.readAddress(span, value, &from) ? nil : SyntaxFailure(.from)
        case .to: Self.readAddress(span, value, &to) ? nil : SyntaxFailure(.to)
        case .callID: readCallID(span, value)
        case .cseq: readCSeq(span, value)
        case .maxForwards: readMaxForwards(span, value)
        case .expires: readExpires(span, value)
        case .contentLength:
            span.decimal(value.lower, value.upper) == nil ? SyntaxFailure(.contentLength) : nil
        case .contact: Self.isContact(span, value) ? nil : SyntaxFailure(.contact)
        case .route, .recordRoute, .path: Self.isRoute(span, value) ? nil : SyntaxFailure(.route)
        case .date: SIPDate.read(span, value) == nil ? SyntaxFailure(.date) : nil
        default: nil
        }
    }

    private mutating func readVia(_ span: Span<UInt8>, _ value: ByteRange, _ limits: ParserLimits) -> SyntaxFailure? {
        var position = value.lower
        let isTopLine = viaCount == 0
        repeat {
            guard viaCount < limits.viaCount else { return SyntaxFailure(.tooManyVias) }
            if viaCount == 0 {
                guard ViaGrammar.read(span, &position, value.upper, into: &topVia) else { return SyntaxFailure(.via) }
                topVia.line = Int32(truncatingIfNeeded: fields.count - 1)
            } else {
                if isTopLine { topVia.isOnlyValueOfLine = false }
                var via = ViaIndex()
                guard ViaGrammar.read(span, &position, value.upper, into: &via) else { return SyntaxFailure(.via) }
            }
            viaCount += 1
        } while position < value.upper
        return nil
    }

    private static func readAddress(_ span: Span<UInt8>, _ value: ByteRange, _ address: inout AddressIndex) -> Bool {
        var end = 0
        guard let read = AddressGrammar.read(span, value.lower, value.upper, list: false, end: &end) else {
            return false
        }
        address = read
        return true
    }

    private mutating func readCallID(_ span: Span<UInt8>, _ value: ByteRange) -> SyntaxFailure? {
        callID = value
        guard !value.isEmpty, span.skip(.callID, value.lower, value.upper) == value.upper else {
            return SyntaxFailure(.callID)
        }
        return nil
    }

    private mutating func readCSeq(_ span: Span<UInt8>, _ value: ByteRange) -> SyntaxFailure? {
        var index = value.lower
        while index < value.upper, span[index].isDigit { index += 1 }
        let method = span.skipSpace(index, value.upper)
        cseqMethod = ByteRange(method, value.upper)
        if !isRequest {
            methodText = cseqMethod
            self.method = SIPMethod.recognized(span, cseqMethod)
        }
        guard let number = span.decimal(value.lower, index), let fitting = UInt32(exactly: number), method > index,
            method < value.upper, span.skip(.token, method, value.upper) == value.upper
        else { return SyntaxFailure(.cseq) }
        cseqNumber = fitting
        return nil
    }

    private mutating func readMaxForwards(_ span: Span<UInt8>, _ value: ByteRange) -> SyntaxFailure? {
        guard let hops = span.decimal(value.lower, value.upper), hops <= 255 else { return SyntaxFailure(.maxForwards) }
        maxForwards = Int16(truncatingIfNeeded: hops)
        return nil
    }

    private mutating func readExpires(_ span: Span<UInt8>, _ value: ByteRange) -> SyntaxFailure? {
        guard let seconds = span.decimal(value.lower, value.upper), seconds <= UInt64(UInt32.max) else {
            return SyntaxFailure(.expires)
        }
        expires = Int64(seconds)
        return nil
    }

    /// `*`, or a list of addresses (RFC 3261 section 20.10).
    private static func isContact(_ span: Span<UInt8>, _ value: ByteRange) -> Bool {
        if value.count == 1, span[value.lower] == UInt8(ascii: "*") { return true }
        return isAddressList(span, value, requiresBrackets: false)
    }

    /// A list of name-addr (RFC 3261 section 20.34).
    private static func isRoute(_ span: Span<UInt8>, _ value: ByteRange) -> Bool {
        isAddressList(span, value, requiresBrackets: true)
    }

    private static func isAddressList(_ span: Span<UInt8>, _ value: ByteRange, requiresBrackets: Bool) -> Bool {
        var position = value.lower
        while true {
            var end = 0
            guard
                AddressGrammar.read(
                    span, position, value.upper, list: true, requiresBrackets: requiresBrackets, end: &end) != nil
            else { return false }
            guard end < value.upper else { return true }
            position = end + 1
        }
    }
}
