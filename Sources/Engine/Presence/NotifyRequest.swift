import LinkProfiles
import Presence
import SIPCore
import SIPDialog

/// What a NOTIFY carries.
enum NotifyBody {
    case none
    /// A view's document, shared between all who have the same view.
    case presence(NotificationBody)
    case report([UInt8], StaticString)

    var isNothing: Bool {
        if case .none = self { true } else { false }
    }

    var count: Int {
        switch self {
        case .none: 0
        case .presence(let body): body.count
        case .report(let document, _): document.count
        }
    }
}

/// Writes one NOTIFY (RFC 6665 section 4.2.2). The dialog's packed parts are the template; what differs from one NOTIFY to the next
/// is patched in.
struct NotifyRequest {
    let subscription: Subscription
    let state: SubscriptionStateHeader
    let sequence: UInt32
    /// For SIP-ETag (RFC 5839 section 6.1); nil where nothing is shown.
    let tag: UInt64?
    let branch: [UInt8]

    init(
        _ subscription: Subscription, _ state: SubscriptionStateHeader, sequence: UInt32, tag: UInt64?,
        key: (UInt64, UInt64)
    ) {
        self.subscription = subscription
        self.state = state
        self.sequence = sequence
        self.tag = tag
        branch = Self.branch(of: subscription.localTag, sequence: sequence, key: key)
    }

    /// A function of dialog and CSeq: neither comes twice, so neither does the branch.
    static func branch(of localTag: UInt64, sequence: UInt32, key: (UInt64, UInt64)) -> [UInt8] {
        var hash = KeyedHash(key: key)
        hash.combine(localTag)
        hash.combine(UInt64(sequence))
        var writer = MessageWriter(capacity: 24)
        writer.append("z9hG4bKn")
        writer.appendHex(hash.finalize())
        return writer.bytes
    }

    func bytes(_ body: NotifyBody, contact: [UInt8], point: LocalPoint) -> [UInt8] {
        var via = MessageWriter(capacity: 80)
        via.append("SIP/2.0/")
        via.append(point.transport.viaToken)
        via.append(byte: 0x20)
        via.append(point.advertisedHost)
        via.append(byte: UInt8(ascii: ":"))
        via.append(decimal: point.advertisedPort)
        via.append(";rport;branch=")
        via.append(branch)
        var writer = MessageWriter(capacity: 384 + subscription.dialog.bytes.count + body.count)
        subscription.dialog.appendRequest(.notify, sequence: sequence, via: via.bytes, contact: contact, to: &writer)
        writer.append("Event: ")
        writer.append(subscription.package.token)
        if !subscription.eventID.isEmpty {
            writer.append(";id=")
            writer.append(subscription.eventID)
        }
        writer.append("\r\nSubscription-State: ")
        writer.append(state)
        writer.appendLineEnd()
        if let tag { writer.appendHeader(.sipETag, EntityTag(tag).text[...]) }
        return finish(body, &writer)
    }

    private func finish(_ body: NotifyBody, _ writer: inout MessageWriter) -> [UInt8] {
        switch body {
        case .none:
            return writer.finish()
        case .presence(let body):
            guard let format = body.format else { return writer.finish() }
            writer.appendHeader(.contentType, format.mediaType)
            writer.append("Content-Length: ")
            writer.append(decimal: body.count)
            writer.append("\r\n\r\n")
            body.append(to: &writer.bytes)
            return writer.bytes
        case .report(let document, let type):
            writer.appendHeader(.contentType, type)
            return writer.finish(body: document)
        }
    }
}
