/// `via-parm` (RFC 3261 section 25.1; RFC 3581 for rport; RFC 5118 section 4.5 for a bracketed `received`).
enum ViaGrammar {
    /// Reads one value of a Via line and leaves the position behind the comma that follows, or at the end.
    static func read(_ bytes: Span<UInt8>, _ position: inout Int, _ end: Int, into via: inout ViaIndex) -> Bool {
        let start = bytes.skipSpace(position, end)
        var index = start
        guard readProtocol(bytes, &index, end, &via) else { return false }
        guard HostGrammar.read(bytes, &index, end, host: &via.host, port: &via.port, allowsSpace: true) else {
            return false
        }
        let parametersStart = bytes.skipSpace(index, end)
        via.parameters = ByteRange(parametersStart, parametersStart)
        var scanner = ParameterScanner(ByteRange(parametersStart, end))
        while let parameter = scanner.next(bytes) {
            guard read(parameter, bytes, &via) else { return false }
            via.parameters.end = UInt32(truncatingIfNeeded: scanner.position)
        }
        guard !scanner.isMalformed else { return false }
        index = bytes.skipSpace(scanner.position, end)
        via.value = ByteRange(start, bytes.trimEnd(start, index))
        if index == end {
            position = end
            return true
        }
        guard bytes[index] == UInt8(ascii: ",") else { return false }
        position = bytes.skipSpace(index + 1, end)
        // A comma with nothing behind it is no list (RFC 4475 section 3.1.2.1).
        return position < end
    }

    /// Reads `SIP / 2.0 / transport` and the white space behind it.
    @inline(__always)
    private static func readProtocol(
        _ bytes: Span<UInt8>, _ index: inout Int, _ end: Int, _ via: inout ViaIndex
    ) -> Bool {
        // "SIP/2.0/" in its usual form is one comparison.
        if end - index > 8, bytes.word(at: index) == 0x2f30_2e32_2f50_4953 {
            index += 8
        } else {
            guard readPart(bytes, &index, end, "SIP"), readPart(bytes, &index, end, "2.0") else { return false }
        }
        let start = bytes.skipSpace(index, end)
        let transportEnd = bytes.skip(.token, start, end)
        guard transportEnd > start else { return false }
        via.protocolTransport = ByteRange(start, transportEnd)
        index = bytes.skipSpace(transportEnd, end)
        return index > transportEnd
    }

    /// Reads one part of the protocol and the slash behind it.
    private static func readPart(_ bytes: Span<UInt8>, _ index: inout Int, _ end: Int, _ text: StaticString) -> Bool {
        let start = bytes.skipSpace(index, end)
        let partEnd = bytes.skip(.token, start, end)
        guard bytes.equalsFolded(text, at: ByteRange(start, partEnd)) else { return false }
        index = bytes.skipSpace(partEnd, end)
        guard index < end, bytes[index] == UInt8(ascii: "/") else { return false }
        index += 1
        return true
    }

    /// Takes what the parameter says; false when it says it wrongly.
    @inline(__always)
    private static func read(
        _ parameter: ParameterScanner.Parameter, _ bytes: Span<UInt8>, _ via: inout ViaIndex
    ) -> Bool {
        switch (parameter.name.count, bytes[parameter.name.lower] | 0x20) {
        case (6, UInt8(ascii: "b")) where bytes.equalsFolded("branch", at: parameter.name):
            guard via.branch.isEmpty, !parameter.value.isEmpty else { return false }
            via.branch = parameter.value
        case (5, UInt8(ascii: "r")) where bytes.equalsFolded("rport", at: parameter.name):
            guard !via.hasRport else { return false }
            via.hasRport = true
            guard !parameter.value.isEmpty else { return true }
            guard let port = bytes.decimal(parameter.value.lower, parameter.value.upper), port <= 65_535 else {
                return false
            }
            via.rport = UInt16(truncatingIfNeeded: port)
        case (8, UInt8(ascii: "r")) where bytes.equalsFolded("received", at: parameter.name):
            guard !parameter.value.isEmpty else { return false }
            via.received = parameter.value
        case (5, UInt8(ascii: "m")) where bytes.equalsFolded("maddr", at: parameter.name):
            guard !parameter.value.isEmpty else { return false }
            via.maddr = parameter.value
        case (3, UInt8(ascii: "t")) where bytes.equalsFolded("ttl", at: parameter.name):
            guard let ttl = bytes.decimal(parameter.value.lower, parameter.value.upper), ttl <= 255 else {
                return false
            }
            via.ttl = Int16(truncatingIfNeeded: ttl)
        default: break
        }
        return true
    }
}
