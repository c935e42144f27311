public import SIPCore

/// RFC 3263 section 4 as a pure function: from what is known of DNS to the next questions, or to the targets in order.
///
/// Ask ``step(_:)`` with the answers there are; it names the questions still open, until it has a result. An answer
/// without records is an empty array. The same seed and answers give the same order.
public struct NextHopSearch: Hashable, Sendable {
    /// What the server can use, and likes best.
    public struct Preferences: Hashable, Sendable {
        /// Transports that can be used, best first; the order decides only where DNS does not.
        public var transports: [SIPTransport] = [.udp, .tcp, .tls]
        /// Address families that can be used, best first (RFC 6157 section 5.1).
        public var families: [RecordType] = [.aaaa, .a]

        public init() {}
    }

    public enum Step: Hashable, Sendable {
        /// Answers needed to go on.
        case ask([DNSQuestion])
        /// Where to send, best first; empty when there is nowhere.
        case found([Target])
    }

    private struct Place: Hashable {
        var transport: SIPTransport
        var host: String
        var port: UInt16
    }

    private let host: String
    private let port: UInt16
    private let transport: SIPTransport?
    private let isSecure: Bool
    private let preferences: Preferences
    private let seed: UInt64

    /// - Parameters:
    ///   - host: of the URI: a name, or an address in text, IPv6 with or without brackets.
    ///   - port: of the URI; 0 for none.
    ///   - transport: the URI's transport parameter, if any.
    ///   - isSecure: whether the URI is `sips`.
    ///   - seed: for the choice among SRV records of one priority.
    public init(
        host: String, port: UInt16, transport: SIPTransport?, isSecure: Bool, preferences: Preferences, seed: UInt64
    ) {
        self.host = host
        self.port = port
        self.transport = transport
        self.isSecure = isSecure
        self.preferences = preferences
        self.seed = seed
    }

    public func step(_ answers: [DNSQuestion: [RecordData]]) -> Step {
        if let ip = IPAddress(parsing: host) {
            guard let transport = plainTransport, preferences.families.contains(ip.isV4 ? .a : .aaaa) else {
                return .found([])
            }
            let port = port == 0 ? transport.defaultPort : port
            return .found([
                Target(transport: transport, address: TransportAddress(ip: ip, port: port), domain: ip.description)
            ])
        }
        guard Self.isName(host) else { return .found([]) }
        if port != 0 {
            guard let transport = plainTransport else { return .found([]) }
            return addresses(of: [Place(transport: transport, host: host, port: port)], answers)
        }
        if transport != nil {
            guard let transport = plainTransport else { return .found([]) }
            return locate([(transport, Self.serviceName(transport, host))], otherwise: transport, answers)
        }
        return choose(answers)
    }

    /// The transport where DNS has no say: the parameter's, TLS for `sips`, else UDP (section 4.1); `nil` when it cannot
    /// be used or contradicts `sips`.
    private var plainTransport: SIPTransport? {
        let wanted: SIPTransport
        switch (transport, isSecure) {
        case (.udp, true): return nil
        case (_, true): wanted = .tls
        case (let given?, false): wanted = given
        case (nil, false): wanted = .udp
        }
        return preferences.transports.contains(wanted) ? wanted : nil
    }

    // MARK: Transport (section 4.1)

    private func choose(_ answers: [DNSQuestion: [RecordData]]) -> Step {
        let question = DNSQuestion(host, .naptr)
        guard let records = answers[question] else { return .ask([question]) }
        let pointers = usablePointers(records)
        if !pointers.isEmpty {
            let fallback = pointers.first.map { $0.0 } ?? .udp
            return locate(pointers, otherwise: fallback, answers)
        }
        let usable = preferences.transports.filter { !isSecure || $0 == .tls }
        return locate(usable.map { ($0, Self.serviceName($0, host)) }, otherwise: plainTransport, answers)
    }

