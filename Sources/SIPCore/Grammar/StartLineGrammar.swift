/// Request-Line and Status-Line (RFC 3261 sections 7.1 and 7.2).
enum StartLineGrammar {
    /// Reads the start line into the message.
    ///
    /// - Returns: the first rule it breaks; what could be told apart is in the message all the same.
    static func read(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, into message: inout SIPMessage) -> SyntaxFailure? {
        if end - start > 4, bytes.equalsFolded("SIP/", at: ByteRange(start, start + 4)) {
            message.isRequest = false
            return readStatusLine(bytes, start, end, &message)
        }
        message.isRequest = true
        return readRequestLine(bytes, start, end, &message)
    }

    private static func readRequestLine(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ message: inout SIPMessage
    ) -> SyntaxFailure? {
        let methodEnd = bytes.skip(.token, start, end)
        guard methodEnd > start, methodEnd < end, bytes[methodEnd] == 0x20 else { return SyntaxFailure(.startLine) }
        message.methodText = ByteRange(start, methodEnd)
        message.method = SIPMethod.recognized(bytes, message.methodText)
        var version = end
        while version > methodEnd + 1, bytes[version - 1] != 0x20 { version -= 1 }
        guard version > methodEnd + 1 else { return SyntaxFailure(.startLine) }
        message.requestURI = ByteRange(methodEnd + 1, version - 1)
        if let failure = readVersion(bytes, version, end) { return failure }
        guard let uri = URIGrammar.read(bytes, methodEnd + 1, version - 1), uri.headers.isEmpty else {
            return SyntaxFailure(.requestURI)
        }
        return nil
    }

    private static func readStatusLine(
        _ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ message: inout SIPMessage
    ) -> SyntaxFailure? {
        var space = start
        while space < end, bytes[space] != 0x20 { space += 1 }
        if let failure = readVersion(bytes, start, space) { return failure }
        let codeEnd = space + 4
        guard codeEnd <= end, codeEnd == end || bytes[codeEnd] == 0x20,
            let code = bytes.decimal(space + 1, codeEnd), code >= 100, code <= 699
        else { return SyntaxFailure(.statusCode) }
        message.statusCode = UInt16(truncatingIfNeeded: code)
        message.reason = codeEnd == end ? .empty : ByteRange(codeEnd + 1, end)
        return nil
    }

    private static func readVersion(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> SyntaxFailure? {
        if bytes.equalsFolded("SIP/2.0", at: ByteRange(start, end)) { return nil }
        guard end - start > 4, bytes.equalsFolded("SIP/", at: ByteRange(start, start + 4)) else {
            return SyntaxFailure(.startLine)
        }
        var index = start + 4
        while index < end, bytes[index].isDigit { index += 1 }
        guard index > start + 4, index + 1 < end, bytes[index] == UInt8(ascii: ".") else {
            return SyntaxFailure(.startLine)
        }
        index += 1
        while index < end, bytes[index].isDigit { index += 1 }
        return SyntaxFailure(index == end ? .version : .startLine)
    }
}
