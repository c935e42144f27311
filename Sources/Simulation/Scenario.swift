public import LinkProfiles
public import MessageStore
public import SIPCore

/// Everything that is going to happen in one world, written down before it begins: who is there, over which links, and what
/// they and the faults do when. A ``Workload`` makes one from a seed; a test may write one by hand.
public struct Scenario: Sendable {
    public var seed: UInt64
    public var devices: [DevicePlan] = []
    public var messages: [MessagePlan] = []
    public var actions: [TimedAction] = []
    /// When faults end: links lose nothing more, the store works, the node is up, everybody comes home and stays.
    public var faultsEnd: TimeSpan = .seconds(600 as Int64)
    /// After `faultsEnd` and this much more time everything must have drained.
    public var drainLimit: TimeSpan = .seconds(6 * 3_600 as Int64)
    /// A run that takes more events than this has gone wrong.
    public var eventLimit = 3_000_000
    /// Profiles the server is configured with, by name.
    public var profiles: [String: LinkProfile] = ["lan": LinkProfile()]
    /// Whether users must prove who they are (RFC 7616); every message then has a Message-ID, since a challenge changes CSeq.
    public var authenticates = false
    /// How long a commit takes, from and to.
    public var commitTime: ClosedRange<Int64> = 500...8_000
    /// Longest time, in microseconds, for which the node gathers input before it works on it; 0 is one input at a time.
    public var inputGathering: Int64 = 0

    public init(seed: UInt64) { self.seed = seed }

    /// Domain all users belong to.
    public static let domain = "godwit.test"
    /// Where the node listens, for UDP (listener 0) and TCP (listener 1).
    public static let nodeAddress = TransportAddress(ip: IPAddress(v4: 0x0a00_0001), port: 5060)
    /// Virtual time begins here: 2026-01-01T00:00:00Z.
    public static let beginning = Instant(microseconds: 1_767_225_600_000_000)

    /// Whether the recipient has one device only, so that the order of arrival there is the order of delivery.
    func hasOneDevice(_ user: String) -> Bool { devices.count { $0.user == user } == 1 }
}

/// A device of a user: one SIP user agent behind one link.
public struct DevicePlan: Sendable {
    public var user: String
    public var transport: SIPTransport
    /// Name of the link profile of its flows, on both ends.
    public var profile: String
    public var up: LinkConditions
    public var down: LinkConditions
    /// T1, T2 and 64*T1 of the user agent itself.
    public var t1: TimeSpan = .milliseconds(500)
    public var t2: TimeSpan = .seconds(4 as Int64)
    public var registrationExpiry: TimeSpan = .seconds(3_600 as Int64)
    /// Whether it recognises a message it has shown by Call-ID and CSeq or Message-ID, beyond its transactions.
    public var honoursIdentity = true
    /// Whether it claims to honour identity and does not: for tests that show that the check notices.
    public var forgetsIdentity = false
    /// Whether it answers a merged request 482 (RFC 3261 section 8.2.2.2).
    public var refusesMergedRequests = false
    /// Whether it gives an instance-id and reg-id (RFC 5626).
    public var usesOutbound = false
    /// Answers it gives before the first ``Action/answers(device:_:)``.
    public var answers: AnswerScript = .accept

    public init(
        user: String, transport: SIPTransport = .udp, profile: String = "lan", link: LinkConditions = LinkConditions()
    ) {
        self.user = user
        self.transport = transport
        self.profile = profile
        up = link
        down = link
    }
}

/// How a device answers MESSAGE requests it has not seen before.
public enum AnswerScript: Hashable, Sendable {
    /// 200 at once.
    case accept
    /// 200 after a while; the message is shown then.
    case acceptLate(TimeSpan)
    /// Not now: a final response such as 480, 486 or 503.
    case decline(Int)
    /// Reads nothing, answers nothing.
    case silence
    /// Mostly 200, else one of 480, 486, 503 or nothing; the share that fails.
    case moody(Double)
}

/// A message somebody is going to send.
public struct MessagePlan: Sendable {
    /// Index in ``Scenario/messages``, part of Call-ID and body.
    public var token: Int
    /// Index of the sending device.
    public var sender: Int
    public var recipient: String
    public var body: [UInt8]
    public var contentType: String
    /// Value of Expires in seconds; nil for none.
    public var expires: Int64?
    public var isUrgent = false
    /// Whether the sender waits for the final answer to what it sent before to the same recipient.
    public var waitsItsTurn = true
    /// The Message-ID inside a CPIM body, if it has one; a repetition is then a new request with a new Call-ID.
    public var messageID: String?

    public init(token: Int, sender: Int, recipient: String, body: [UInt8], contentType: String = "text/plain") {
        self.token = token
        self.sender = sender
        self.recipient = recipient
        self.body = body
        self.contentType = contentType
    }
}

/// Something that happens at a moment counted from the beginning.
public struct TimedAction: Sendable {
    public var at: TimeSpan
    public var action: Action

    public init(at: TimeSpan, _ action: Action) {
        self.at = at
        self.action = action
    }
}

public enum Action: Sendable {
    /// The device attaches, at its address or a new one, and registers.
    case appear(device: Int, atNewAddress: Bool)
    /// The device deregisters, and leaves when that is answered.
    case deregister(device: Int)
    /// The device is gone without a word.
    case vanish(device: Int)
    /// The device restarts: it forgets its transactions and connections, not the messages it has shown.
    case reboot(device: Int)
    case send(message: Int)
    case answers(device: Int, AnswerScript)
    /// The device sends something that is no message of its user's: strange, damaged or random.
    case noise(device: Int)
    /// The device's link carries nothing for a while.
    case outage(device: Int, TimeSpan)
    /// The store refuses everything for a while.
    case storeFails(StoreFailure, TimeSpan)
    /// The store takes so much longer to commit, for a while.
    case storeSlows(by: TimeSpan, TimeSpan)
    case crash(downFor: TimeSpan)
    /// The node crashes at the next occurrence of the moment, not by the clock.
    case crashWhen(CrashMoment, downFor: TimeSpan)
}

/// Moments between which a crash makes a difference.
public enum CrashMoment: Hashable, Sendable, CaseIterable {
    /// Commands were handed to the store and nothing is written yet.
    case handedOver
    /// The group is durable, and the engine has not been told.
    case durableUnreported
    /// The engine was told, and what it then wants sent has not left.
    case reportedUnsent
    /// A MESSAGE has just left for a device.
    case delivering
    /// A device's answer to a MESSAGE has just been taken in, and its outcome is not yet durable.
    case answerTaken
    /// A final answer to a sender has just left.
    case acknowledged
}
