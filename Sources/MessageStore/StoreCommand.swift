public import LinkProfiles

/// One durable step. The engine emits commands in order and numbers them from 1; a store commits them in groups, each group
/// atomically, and reports how far it got. Nothing is answered to a peer before the command it rests on is committed.
public enum StoreCommand: Hashable, Sendable {
    /// Gives an address-of-record its number. Comes before any command that uses the number, in the same group or an
    /// earlier one that was committed; a name whose group failed must be given again. Repeating a name changes nothing.
    case name(AddressNumber, addressOfRecord: String)

    /// Accepts a message, `.queued` or (with `attempts` at least 1) `.claimed`. A number that exists already is an error
    /// of the caller.
    case enqueue(DeferredMessage)
    /// queued, waiting or claimed → claimed: attempt number `attempts`, at least 1, begins. The receipt carries the payload.
    case claim(MessageNumber, attempts: UInt32, at: Instant)
    /// claimed → delivered; the payload goes.
    case deliver(MessageNumber, at: Instant)
    /// claimed → waiting until `due`.
    case retry(MessageNumber, due: Instant, cause: DeliveryCause)
    /// claimed → queued without a failure counted: nobody is there any more.
    case release(MessageNumber, cause: DeliveryCause)
    /// any state but terminal → expired; the payload goes.
    case expire(MessageNumber, at: Instant, cause: DeliveryCause)
    /// any state but terminal → refused; the payload goes. `cause` is not `.none`.
    case refuse(MessageNumber, at: Instant, cause: DeliveryCause)
    /// Removes terminal rows that ended before `before`, at most `limit` of them. Until then they recognise replays.
    case forget(before: Instant, limit: Int)

    /// Writes a binding, new or changed, under its number.
    case bind(StoredBinding)
    case unbind(BindingNumber)

    /// A step of subscriptions, publications or their documents.
    case presence(PresenceCommand)
}

/// A claimed message as the store hands it out for an attempt.
public struct ClaimedMessage: Hashable, Sendable {
    public var number: MessageNumber
    public var payload: [UInt8]
    public init(number: MessageNumber, payload: [UInt8]) {
        self.number = number
        self.payload = payload
    }
}

/// What the engine needs of a deferred message that was in the store at start: everything but its bytes.
public struct RecoveredMessage: Hashable, Sendable {
    public var number: MessageNumber
    public var recipient: AddressNumber
    public var sender: String
    public var identity: MessageIdentity
    public var state: DeferredState
    public var isUrgent: Bool
    public var attempts: UInt32
    public var acceptedAt: Instant
    public var expiresAt: Instant
    /// Start of the attempt for `.claimed`, earliest next attempt for `.waiting`, else zero.
    public var due: Instant
    /// Bytes of the payload.
    public var size: Int

    public init(
        number: MessageNumber, recipient: AddressNumber, sender: String, identity: MessageIdentity,
        state: DeferredState, isUrgent: Bool, attempts: UInt32, acceptedAt: Instant, expiresAt: Instant, due: Instant,
        size: Int
    ) {
        self.number = number
        self.recipient = recipient
        self.sender = sender
        self.identity = identity
        self.state = state
        self.isUrgent = isUrgent
        self.attempts = attempts
        self.acceptedAt = acceptedAt
        self.expiresAt = expiresAt
        self.due = due
        self.size = size
    }
}

/// Receives a store's content at start, one record at a time, in this order: addresses, bindings, messages by number,
/// documents, publications by number, subscriptions by number.
public protocol RecoveryVisitor {
    mutating func address(_ number: AddressNumber, addressOfRecord: String)
    mutating func binding(_ binding: StoredBinding)
    /// Messages in a state that is not terminal.
    mutating func message(_ message: RecoveredMessage)
    /// Identities of terminal messages accepted at or after the moment asked for, so that replays are recognised.
    mutating func settled(_ identity: MessageIdentity, acceptedAt: Instant)
    mutating func document(_ document: StoredDocument)
    mutating func publication(_ publication: StoredPublication)
    mutating func subscription(_ subscription: StoredSubscription)
}

/// A visitor that is after messages and bindings alone passes by what presence keeps.
extension RecoveryVisitor {
    public mutating func document(_ document: StoredDocument) {}
    public mutating func publication(_ publication: StoredPublication) {}
    public mutating func subscription(_ subscription: StoredSubscription) {}
}

/// The Message Store (draft section 6): durable, used by one thread at a time.
public protocol MessageStore: AnyObject {
    /// Reads everything back. `duplicatesSince` bounds the settled identities reported.
    /// `lastMessage` and the like continue the numbering, also over rows that are gone.
    func recover<V: RecoveryVisitor>(duplicatesSince: Instant, into visitor: inout V) throws(StoreFailure)
        -> StoreNumbering
    /// Commits all commands in order as one atomic group and returns the payloads of the claims among them, in order.
    /// When it returns, the group survives a crash of the process and of the machine; when it throws, none of it happened.
    /// Commands on a message that is unknown, already terminal (an operator may have been faster), or in a state the
    /// command does not start from do nothing.
    func commit(_ commands: [StoreCommand]) throws(StoreFailure) -> [ClaimedMessage]
}

/// The highest numbers ever used, so that none is used twice.
public struct StoreNumbering: Hashable, Sendable {
    public var lastMessage: MessageNumber
    public var lastAddress: AddressNumber
    public var lastBinding: BindingNumber
    public var lastSubscription: SubscriptionNumber
    public var lastPublication: PublicationNumber

    public init(
        lastMessage: MessageNumber, lastAddress: AddressNumber, lastBinding: BindingNumber,
        lastSubscription: SubscriptionNumber = SubscriptionNumber(0),
        lastPublication: PublicationNumber = PublicationNumber(0)
    ) {
        self.lastMessage = lastMessage
        self.lastAddress = lastAddress
        self.lastBinding = lastBinding
        self.lastSubscription = lastSubscription
        self.lastPublication = lastPublication
    }
}

/// Why a store refused work.
public enum StoreFailure: Error, Hashable, Sendable {
    /// No space left; free some, the store recovers by itself.
    case full(String)
    /// Another process holds the database.
    case locked(String)
    /// The database is damaged: restore a backup.
    case damaged(String)
    /// Reading or writing failed otherwise.
    case io(String)
    /// The caller broke the protocol.
    case misuse(String)
}

/// An account as authentication needs it: never a password, only digests of it.
public struct Account: Hashable, Sendable {
    /// User part and domain: the address-of-record is `sip:username@domain`.
    public var username: String
    public var domain: String
    /// Realm the digests were made for.
    public var realm: String
    /// H(username:realm:password), lower-case hex, by algorithm name (`MD5`, `SHA-256`, `SHA-512-256`).
    public var digests: [String: String]
    /// Name of a link profile for this account's flows; empty for the rule's or `lan`.
    public var profile: String

    public init(username: String, domain: String, realm: String, digests: [String: String], profile: String = "") {
        self.username = username
        self.domain = domain
        self.realm = realm
        self.digests = digests
        self.profile = profile
    }
}
