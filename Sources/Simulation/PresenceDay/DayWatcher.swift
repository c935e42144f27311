import LinkProfiles
import PresenceDocuments
import SIPCore

/// The watcher's user agent: it subscribes to every contact, answers NOTIFYs and keeps the documents they carry.
struct DayWatcher {
    /// One subscription.
    private struct Subscription {
        var document: XMLElement?
        var version: UInt32?
        /// Tag and Contact of the server, for a refresh.
        var remoteTag = ""
        var remoteTarget = ""
        var isRefreshing = false
    }

    static let address = TransportAddress(ip: IPAddress(v4: 0x0a01_0001), port: 5_060)
    static let flow = Flow(transport: .udp, listener: 0, remote: address)

    private let stage: PresenceDay.Stage
    private let interval: TimeSpan
    private var subscriptions: [Subscription]
    private var answered: Set<[UInt8]> = []
    private(set) var notifications = 0
    private(set) var retransmissions = 0
    private(set) var faults: [String] = []
    private(set) var refreshed = 0

    init(contacts: Int, stage: PresenceDay.Stage, interval: TimeSpan) {
        self.stage = stage
        self.interval = interval
        subscriptions = Array(repeating: Subscription(), count: contacts)
    }

    // MARK: Subscribing

    func subscribe(to number: Int) -> [UInt8] { request(number, cseq: 1) }

    /// Asks for the full state of a contact, to compare it with what the notifications came to.
    mutating func refresh(_ number: Int) -> [UInt8] {
        subscriptions[number].isRefreshing = true
        return request(number, cseq: 2)
    }

    private func request(_ number: Int, cseq: Int) -> [UInt8] {
        let subscription = subscriptions[number]
        let target =
            subscription.remoteTarget.isEmpty ? "sip:contact\(number)@\(Scenario.domain)" : subscription.remoteTarget
        let filter = cseq == 1 && stage >= .filtered ? Self.filter : ""
        let rate = stage >= .limited ? ";max-rate=\(Self.rate(interval))" : ""
        let lines = [
            "SUBSCRIBE \(target) SIP/2.0",
            "Via: SIP/2.0/UDP 10.1.0.1:5060;rport;branch=z9hG4bKw\(number)x\(cseq)",
            "Max-Forwards: 70",
            "From: <sip:watcher@\(Scenario.domain)>;tag=w\(number)",
            "To: <sip:contact\(number)@\(Scenario.domain)>"
                + (subscription.remoteTag.isEmpty ? "" : ";tag=\(subscription.remoteTag)"),
            "Call-ID: day-\(number)@10.1.0.1",
            "CSeq: \(cseq) SUBSCRIBE",
            "Contact: <sip:watcher@10.1.0.1:5060>",
            "Event: presence\(rate)",
            "Accept: application/pidf+xml" + (stage >= .partial ? ", application/pidf-diff+xml" : ""),
            "Expires: 172800",
        ]
        let type = filter.isEmpty ? [] : ["Content-Type: application/simple-filter+xml"]
        return Array(
            ((lines + type + ["Content-Length: \(filter.utf8.count)"]).joined(separator: "\r\n") + "\r\n\r\n" + filter)
                .utf8)
    }

    /// Notifications a second, with six digits behind the point.
    private static func rate(_ interval: TimeSpan) -> String {
        let millionths = max(1, 1_000_000_000_000 / interval.microseconds)
        let digits = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - digits.count) + digits
    }

    private static let filter = """
        <?xml version="1.0" encoding="UTF-8"?>
        <filter-set xmlns="urn:ietf:params:xml:ns:simple-filter"><ns-bindings>\
        <ns-binding prefix="p" urn="urn:ietf:params:xml:ns:pidf"/>\
        <ns-binding prefix="d" urn="urn:ietf:params:xml:ns:pidf:data-model"/>\
        <ns-binding prefix="r" urn="urn:ietf:params:xml:ns:pidf:rpid"/></ns-bindings>\
        <filter id="1"><what>\
        <include type="xpath">/p:presence/p:tuple/p:status/p:basic</include>\
        <include type="xpath">/p:presence/p:tuple/p:contact</include>\
        <include type="xpath">/p:presence/d:person/r:activities</include>\
        </what></filter></filter-set>
        """

    // MARK: What comes

    /// Takes what arrived; the answer, if it wants one.
    mutating func received(_ bytes: [UInt8]) -> [UInt8]? {
        guard case .message(let message) = SIPMessage.parse(bytes) else {
            faults.append("the watcher cannot read what came")
            return nil
        }
        guard message.isRequest, message.method == .notify, let number = subscription(of: message) else {
            if message.statusCode >= 300 { faults.append("the server answered \(message.statusCode)") }
            return nil
        }
        if answered.insert(Array(message[message.topVia.branch])).inserted {
            notifications += 1
            subscriptions[number].remoteTag = message.text(message.from.tag)
            if let contact = message.first(.contact), let address = message.address(in: contact.value) {
                subscriptions[number].remoteTarget = message.text(address.uri)
            }
            take(message, number)
        } else {
            retransmissions += 1
        }
        return MessageWriter.response(to: message, status: 200)
    }

    private func subscription(of message: SIPMessage) -> Int? {
        let digits = message.text(message.callID).dropFirst("day-".count).prefix { $0.isNumber }
        return Int(digits).flatMap { subscriptions.indices.contains($0) ? $0 : nil }
    }

    private mutating func take(_ message: SIPMessage, _ number: Int) {
        guard !message.body.isEmpty else { return }
        do {
            let document = try DocumentReader().read(Array(message[message.body]))
            let type = message.first(.contentType).map { message.text($0.value) } ?? ""
            if type.hasPrefix(PartialPresence.contentType) {
                try take(try PartialPresence(document), number)
            } else {
                hold(document.root, number)
            }
        } catch {
            faults.append("contact \(number): \(error)")
        }
    }

    private mutating func take(_ partial: PartialPresence, _ number: Int) throws {
        if let last = subscriptions[number].version, let version = partial.version, version != last &+ 1 {
            if case .difference = partial.content { faults.append("contact \(number): a version is missing") }
        }
        subscriptions[number].version = partial.version
        switch partial.content {
        case .full(let presence):
            hold(presence, number)
        case .difference(let patch):
            guard let old = subscriptions[number].document else {
                faults.append("contact \(number): a difference before any state")
                return
            }
            subscriptions[number].document = try patch.apply(to: old)
        }
    }

    /// A full state: after a refresh it must be what the watcher holds already.
    private mutating func hold(_ presence: XMLElement, _ number: Int) {
        if subscriptions[number].isRefreshing {
            refreshed += 1
            if subscriptions[number].document != presence {
                faults.append("contact \(number): the watcher's state is not the server's")
            }
        }
        subscriptions[number].document = presence
    }
}
