/// What a Via value or a URI says about compression (RFC 3486 section 8, RFC 5049 section 9.1).
public struct CompressionParameters: Hashable, Sendable {
    /// `comp=sigcomp`: the element takes SigComp and wants it.
    public var wantsSigComp = false
    /// The SIP/SigComp identifier, without quotes; empty when there is none.
    public var identifier: ByteRange = .empty

    public init() {}
}

extension SIPMessage {
    /// What `;comp` and `;sigcomp-id` in a parameter list say.
    public func compression(in parameters: ByteRange) -> CompressionParameters {
        var result = CompressionParameters()
        if let value = parameter("comp", in: parameters) { result.wantsSigComp = equalsFolded(value, "sigcomp") }
        if let value = parameter("sigcomp-id", in: parameters) { result.identifier = unquoted(value) }
        return result
    }

    /// What the element that a response goes to, or a request comes from, says in the top Via (RFC 3486 section 5).
    public var compressionOfTopVia: CompressionParameters { compression(in: topVia.parameters) }

    /// What the URI says that the request goes to next: the first Route value, else the Request-URI (RFC 3486 section 4).
    public var compressionOfNextHop: CompressionParameters {
        var uri = requestURI
        if contains(.route), let first = values(.route).first, let route = address(in: first) { uri = route.uri }
        return addressOfRecord(of: uri).map { compression(in: $0.parameters) } ?? CompressionParameters()
    }

    /// `+sip.instance` of the first Contact (RFC 5626 section 4.1) without quotes and brackets; empty when there is none.
    public var instanceOfContact: ByteRange {
        guard contains(.contact), let contact = addresses(.contact).first,
            let value = parameter("+sip.instance", in: contact.parameters)
        else { return .empty }
        let text = unquoted(value)
        guard text.count > 2, bytes[text.lower] == UInt8(ascii: "<"), bytes[text.upper - 1] == UInt8(ascii: ">") else {
            return .empty
        }
        return ByteRange(text.lower + 1, text.upper - 1)
    }

    private func unquoted(_ value: ByteRange) -> ByteRange {
        guard value.count >= 2, bytes[value.lower] == UInt8(ascii: "\"") else { return value }
        return ByteRange(value.lower + 1, value.upper - 1)
    }
}
