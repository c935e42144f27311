public import SIPCore

/// The types of record RFC 3263 asks for.
public enum RecordType: UInt16, Hashable, Sendable {
    case a = 1
    case aaaa = 28
    case srv = 33
    case naptr = 35
}

/// One question to DNS. Names are kept in lower case and without a final dot.
public struct DNSQuestion: Hashable, Sendable {
    public let name: String
    public let type: RecordType

    public init(_ name: String, _ type: RecordType) {
        let lowered = name.lowercased()
        self.name = lowered.hasSuffix(".") ? String(lowered.dropLast()) : lowered
        self.type = type
    }
}

/// An SRV record (RFC 2782).
public struct ServiceRecord: Hashable, Sendable {
    public var priority: UInt16
    public var weight: UInt16
    public var port: UInt16
    /// Empty for ".": the service is decidedly not there.
    public var target: String

    public init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// A NAPTR record (RFC 3403, RFC 3263 section 4.1).
public struct NamingPointer: Hashable, Sendable {
    public var order: UInt16
    public var preference: UInt16
    public var flags: String
    public var service: String
    public var regularExpression: String
    public var replacement: String

    public init(
        order: UInt16, preference: UInt16, flags: String, service: String, regularExpression: String = "",
        replacement: String
    ) {
        self.order = order
        self.preference = preference
        self.flags = flags
        self.service = service
        self.regularExpression = regularExpression
        self.replacement = replacement
    }
}

/// What one record says.
public enum RecordData: Hashable, Sendable {
    case address(IPAddress)
    case service(ServiceRecord)
    case pointer(NamingPointer)
}
