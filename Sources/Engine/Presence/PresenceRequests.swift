import LinkProfiles
import Policy
import Presence
import SIPCore

/// Who asks something of the Presence Application: a canonical address-of-record.
struct Requester {
    var uri: [UInt8]
    /// It hides its name (RFC 3323); rules for named watchers do not apply.
    var isAnonymous = false

    /// As rules see it.
    var identity: WatcherIdentity { isAnonymous ? .unauthenticated : WatcherIdentity(uri) }
}

/// Which requests are the Presence Application's, and who may make them.
extension Engine {
    /// Takes a request to one of our domains or to ourselves if it is about events. False: it is not, and is routed on.
    func presenceReceived(_ held: HeldRequest, _ uri: AddressOfRecordKey) -> Bool {
        guard configuration.presence.isEnabled else { return false }
        let request = held.request
        switch request.method {
        case .publish:
            publishReceived(held, uri)
        case .notify where uri.user.isEmpty && !request.to.tag.isEmpty:
            notifyReceived(held)
        case .subscribe where !request.to.tag.isEmpty:
            guard uri.user.isEmpty else { return false }
            refreshReceived(held)
        case .subscribe:
            guard let event = EventHeader(of: request) else {
                refuseSubscription(held, request.contains(.event) ? 400 : 489, headers: EventPackage.allowEvents)
                return true
            }
            guard let package = EventPackage(event, of: request) else {
                // A device of the user may know the package.
                if !uri.user.isEmpty, hasDevice(uri, in: request) { return false }
                refuseSubscription(held, 489, headers: EventPackage.allowEvents)
                return true
            }
            subscribeReceived(held, uri, package, event)
        default:
            return false
        }
        return true
    }

    private func hasDevice(_ uri: AddressOfRecordKey, in request: SIPMessage) -> Bool {
        guard let user = location.user(uri.user, host: uri.host, in: request.bytes) else { return false }
        return location.bindings(of: user).first(where: { $0.expiresAt > now }) != nil
    }

    /// Whose request it is; nil when it has been answered: challenged (RFC 6665 section 4.2.1.3 wants 401) or refused.
    func requester(of held: HeldRequest) -> Requester? {
        let request = held.request
        if isTrusted(held.flow) {
            standing = .known(user: 0)
            guard admitsIdentity(of: held) else { return nil }
            return Requester(uri: assertedIdentity(in: request) ?? senderIdentity(of: request))
        }
        guard configuration.authentication.isRequired else {
            guard admitsIdentity(of: held) else { return nil }
            return Requester(
                uri: senderIdentity(of: request), isAnonymous: IdentityPolicy.isAnonymous(request))
        }
        guard let user = authenticatedUser(of: held, as: .server) else { return nil }
        let judgement = IdentityPolicy.judge(request, authenticated: user)
        guard judgement == .own || judgement == .anonymous else {
            tally.identityMismatches += 1
            answer(held, 403)
            return nil
        }
        guard admitsIdentity(of: held) else { return nil }
        return Requester(
            uri: Array("sip:\(user.username)@\(user.domain)".utf8), isAnonymous: judgement == .anonymous)
    }

    /// The first SIP identity a trusted peer asserts (RFC 3325 section 9.1).
    private func assertedIdentity(in request: SIPMessage) -> [UInt8]? {
        guard request.contains(.pAssertedIdentity) else { return nil }
        for address in request.addresses(.pAssertedIdentity) {
            if let uri = request.canonicalAddressOfRecord(of: address.uri) { return uri }
        }
        return nil
    }

    /// The user the request is about; nil when there is no such user, which has been answered then.
    ///
    /// Where users have accounts only those exist; else everybody in our domains does.
    func subject(of held: HeldRequest, _ uri: AddressOfRecordKey) -> (user: UserIndex, addressOfRecord: [UInt8])? {
        let request = held.request
        guard !uri.user.isEmpty, location.serves(uri.host, in: request.bytes) else {
            answer(held, 404)
            return nil
        }
        if let user = location.user(uri.user, host: uri.host, in: request.bytes) {
            return (user, request.canonicalAddressOfRecord(uri))
        }
        let isKnown =
            !configuration.authentication.isRequired
            || accounts.contains(
                username: String(decoding: request[uri.user], as: UTF8.self),
                domain: String(decoding: request[uri.host], as: UTF8.self).lowercased())
        guard isKnown, let user = location.addUser(uri.user, host: uri.host, in: request.bytes) else {
            answer(held, 404)
            return nil
        }
        return (user, request.canonicalAddressOfRecord(uri))
    }

    /// The presentity of a user, with what its registrations say.
    func presentity(of user: UserIndex, _ addressOfRecord: [UInt8]) -> PresentityID {
        if let known = presence.agent.existingPresentity(for: addressOfRecord) { return known }
        let made = presence.agent.presentity(for: addressOfRecord)
        if location.bindings(of: user).first != nil { reportRegistrations(of: user, as: made) }
        return made
    }

    /// Extensions the request insists on that are not known here (RFC 3261 section 8.2.2.3); empty when there are none.
    func unknownExtensions(_ request: SIPMessage) -> [UInt8] {
        guard request.contains(.require) else { return [] }
        return Array("Unsupported: \(request.tokens(.require).joined(separator: ", "))\r\n".utf8)
    }

    /// What clients may send, for a 415.
    func accepting(_ types: StaticString) -> [UInt8] {
        var lines = MessageWriter(capacity: 96)
        lines.appendHeader(.accept, types)
        lines.appendHeader(.acceptEncoding, "identity")
        return lines.bytes
    }
}
