import HeapModule
public import LinkProfiles
public import MessageStore
import Policy
public import SIPCore
import SIPTransaction

/// The Home Serving Proxy, Registrar, IM Application and deferred-message queue of draft-houri-simple-arch-01, as one state
/// machine without sockets, clock or randomness.
///
/// A driver hands in what happened together with the time, and takes ``output`` after every input or batch of inputs.
/// Nothing is answered to a peer before the store command its answer rests on is reported committed.
public final class Engine {
    public let configuration: EngineConfiguration
    /// What is to be done; the driver takes it and leaves an empty value.
    public var output = EngineOutput()
    /// What the sender of the message received last has proved.
    public internal(set) var standing = SenderStanding.unknown

    var tally = EngineCounters()
    var now: Instant
    var random: RandomSource
    /// Key of branches, tags, transaction ids and identities.
    let key: (UInt64, UInt64)
    let transactions = TransactionLayer()
    var events: [TransactionEvent] = []
    var profiles: [LinkProfile]
    /// How long a transaction may live on the slowest link.
    let longestLifetime: TimeSpan
    var timers: [TimersIndex]
    /// Whether a profile's link has a budget, by number.
    let isPacedProfile: [Bool]
    /// Whether any profile's link has a budget: without one nothing is ever looked up for it.
    let hasPacedProfiles: Bool
    /// Whether any link has hours or windows in which it is closed.
    let hasClosings: Bool
    var downlinks = DownlinkTable()
    let profileNumbers: [String: Int]
    /// The profile of flows that no rule matches.
    let defaultProfile: Int
    let location: LocationService
    let registrar: Registrar
    var accounts: AccountDirectory
    let authenticator: DigestAuthenticator
    var floodGuard: FloodGuard
    let serverHeader: [UInt8]

    var contexts = ContextTable<ForkContext>()
    var pending = PendingCommits()
    var identities = IdentityMemory()
    var identitiesTurnAt: Instant
    var queues: [RecipientQueue] = []
    var freeQueues: [Int32] = []
    var senders = SenderLedger()
    var lastMessage = MessageNumber(0)
    var deadlines = Heap<Deadline>()
    var patience: PatienceLines
    var resolving: [UInt64: (slot: UInt32, generation: UInt32, branch: Int)] = [:]
    var lastResolution: UInt64 = 0
    var inFlight = InFlightRequests()
    let presence: PresenceApplication
    /// Subscriptions of our own at external presence servers and registrars.
    var external = ExternalSubscriptions()
    var sweep = ExpirySweep()
    var storeHealth = StoreHealth()
    /// Outcomes of attempts that the store refused to write.
    var unsettled: [(command: StoreCommand, user: Int32)] = []
    /// Whether an account's or a rule's profile depends on who the user is.
    var hasAccountProfiles: Bool
    var isDraining = false
    /// INVITEs whose final response may have to be sent again (timer G) or that a CANCEL may name.
    var heldInvites: [TransactionID: HeldRequest] = [:]
    /// INVITEs that got a 2xx, by the client transaction it came from, as long as it may be retransmitted (timer M).
    var acceptedCalls: [TransactionID: HeldRequest] = [:]

    /// - Parameters:
    ///   - secret: keys for branches, tags, nonces and identities; the same over restarts.
    ///   - seed: for everything that only has to be different, such as branches and jitter.
    ///   - at: the present time.
    public init(configuration: EngineConfiguration, secret: EngineSecret, seed: UInt64, at time: Instant) {
        self.configuration = configuration
        now = time
        random = RandomSource(seed: seed)
        key = (secret.words.0, secret.words.1)
        let names = configuration.profiles.keys.sorted()
        profileNumbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
        profiles = names.compactMap { configuration.profiles[$0] }
        if profiles.isEmpty { profiles = [LinkProfile()] }
        isPacedProfile = profiles.map { !$0.budget.isUnlimited }
        hasPacedProfiles = isPacedProfile.contains(true)
        hasClosings = profiles.contains { $0.budget.hasClosings }
        longestLifetime = profiles.map(\.transactionLifetime).max() ?? .zero
        defaultProfile = profileNumbers["lan"] ?? 0
        timers = []
        for profile in profiles {
            if let index = transactions.register(TransactionTimers(profile)) ?? timers.first { timers.append(index) }
        }
        patience = PatienceLines(profiles)
        location = LocationService(domains: configuration.domains, key: (secret.words.2, secret.words.3))
        var registrarConfiguration = RegistrarConfiguration()
        registrarConfiguration.maximumBindings = configuration.limits.bindingsPerUser
        registrar = Registrar(
            locations: location, listeners: configuration.localPoints, configuration: registrarConfiguration)
        accounts = AccountDirectory(configuration.accounts)
        let authentication = configuration.authentication
        let realm = authentication.realm.isEmpty ? configuration.domains.first ?? "godwit" : authentication.realm
        authenticator = DigestAuthenticator(
            policy: DigestPolicy(
                realm: realm, algorithms: authentication.algorithms, nonceLifetime: authentication.nonceLifetime),
            key: (secret.words.2 ^ 0x6e6f_6e63_6500_0001, secret.words.3), at: time)
        hasAccountProfiles = Self.concernsAccounts(configuration.profileRules, configuration.accounts)
        presence = PresenceApplication(configuration.presence, firstEntityTag: random.next())
        floodGuard = FloodGuard(
            source: configuration.limits.perSource, identity: configuration.limits.perIdentity,
            exempt: configuration.trustedPeers.filter { $0.port == 0 }.map(\.network),
            key: secret.words.1 ^ secret.words.2)
        serverHeader =
            configuration.serverName.isEmpty ? [] : Array("Server: \(configuration.serverName)\r\n".utf8)
        identitiesTurnAt = time + TimeSpan(microseconds: configuration.limits.duplicateWindow.microseconds / 2)
    }

