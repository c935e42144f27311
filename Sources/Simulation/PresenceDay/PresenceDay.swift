public import LinkProfiles
public import SigComp

/// A day of one watcher on a slow link: contacts publish changes of their presence to the real engine, the watcher gets its NOTIFYs,
/// and every byte towards it is counted. The same day is lived several times, each time with one more means of sending less.
public struct PresenceDay: Sendable {
    public var seed: UInt64 = 1
    public var contacts = 50
    public var changesPerHour = 6.0
    public var hours = 24.0
    /// The link of the watcher.
    public var profile: LinkProfile
    /// The shortest time between two notifications of one contact that the watcher asks for (RFC 6446).
    public var interval: TimeSpan = .seconds(300 as Int64)
    /// What both ends offer for SigComp.
    public var parameters = SigCompParameters(
        cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536)

    /// Algorithms both ends may compress with, the preferred first.
    public var algorithms: [CompressionAlgorithm] = [.deflate, .compact]

    public init(profile: LinkProfile) { self.profile = profile }

    /// Means of sending less; each stage has those before it as well.
    public enum Stage: Int, CaseIterable, Sendable, Comparable {
        /// A full PIDF document for each change.
        case plain
        /// Differences (RFC 5262, 5263).
        case partial
        /// Only what the watcher shows: whether and how a contact can be reached, and what it does (RFC 4660, 4661).
        case filtered
        /// Not more often than it wants to know (RFC 6446).
        case limited
        /// By the link's budget, bundled while the radio sleeps.
        case scheduled
        case compressed

        public static func < (a: Stage, b: Stage) -> Bool { a.rawValue < b.rawValue }

        public var name: String {
            switch self {
            case .plain: "full state, plain"
            case .partial: "partial (RFC 5263)"
            case .filtered: "filter (RFC 4660)"
            case .limited: "rate control (RFC 6446)"
            case .scheduled: "downlink scheduler"
            case .compressed: "SigComp (RFC 3320)"
            }
        }
    }

    /// What one day came to.
    public struct Outcome: Hashable, Sendable {
        public var stage: Stage
        /// Changes the contacts published.
        public var changes = 0
        /// NOTIFYs, and how many of them were sent again.
        public var notifications = 0
        public var retransmissions = 0
        /// Bytes of the messages sent to the watcher, before compression.
        public var plainBytes = 0
        /// Bytes on the link towards the watcher, with the headers of IP and UDP.
        public var bytes = 0
        /// Bytes on the link from the watcher: its subscriptions and answers.
        public var bytesBack = 0
        /// Times the sleeping radio of the watcher was woken by us.
        public var wakeUps = 0
        /// Contacts whose state the watcher holds at the end is not the server's; messages that did not decompress, patches that did
        /// not apply.
        public var faults: [String] = []
    }

    /// Lives the day with the means of a stage.
    public func run(_ stage: Stage) -> Outcome {
        let run = PresenceDayRun(day: self, stage: stage)
        run.live()
        return run.outcome
    }
}
