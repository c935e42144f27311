import LinkProfiles
import Policy
import SIPCore

/// A REGISTER as far as it can be judged without the bindings there are.
struct Registration {
    enum Contacts {
        /// No Contact: only tell (RFC 3261 section 10.2.3).
        case fetch
        /// `*` with Expires 0: remove all (section 10.2.2).
        case all
        case some([ContactRequest])
    }

    let request: SIPMessage
    let flow: Flow
    let profile: LinkProfile
    let now: Instant
    let contacts: Contacts
    /// Path values, comma separated; empty for none.
    let path: ArraySlice<UInt8>
    /// Whether a binding of one outbound flow is made by a user agent that speaks outbound.
    let usesOutbound: Bool

    init(
        _ request: SIPMessage, flow: Flow, profile: LinkProfile, _ configuration: RegistrarConfiguration,
        at now: Instant
    ) throws(RegistrationRefusal) {
        self.request = request
        self.flow = flow
        self.profile = profile
        self.now = now
        path = try Self.readPath(request, configuration)
        var contacts = try Self.readContacts(request, profile)
        usesOutbound = try Self.settleOutbound(&contacts, request)
        self.contacts = contacts
        try requireSecurity()
    }

    private static func readContacts(_ request: SIPMessage, _ profile: LinkProfile) throws(RegistrationRefusal)
        -> Contacts
    {
        let values = request.values(.contact)
        if values.isEmpty {
            guard !request.contains(.contact) else { throw RegistrationRefusal(400, "Contact Is Empty") }
            return .fetch
        }
        if values.contains(where: { request.equals($0, "*") }) {
            guard values.count == 1, request.expires == 0 else {
                throw RegistrationRefusal(400, "Contact * Stands Alone With Expires 0")
            }
            return .all
        }
        var contacts: [ContactRequest] = []
        contacts.reserveCapacity(values.count)
        for value in values {
            let contact = try ContactRequest(value, request)
            let seconds = contact.expires ?? request.expires
            contacts.append(try contact.expiring(after: seconds, profile))
        }
        return .some(contacts)
    }

    /// RFC 3327 section 5.3.
    private static func readPath(
        _ request: SIPMessage, _ configuration: RegistrarConfiguration
    ) throws(RegistrationRefusal) -> ArraySlice<UInt8> {
        guard request.contains(.path) else { return [] }
        guard
            configuration.acceptsUnsupportedPath || request.hasToken("path", in: .supported)
                || request.hasToken("path", in: .require)
        else { throw RegistrationRefusal(420, tail: Array("Unsupported: path\r\n".utf8)) }
        var path: [UInt8] = []
        for value in request.values(.path) {
            guard let address = request.address(in: value), request.addressOfRecord(of: address.uri) != nil else {
                throw RegistrationRefusal(400, "Path Is Malformed")
            }
            if !path.isEmpty { path.append(0x2C) }
            path.append(contentsOf: request[value].unfolded)
        }
        return path[...]
    }

    /// Decides whether `reg-id` counts, and takes it off the contacts where it does not (RFC 5626 section 6).
    private static func settleOutbound(
        _ contacts: inout Contacts, _ request: SIPMessage
    ) throws(RegistrationRefusal) -> Bool {
        guard case .some(var list) = contacts, list.contains(where: { $0.regID != 0 }) else { return false }
        let isSupported = request.hasToken("outbound", in: .supported) || request.hasToken("outbound", in: .require)
        if !firstHopSpeaksOutbound(request) {
            guard !isSupported else { throw RegistrationRefusal(439) }
            for index in list.indices { list[index].regID = 0 }
            contacts = .some(list)
            return false
        }
        guard list.count(where: { $0.seconds > 0 }) < 2 else {
            throw RegistrationRefusal(400, "One Contact Only With reg-id")
        }
        return isSupported
    }

    /// Whether we are the first hop, or the first Path value carries `ob`.
    private static func firstHopSpeaksOutbound(_ request: SIPMessage) -> Bool {
        if request.viaCount <= 1 { return true }
        guard let first = request.values(.path).first, let address = request.address(in: first),
            let key = request.addressOfRecord(of: address.uri)
        else { return false }
        return request.parameter("ob", in: key.parameters) != nil
    }

    /// A `sips` contact is taken only when everything on the way to it is `sips` (RFC 5630 section 5.2).
    private func requireSecurity() throws(RegistrationRefusal) {
        guard case .some(let list) = contacts, list.contains(where: { $0.isSecure && $0.seconds > 0 }) else { return }
        guard isSecure(request.requestURI) else {
            throw RegistrationRefusal(400, "SIPS Contact Needs SIPS Request-URI")
        }
        for address in request.addresses(.path) where !isSecure(address.uri) {
            throw RegistrationRefusal(400, "SIPS Contact Needs SIPS Path")
        }
    }

    private func isSecure(_ uri: ByteRange) -> Bool { request.addressOfRecord(of: uri)?.isSecure ?? false }
}