    /// What was counted, and the size of the tables at this moment.
    public var counters: EngineCounters {
        var result = tally
        result.openContexts = contexts.count
        result.serverTransactions = transactions.serverCount
        result.clientTransactions = transactions.clientCount
        result.users = location.count
        result.bindings = location.bindingCount
        result.downlinks = downlinks.count
        result.downlinkWaiting = downlinks.waitingCount
        result.presence = presence.counters
        result.presence.subscriptions = presence.subscriptions.count
        return result
    }

    // MARK: Inputs

    /// One datagram, or one framed message of a stream.
    public func received(_ bytes: [UInt8], on flow: Flow, at time: Instant) {
        tick(time)
        standing = configuration.authentication.isRequired ? .unknown : .known(user: 0)
        switch SIPMessage.parse(bytes, fromStream: flow.transport.isReliable) {
        case .message(let message):
            if message.isRequest {
                requestReceived(message, on: flow)
            } else {
                responseReceived(message, on: flow)
            }
        case .malformed(let message, let failure):
            malformed(message, failure, on: flow)
        case .unreadable:
            tally.unreadable += 1
        }
        downlinkHeard(flow)
        tellLine()
    }

    /// A connection came up: accepted (`target` is nil) or opened towards a target.
    public func flowOpened(_ flow: Flow, target: Target?, at time: Instant) {
        tick(time)
    }

    /// A connection is gone, and with it every binding that lives on it (RFC 5626 section 3.5).
    public func flowClosed(_ flow: Flow, at time: Instant) {
        tick(time)
        removeBindings(on: flow)
        downlinkClosed(flow)
        for token in inFlight.take(flow.connection) { transportFailed(token: token) }
        tellLine()
    }

    /// A transmission with that token could not be sent (RFC 3261 section 17.1.4).
    public func transmissionFailed(_ token: UInt64, reason: String, at time: Instant) {
        tick(time)
        transportFailed(token: token)
        tellLine()
    }

    /// The answer to a resolution: next hops in the order they are to be tried; empty when there is none.
    public func resolved(_ id: UInt64, targets: [Target], at time: Instant) {
        tick(time)
        resolutionFinished(id, targets: targets)
    }

    /// All store commands up to that number are durable.
    public func committed(through sequence: UInt64, claimed: [ClaimedMessage], at time: Instant) {
        tick(time)
        storeHealth.succeeded()
        var claims = claimed[...]
        pending.finish(through: sequence)
        while let continuation = pending.next(through: sequence) {
            resume(continuation, claims: &claims)
        }
        tellLine()
    }

    /// None of the commands after the last report and up to that number happened.
    public func storeFailed(through sequence: UInt64, failure: StoreFailure, at time: Instant) {
        tick(time)
        tally.storeFailures += 1
        if let notice = storeHealth.failed(failure, at: now) { output.notices.append(notice) }
        pending.finish(through: sequence)
        while let continuation = pending.next(through: sequence) {
            abandon(continuation)
        }
        tellLine()
    }

    /// Fires everything that is due.
    public func advance(to time: Instant) {
        tick(time)
        transactions.advance(to: now, into: &events)
        if !events.isEmpty {
            let due = events
            events.removeAll(keepingCapacity: true)
            for event in due { transactionFired(event) }
        }
        fireDeadlines()
        firePatience()
        expireBindings()
        sweepExpired()
        turnIdentities()
        advancePresence()
    }

    /// Nothing happens by itself before this moment; it may be early.
    public var nextDeadline: Instant? {
        var next = transactions.nextDeadline ?? .distantFuture
        if let first = deadlines.min { next = min(next, first.at) }
        if let first = patience.next { next = min(next, first) }
        if let first = location.nextDeadline { next = min(next, first) }
        if let first = presence.nextDeadline(at: now) { next = min(next, first) }
        next = min(next, sweep.next, identitiesTurnAt)
        return next
    }

    /// No new work: requests that would open something are answered 503; what is open goes on.
    public func drain(at time: Instant) {
        tick(time)
        isDraining = true
    }

    /// Whether nothing is under way that a stop would cut off.
    public var isIdle: Bool { contexts.count == 0 && pending.depth == 0 }

    /// Takes the accounts as they are now; sessions under way keep what they have.
    public func replaceAccounts(_ accounts: [Account]) {
        self.accounts = AccountDirectory(accounts)
        hasAccountProfiles = Self.concernsAccounts(configuration.profileRules, accounts)
    }

    private static func concernsAccounts(_ rules: [ProfileRule], _ accounts: [Account]) -> Bool {
        rules.contains { $0.account != nil } || accounts.contains { !$0.profile.isEmpty }
    }

    func tick(_ time: Instant) { if time > now { now = time } }
}
