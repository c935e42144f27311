internal import NIOCore
internal import SIPCore
internal import SigComp

/// The other end of compressed traffic: one compartment, whatever addresses it has in the course of time
/// (RFC 5049 section 9.1).
final class RemoteApplication {
    let name: String
    /// Who proved to be its user when the compartment was opened; 0 when nobody had to.
    var owner: UInt64 = 0
    /// From where it was heard last.
    var address: TransportAddress
    var lastUse: UInt64
    /// Whether a SigComp message of its has been understood here.
    var hasAnswered = false
    /// Compressed messages sent since it was heard last.
    var unanswered = 0
    /// Until when it gets plain SIP, as it does not react to SigComp.
    var plainUntil: UInt64 = 0
    var traffic = CompressionTraffic()

    init(name: String, address: TransportAddress, at instant: UInt64) {
        self.name = name
        self.address = address
        lastUse = instant
    }

    var compartment: CompartmentIdentifier { CompartmentIdentifier(name) }
}

/// How remote applications are called.
enum RemoteApplicationName {
    /// Longer identifiers are not kept.
    static let longest = 256

    /// The name for a SIP/SigComp identifier, the same for all equal ones: RFC 4122 section 3 for UUIDs, else RFC 2141
    /// section 5. `nil` for what is no URN.
    static func name(of identifier: ArraySlice<UInt8>) -> String? {
        var identifier = identifier
        // Some clients write it like the value of +sip.instance.
        if identifier.first == UInt8(ascii: "<"), identifier.last == UInt8(ascii: ">"), identifier.count > 1 {
            identifier = identifier.dropFirst().dropLast()
        }
        guard identifier.count <= longest, let text = String(validating: identifier, as: UTF8.self) else { return nil }
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].lowercased() == "urn", !parts[1].isEmpty, !parts[2].isEmpty else { return nil }
        let namespace = parts[1].lowercased()
        return "urn:\(namespace):" + (namespace == "uuid" ? parts[2].lowercased() : String(parts[2]))
    }

    /// The name of one that has no identifier: the address of its datagrams, or its connection.
    static func name(of flow: Flow) -> String {
        flow.connection == 0
            ? "\(flow.transport.uriToken):\(flow.remote)" : "\(flow.transport.uriToken)-connection:\(flow.connection)"
    }
}

/// The remote applications that are known, and the flows by which they were met. Bounded.
struct RemoteApplications {
    private let limit: Int
    private var byName: [String: RemoteApplication] = [:]
    private var names: [Flow: String] = [:]

    init(limit: Int) { self.limit = max(limit, 16) }

    var all: [RemoteApplication] { Array(byName.values) }

    subscript(name: String) -> RemoteApplication? { byName[name] }

    /// The name that the application on a flow has given itself; nil when it has not.
    func name(on flow: Flow) -> String? { names[flow] }

    /// Notes who is behind a flow.
    mutating func learn(_ name: String, on flow: Flow) {
        guard names[flow] != name else { return }
        // A flow that was forgotten is learned again with its next request.
        if names.count >= limit * 4 { names.removeAll(keepingCapacity: true) }
        names[flow] = name
    }

    mutating func forget(_ flow: Flow) { names[flow] = nil }

    mutating func remove(_ name: String) { byName[name] = nil }

    /// The application with that name, made where it is not known.
    mutating func application(_ name: String, address: TransportAddress, at instant: UInt64) -> RemoteApplication {
        if let known = byName[name] {
            known.lastUse = instant
            return known
        }
        if byName.count >= limit { dropOldest() }
        let application = RemoteApplication(name: name, address: address, at: instant)
        byName[name] = application
        return application
    }

    /// Forgets a quarter of them, those unused for longest, so that the cost of looking for them is paid seldom.
    private mutating func dropOldest() {
        let uses = byName.values.map(\.lastUse).sorted()
        let bound = uses[uses.count / 4]
        for (name, application) in byName where application.lastUse <= bound { byName[name] = nil }
    }
}
