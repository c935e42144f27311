import LinkProfiles
import Presence
import SIPCore
import SIPDialog

/// What a SUBSCRIBE says.
extension Engine {
    /// What the request asks for; nil when it has been answered.
    func subscriptionRequest(
        of held: HeldRequest, _ package: EventPackage, _ event: EventHeader
    ) -> SubscriptionRequest? {
        let request = held.request
        let limits = configuration.presence.subscriptions
        guard let life = life(asked: request.expires, limits) else {
            answer(held, 423, headers: Self.minimumExpires(limits))
            return nil
        }
        guard let formats = formats(accepted: request, package) else {
            answer(held, 406, headers: accepting(package.mediaType))
            return nil
        }
        var wanted = SubscriptionRequest(
            package: package, life: life, formats: formats, rates: event.rates, condition: condition(of: request))
        guard !request.body.isEmpty else { return wanted }
        guard request.body.count <= configuration.presence.bodyLimit else {
            answer(held, 413)
            return nil
        }
        guard package == .presence, !request.contains(.contentEncoding),
            request.equalsFolded(request.mediaType, "application/simple-filter+xml")
        else {
            answer(held, 415, headers: accepting("application/simple-filter+xml"))
            return nil
        }
        wanted.filter = Array(request[request.body])
        return wanted
    }

    /// What a life may be: nil where the one asked for is too short (423).
    private func life(asked: Int64, _ limits: LifeLimits) -> Int64? {
        guard asked >= 0 else { return limits.standard.microseconds / 1_000_000 }
        if asked > 0, asked < limits.minimum.microseconds / 1_000_000, asked < 3_600 { return nil }
        return min(asked, limits.maximum.microseconds / 1_000_000)
    }

    private static func minimumExpires(_ limits: LifeLimits) -> [UInt8] {
        var lines = MessageWriter(capacity: 32)
        lines.appendHeader(.minExpires, decimal: limits.minimum.microseconds / 1_000_000)
        return lines.bytes
    }

    /// The condition of RFC 5839 section 7.2. A tag that is none of ours is no condition that could hold.
    private func condition(of request: SIPMessage) -> NotificationCondition {
        switch SuppressIfMatch(of: request) {
        case .any: .any
        case .tag(let tag): EntityTag(request[tag]).map { .tag($0.rawValue) } ?? .none
        case nil: .none
        }
    }

    /// Formats of bodies the watcher takes (RFC 3856 section 6.5): the package's own where it names none. Nil when it takes none
    /// that there is.
    private func formats(accepted request: SIPMessage, _ package: EventPackage) -> AcceptedFormats? {
        guard request.contains(.accept) else { return .pidf }
        var formats = AcceptedFormats.pidf
        var isAcceptable = false
        for value in request.values(.accept) {
            let type = ByteRange(start: value.start, end: mediaTypeEnd(value, in: request))
            let takesAll = request.equals(type, "*/*") || request.equalsFolded(type, "application/*")
            if takesAll || request.equalsFolded(type, package.mediaType) { isAcceptable = true }
            if package == .presence, request.equalsFolded(type, "application/pidf-diff+xml") {
                formats.insert(.pidfDiff)
                isAcceptable = true
            }
        }
        return isAcceptable ? formats : nil
    }

    private func mediaTypeEnd(_ value: ByteRange, in request: SIPMessage) -> UInt32 {
        var end = value.start
        while end < value.end, request.bytes[Int(end)] != UInt8(ascii: ";"), request.bytes[Int(end)] > 0x20 { end += 1 }
        return end
    }
}
