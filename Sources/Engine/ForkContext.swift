import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// A request on its way to one or several targets: the response context of RFC 3261 section 16, and the attempt to deliver a
/// deferred message, which is the same fork with the Message Store as its upstream.
final class ForkContext {
    let method: SIPMethod
    /// The request that is forwarded, and where its answer goes; nil for a deferred delivery.
    let held: HeldRequest?
    /// The same message sent again as another request while this one is under way; each gets the answer this one gets.
    var followers: [HeldRequest] = []
    /// A deferred message as the store keeps it; empty for a relay that was not converted.
    var payload: [UInt8] = []
    /// Keyed hash of From, Call-ID and CSeq: the part of the branch that survives a restart.
    let seed: UInt64
    /// The served user a MESSAGE is for; -1 for everything else.
    var user: Int32 = -1
    /// The deferred message this is an attempt for.
    var number: MessageNumber?
    /// Unix second at which that message expires.
    var expires: UInt32 = 0
    var attempts: UInt16 = 1
    /// How soon it has to leave towards a constrained endpoint.
    var urgency = DownlinkUrgency.normal
    var branches: [ClientBranch] = []
    /// Targets not tried yet, by falling q; the next group is last (RFC 3261 section 16.6).
    var groups: [[ForwardTarget]] = []
    /// The best final response so far (RFC 3261 section 16.7 step 6).
    var best: BestResponse?
    /// Why a device may yet take the message that another refuses for good.
    var passingFailure: DeliveryCause?
    /// Responses 401 and 407 of all branches.
    var challenges: [SIPMessage] = []
    /// Whether the upstream transaction has its final response.
    var isAnswered = false
    var isCancelled = false
    /// A relay that counts among the recipient's live ones; false once the Message Store has taken over.
    var isLive = false
    /// Whether its branches were begun; false while it waits in the recipient's line.
    var isStarted = false
    /// Slot in the context table.
    var slot: UInt32 = 0
    /// Max-Forwards and Max-Breadth to write into forwarded requests.
    var maxForwards: Int = 70
    var maxBreadth: Int = 0
    /// Record-Route is added to requests that may form a dialog.
    var recordsRoute = false
    /// Route values to take off the top: those that named us.
    var removedRoutes = 0
    /// Whether it leaves our domains.
    var isOutside = false
    /// The sender's identity as its credentials proved it; empty when nothing did.
    var provenIdentity = ""
    /// Headers the next hop does not get: credentials meant for us, identities it may not see.
    var removedHeaders: [HeaderName] = []
    /// Whole lines the next hop gets besides.
    var addedLines: [UInt8] = []

    init(method: SIPMethod, held: HeldRequest?, seed: UInt64) {
        self.method = method
        self.held = held
        self.seed = seed
    }

    var isInvite: Bool { method == .invite }
    /// Whether every branch has its final response.
    var isQuiet: Bool { branches.allSatisfy { $0.state == .completed } }

    /// Whether a branch goes to that contact by that way already, or will.
    func reaches(_ target: ForwardTarget) -> Bool {
        func isSame(_ other: ForwardTarget) -> Bool { other.hash == target.hash && other.flow == target.flow }
        return branches.contains { isSame($0.target) } || groups.contains { $0.contains(where: isSame) }
    }

    func branchIndex(of client: TransactionID) -> Int? {
        branches.firstIndex { $0.client == client && $0.state != .completed }
            ?? branches.firstIndex { $0.client == client }
    }
}

/// One client transaction of a fork.
struct ClientBranch {
    enum State {
        case resolving
        /// It has not its turn on the downlink of a constrained endpoint, which is the first of the alternatives.
        case waiting
        case calling, proceeding, completed
    }
    var state: State
    var target: ForwardTarget
    /// Next hops left to try when this one fails (RFC 3263 section 4.3).
    var alternatives: [Destination]
    /// The transaction in progress.
    var client: TransactionID
    /// The request as sent, kept for ACK and CANCEL of an INVITE.
    var sent: [UInt8] = []
    var destination: Destination?
    /// Final status of this branch, 0 before.
    var status: UInt16 = 0
    /// Timer C for INVITE; once cancelled, until when its final response is awaited.
    var expiresAt: Instant?
    /// Transmissions made, to tell a failed one from those after it.
    var tries: UInt8 = 0
    /// An INVITE that is not wanted any more: its CANCEL is sent, or will be with the first provisional response.
    var isCancelled = false
    /// It was cancelled because it rang for too long, which the caller learns as 408.
    var isTimedOut = false
}

/// Where a branch goes: the Request-URI to write and how to get there.
struct ForwardTarget {
    /// Request-URI, as text.
    var uri: [UInt8]
    /// Route header values to put first (Path of the binding), comma separated; empty for none.
    var path: [UInt8] = []
    /// The flow to use, when the binding has one.
    var flow: Flow?
    /// Otherwise the host to resolve.
    var host: String = ""
    var port: UInt16 = 0
    var transport: SIPTransport?
    var isSecure = false
    /// Set once the request was sent over TCP for its size and came back to datagrams because there is no TCP.
    var skipsSizeCheck = false
    /// Index of the link profile that governs the hop.
    var profile: Int = 0
    /// Keyed hash of the contact, part of a deterministic branch.
    var hash: UInt64 = 0
}

/// A final response waiting to see whether a better one comes.
struct BestResponse {
    var status: UInt16
    var message: SIPMessage?
    /// What to say when no message came: a timeout or a transport failure.
    var cause: DeliveryCause
}
