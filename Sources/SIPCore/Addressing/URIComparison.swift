extension SIPURI {
    /// Whether two URIs are equivalent (RFC 3261 section 19.1.4). Not transitive, hence not `==`.
    public func matches(_ other: SIPURI) -> Bool {
        guard scheme == other.scheme else { return false }
        guard isSIP else { return opaque == other.opaque }
        return user == other.user && password == other.password && port == other.port && hostMatches(other)
            && parametersMatch(other) && headersMatch(other)
    }

    private func hostMatches(_ other: SIPURI) -> Bool {
        if host == other.host { return true }
        guard let ip = ipAddress, let otherIP = other.ipAddress else { return false }
        return ip == otherIP
    }

    /// Parameters both have must be equal; of those only one has, these make a difference.
    private static let significant = ["user", "ttl", "method", "maddr", "transport"]

    private func parametersMatch(_ other: SIPURI) -> Bool {
        for name in Self.significant where parameters.contains(name) != other.parameters.contains(name) { return false }
        let (own, others) = (foldedParameters, other.foldedParameters)
        return own.allSatisfy { name, value in others[name].map { $0 == value } ?? true }
    }

    /// Values by name, in lower case; of a name that stands twice, against section 19.1.1, the first.
    private var foldedParameters: [String: String] {
        Dictionary(
            parameters.parameters.map { ($0.name.lowercasedASCII, ($0.value ?? "").lowercasedASCII) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Headers are never ignored; their order is.
    private func headersMatch(_ other: SIPURI) -> Bool {
        guard headers.count == other.headers.count else { return false }
        let folded: (Header) -> String = { $0.name.lowercasedASCII + "=" + $0.value.lowercasedASCII }
        return headers.map(folded).sorted() == other.headers.map(folded).sorted()
    }
}
