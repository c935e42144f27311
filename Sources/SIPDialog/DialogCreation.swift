public import SIPCore

extension Dialog {
    /// Makes the dialog of a request this side accepts (RFC 3261 section 12.1.1): a notifier of a SUBSCRIBE, and a subscriber
    /// of the NOTIFY that establishes its subscription (RFC 6665 section 4.4.1). Record-Route is taken in order.
    ///
    /// - Parameters:
    ///   - localTag: the tag of the response, for a request whose To has none.
    ///   - isSecure: whether the request came over TLS with a SIPS Request-URI.
    public init(accepting request: SIPMessage, localTag: [UInt8], isSecure: Bool = false) throws(DialogFailure) {
        let ownTag = request.to.tag.isEmpty ? localTag : Array(request[request.to.tag])
        let peerTag = Array(request[request.from.tag])
        guard Self.isTag(ownTag), Self.isTag(peerTag) else { throw .malformedTag }
        let routes = try Self.routes(request)
        try self.init(
            parts: [
                Array(request[request.callID]), ownTag, peerTag, Array(request[request.to.uri]),
                Array(request[request.from.uri]), try Self.target(request), routes.list,
            ],
            isStrict: routes.isStrict, isSecure: isSecure)
    }

    /// Takes the Contact of a target refresh request or of its 2xx response as the new remote target (section 12.2);
    /// SUBSCRIBE and NOTIFY are such requests. A message without Contact changes nothing.
    ///
    /// - Returns: whether the remote target is another one now.
    @discardableResult
    public mutating func refreshTarget(from message: SIPMessage) throws(DialogFailure) -> Bool {
        guard message.contains(.contact) else { return false }
        let target = try Self.target(message)
        guard !remoteTarget.elementsEqual(target) else { return false }
        try replaceTarget(with: target)
        return true
    }

    private static func target(_ message: SIPMessage) throws(DialogFailure) -> [UInt8] {
        let values = message.values(.contact)
        guard values.count <= 1 else { throw .severalContacts }
        guard let value = values.first, let address = message.address(in: value) else { throw .noContact }
        guard var uri = SIPURI(address.uri, of: message), uri.isSIP else { throw .contactNotSIP }
        return uri.makeRequestURI() ? Array(uri.description.utf8) : Array(message[address.uri])
    }

    private static func routes(_ message: SIPMessage) throws(DialogFailure) -> (list: [UInt8], isStrict: Bool) {
        var list: [UInt8] = []
        var isStrict = false
        for value in message.values(.recordRoute) {
            guard let address = message.address(in: value), let uri = SIPURI(address.uri, of: message), uri.isSIP else {
                throw .malformedRoute
            }
            if list.isEmpty {
                isStrict = !uri.parameters.contains("lr")
            } else {
                list.append(UInt8(ascii: ","))
            }
            list.append(UInt8(ascii: "<"))
            list.append(contentsOf: message[address.uri])
            list.append(UInt8(ascii: ">"))
        }
        return (list, isStrict)
    }

    /// Empty, or something that cannot end a header field.
    private static func isTag(_ tag: [UInt8]) -> Bool {
        tag.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: ";") }
    }
}

extension SIPURI {
    /// Takes off what table 1 of RFC 3261 section 19.1.1 does not allow in a Request-URI: headers, and the method
    /// parameter. Returns whether there was any.
    mutating func makeRequestURI() -> Bool {
        let count = parameters.parameters.count
        parameters.parameters.removeAll { $0.name.lowercased() == "method" }
        defer { headers = [] }
        return !headers.isEmpty || parameters.parameters.count != count
    }
}