    /// NAPTR records with services that can be used, best first. `sip` URIs may use SIPS services, not the reverse.
    private func usablePointers(_ records: [RecordData]) -> [(SIPTransport, String)] {
        var pointers: [(NamingPointer, SIPTransport)] = []
        for case .pointer(let pointer) in records {
            guard pointer.flags.lowercased() == "s", pointer.regularExpression.isEmpty, !pointer.replacement.isEmpty,
                let transport = Self.transport(ofService: pointer.service), preferences.transports.contains(transport),
                !isSecure || transport == .tls
            else { continue }
            pointers.append((pointer, transport))
        }
        let rank = Dictionary(
            preferences.transports.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        pointers.sort {
            ($0.0.order, $0.0.preference, rank[$0.1] ?? 0) < ($1.0.order, $1.0.preference, rank[$1.1] ?? 0)
        }
        return pointers.map { ($0.1, $0.0.replacement) }
    }

    private static func transport(ofService service: String) -> SIPTransport? {
        switch service.uppercased() {
        case "SIP+D2U": .udp
        case "SIP+D2T": .tcp
        case "SIPS+D2T": .tls
        default: nil
        }
    }

    private static func serviceName(_ transport: SIPTransport, _ host: String) -> String {
        switch transport {
        case .udp: "_sip._udp.\(host)"
        case .tcp: "_sip._tcp.\(host)"
        case .tls: "_sips._tcp.\(host)"
        }
    }

    // MARK: Port and address (section 4.2)

    /// The servers of the services in order; where no service has an SRV record, the host itself at the default port.
    private func locate(
        _ services: [(SIPTransport, String)], otherwise: SIPTransport?, _ answers: [DNSQuestion: [RecordData]]
    ) -> Step {
        let open = services.map { DNSQuestion($0.1, .srv) }.filter { answers[$0] == nil }
        guard open.isEmpty else { return .ask(open) }
        var places: [Place] = []
        var hasRecords = false
        for (transport, name) in services {
            var records: [ServiceRecord] = []
            for case .service(let record)? in answers[DNSQuestion(name, .srv)] ?? [] { records.append(record) }
            if !records.isEmpty { hasRecords = true }
            for record in ServiceOrder.ordered(
                records, seed: seed ^ UInt64(transport.rawValue) &* 0x9e37_79b9_7f4a_7c15)
            {
                guard record.port != 0, Self.isName(record.target) else { continue }
                places.append(Place(transport: transport, host: record.target, port: record.port))
            }
        }
        if !hasRecords, let otherwise {
            places = [Place(transport: otherwise, host: host, port: otherwise.defaultPort)]
        }
        return addresses(of: places, answers)
    }

    private func addresses(of places: [Place], _ answers: [DNSQuestion: [RecordData]]) -> Step {
        var open: [DNSQuestion] = []
        var targets: [Target] = []
        var seen: Set<Target> = []
        for place in places.prefix(Self.placeLimit) {
            for family in preferences.families {
                let question = DNSQuestion(place.host, family)
                guard let records = answers[question] else {
                    if !open.contains(question) { open.append(question) }
                    continue
                }
                for case .address(let ip) in records where targets.count < Self.targetLimit {
                    let target = Target(
                        transport: place.transport, address: TransportAddress(ip: ip, port: place.port), domain: host)
                    if seen.insert(target).inserted { targets.append(target) }
                }
            }
        }
        return open.isEmpty ? .found(targets) : .ask(open)
    }

    /// A domain can list any number of servers; so many are looked at.
    private static let placeLimit = 16
    private static let targetLimit = 32

    /// Whether a text can be asked for in DNS: labels of 1 to 63 visible ASCII characters, 253 in all.
    private static func isName(_ text: String) -> Bool {
        let bytes = text.hasSuffix(".") ? Array(text.utf8.dropLast()) : Array(text.utf8)
        guard !bytes.isEmpty, bytes.count <= 253, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != 0x5c }) else {
            return false
        }
        return bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0.count <= 63 }
    }
}

/// The order of SRV records (RFC 2782, "Usage rules").
public enum ServiceOrder {
    /// By priority; within one priority by lot, weighted.
    public static func ordered(_ records: [ServiceRecord], seed: UInt64) -> [ServiceRecord] {
        var state = seed
        var result: [ServiceRecord] = []
        // Answers come in any order; the lot must not depend on it.
        let sorted = records.sorted {
            ($0.priority, $0.weight, $0.target, $0.port) < ($1.priority, $1.weight, $1.target, $1.port)
        }
        for group in sorted.chunked(by: \.priority) {
            var left = group
            while !left.isEmpty {
                let total = left.reduce(UInt64(0)) { $0 + UInt64($1.weight) }
                let drawn = next(&state) % (total + 1)
                var sum: UInt64 = 0
                let index = left.firstIndex { record in
                    sum += UInt64(record.weight)
                    return sum >= drawn
                }
                result.append(left.remove(at: index ?? 0))
            }
        }
        return result
    }

    /// SplitMix64.
    private static func next(_ state: inout UInt64) -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

extension Array {
    /// Runs of neighbours with the same key.
    fileprivate func chunked<Key: Equatable>(by key: (Element) -> Key) -> [[Element]] {
        var runs: [[Element]] = []
        for element in self {
            if let last = runs.last?.last, key(last) == key(element) {
                runs[runs.count - 1].append(element)
            } else {
                runs.append([element])
            }
        }
        return runs
    }
}
