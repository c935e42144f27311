public import NIOCore
public import SIPCore

/// Finds next hops (RFC 3263, RFC 6157) without blocking the event loop, and remembers what DNS said.
///
/// Confined to the event loop, but for its making and ``shutdown()``.
public final class NextHopResolver: @unchecked Sendable {
    /// What to ask, and how hard.
    public struct Configuration: Hashable, Sendable {
        /// Name servers to ask; empty uses the system's.
        public var servers: [TransportAddress] = []
        /// Time for the first answer of one query, in milliseconds; doubles with every try.
        public var timeoutMilliseconds: Int = 2_000
        /// Tries for each server.
        public var tries: Int = 3
        /// Answers kept in memory.
        public var cacheLimit: Int = 10_000
        /// The longest time an answer is kept, in seconds, whatever its TTL.
        public var longestTTL: Int64 = 86_400
        /// How long it is kept that something does not exist where the answer gives no time, in seconds.
        public var negativeTTL: Int64 = 60
        /// How long it is kept that no answer was to be had, in seconds.
        public var failureTTL: Int64 = 5
        /// Lookups under way at once; those beyond find nothing.
        public var lookupLimit: Int = 10_000
        /// Transports the server can send by, best first; the order decides only where DNS does not.
        public var transports: [SIPTransport] = [.udp, .tcp, .tls]
        public var usesIPv4 = true
        public var usesIPv6 = true
        /// Which family comes first for a server that has both.
        public var prefersIPv6 = true

        public init() {}

        var preferences: NextHopSearch.Preferences {
            var preferences = NextHopSearch.Preferences()
            preferences.transports = transports
            preferences.families = (prefersIPv6 ? [.aaaa, .a] : [.a, .aaaa]).filter {
                $0 == .a ? usesIPv4 : usesIPv6
            }
            return preferences
        }
    }

    private struct Lookup {
        var search: NextHopSearch
        var answers: [DNSQuestion: [RecordData]] = [:]
        var open: Set<DNSQuestion> = []
        var completion: ([Target]) -> Void
    }

    private struct Remembered {
        var records: [RecordData]
        var until: NIODeadline
    }

    private let eventLoop: any EventLoop
    private let configuration: Configuration
    private let client: DNSClient
    private var seed: UInt64
    private var cache: [DNSQuestion: Remembered] = [:]
    private var lookups: [UInt64: Lookup] = [:]
    private var lastLookup: UInt64 = 0
    /// The lookups that wait for a question which has been asked.
    private var asked: [DNSQuestion: [UInt64]] = [:]

    /// - Parameter seed: for the choice among SRV records.
    /// - Throws: ``TransportFailure/resolverUnavailable(reason:)``.
    public init(eventLoop: any EventLoop, configuration: Configuration, seed: UInt64) throws(TransportFailure) {
        self.eventLoop = eventLoop
        self.configuration = configuration
        self.seed = seed
        client = try DNSClient(
            servers: configuration.servers, timeout: configuration.timeoutMilliseconds, tries: configuration.tries)
    }

    /// Questions whose answers are kept.
    public var rememberedCount: Int { cache.count }

    /// Looks up the targets for a URI. On the event loop; `completion` runs on it later, never from inside this call, with
    /// an empty list when nothing was found.
    ///
    /// - Parameters: in the terms of RFC 3263 section 4: the URI's host, its port (0 for none), its transport parameter
    ///   and whether it is a `sips` URI.
    public func resolve(
        host: String, port: UInt16, transport: SIPTransport?, isSecure: Bool,
        completion: @escaping ([Target]) -> Void
    ) {
        eventLoop.assertInEventLoop()
        guard lookups.count < configuration.lookupLimit else {
            eventLoop.assumeIsolated().execute { completion([]) }
            return
        }
        seed &+= 0x9e37_79b9_7f4a_7c15
        lastLookup += 1
        let search = NextHopSearch(
            host: host, port: port, transport: transport, isSecure: isSecure, preferences: configuration.preferences,
            seed: seed)
        lookups[lastLookup] = Lookup(search: search, completion: completion)
        let id = lastLookup
        eventLoop.assumeIsolated().execute { [self] in advance(id) }
    }

    /// Stops the resolver's thread. Open lookups end with an empty list.
    public func shutdown() async {
        await withCheckedContinuation { continuation in client.stop { continuation.resume() } }
        // The answers that the end of the thread gave to open questions are on their way to the loop ahead of this.
        try? await eventLoop.submit {}.get()
    }

    private func advance(_ id: UInt64) {
        guard var lookup = lookups[id], lookup.open.isEmpty else { return }
        while true {
            switch lookup.search.step(lookup.answers) {
            case .found(let targets):
                lookups[id] = nil
                lookup.completion(targets)
                return
            case .ask(let questions):
                for question in questions {
                    if let known = cache[question], known.until > .now() {
                        lookup.answers[question] = known.records
                    } else {
                        lookup.open.insert(question)
                    }
                }
                guard lookup.open.isEmpty else {
                    lookups[id] = lookup
                    for question in lookup.open { ask(question, for: id) }
                    return
                }
            }
        }
    }

    private func ask(_ question: DNSQuestion, for id: UInt64) {
        asked[question, default: []].append(id)
        guard asked[question]?.count == 1 else { return }
        client.ask(question) { [self] reply in
            eventLoop.execute { [self] in answered(question, reply) }
        }
    }

    private func answered(_ question: DNSQuestion, _ reply: DNSReply) {
        remember(question, reply)
        for id in asked.removeValue(forKey: question) ?? [] {
            lookups[id]?.answers[question] = reply.records
            lookups[id]?.open.remove(question)
            advance(id)
        }
    }

    private func remember(_ question: DNSQuestion, _ reply: DNSReply) {
        let seconds: Int64
        if reply.isFailure {
            seconds = configuration.failureTTL
        } else {
            let fallback = reply.records.isEmpty ? configuration.negativeTTL : 0
            seconds = min(reply.ttl.map { Int64($0) } ?? fallback, configuration.longestTTL)
        }
        guard seconds > 0, configuration.cacheLimit > 0 else {
            cache[question] = nil
            return
        }
        if cache.count >= configuration.cacheLimit, cache[question] == nil { makeRoom() }
        cache[question] = Remembered(records: reply.records, until: .now() + .seconds(seconds))
    }

    /// Forgets what has expired, and if nothing has, an eighth of the rest.
    private func makeRoom() {
        let now = NIODeadline.now()
        cache = cache.filter { $0.value.until > now }
        guard cache.count >= configuration.cacheLimit else { return }
        for question in cache.keys.prefix(cache.count / 8 + 1) { cache[question] = nil }
    }
}
