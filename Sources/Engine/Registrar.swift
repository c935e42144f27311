import LinkProfiles
import MessageStore
import Policy
import SIPCore

/// The registrar of RFC 3261 section 10.3, with Path (RFC 3327), Service-Route (RFC 3608) and outbound (RFC 5626 section 6).
///
/// A request is judged whole before anything changes, so that it takes effect completely or not at all. What it changes is in
/// force at once and named by an undo (``RegistrarOutcome``), for the commit is still to come.
final class Registrar {
    let locations: LocationService
    var configuration: RegistrarConfiguration
    let listeners: [LocalPoint]
    var pending = PendingRegistrations()

    /// - Parameter listeners: our listening points, indexed by ``Flow/listener``.
    init(
        locations: LocationService, listeners: [LocalPoint],
        configuration: RegistrarConfiguration = RegistrarConfiguration()
    ) {
        self.locations = locations
        self.listeners = listeners
        self.configuration = configuration
    }

    /// Judges and applies a REGISTER whose Request-URI is ours.
    /// - Parameters:
    ///   - flow: how it came.
    ///   - profile: link profile of the flow: minimum, maximum and default expiry, flow timer, compact form.
    ///   - authenticated: the user whose credentials it carries; nil when none are asked for.
    func register(
        _ request: SIPMessage, flow: Flow, profile: LinkProfile, authenticated: AuthenticatedUser?, at now: Instant
    ) -> RegistrarOutcome {
        do throws(RegistrationRefusal) {
            try refuseUnknownExtensions(request)
            let key = try addressOfRecord(of: request, authenticated)
            let registration = try Registration(request, flow: flow, profile: profile, configuration, at: now)
            let user = locations.user(key.user, host: key.host, in: request.bytes)
            switch registration.contacts {
            case .fetch:
                return fetched(user, registration)
            case .all:
                guard let user else { return fetched(nil, registration) }
                return try apply(planRemovalOfAll(user, registration), of: user, registration)
            case .some(let contacts):
                let plan = try plan(contacts, of: user, registration)
                guard let user = user ?? locations.addUser(key.user, host: key.host, in: request.bytes) else {
                    throw RegistrationRefusal(404)
                }
                return apply(plan, of: user, registration)
            }
        } catch {
            return RegistrarOutcome(status: error.status, reason: error.reason, tail: error.tail)
        }
    }

    /// The answer to a request that requires extensions we do not know (RFC 3261 section 10.3 step 2); nil when there are none.
    /// ``register(_:flow:profile:authenticated:at:)`` asks this too; before credentials are asked for it saves a round trip.
    func refusal(of request: SIPMessage) -> RegistrarOutcome? {
        do throws(RegistrationRefusal) {
            try refuseUnknownExtensions(request)
            return nil
        } catch {
            return RegistrarOutcome(status: error.status, reason: error.reason, tail: error.tail)
        }
    }

    /// RFC 3261 section 8.2.2.3.
    private func refuseUnknownExtensions(_ request: SIPMessage) throws(RegistrationRefusal) {
        guard request.contains(.require) else { return }
        let unknown = request.tokens(.require).filter { !["path", "outbound"].contains($0.lowercased()) }
        guard unknown.isEmpty else {
            throw RegistrationRefusal(420, tail: Array("Unsupported: \(unknown.joined(separator: ", "))\r\n".utf8))
        }
    }

    /// RFC 3261 section 10.3 steps 4 and 5.
    private func addressOfRecord(
        of request: SIPMessage, _ authenticated: AuthenticatedUser?
    ) throws(RegistrationRefusal) -> AddressOfRecordKey {
        guard let key = request.addressOfRecord(of: request.to.uri) else {
            throw RegistrationRefusal(400, "Address-of-Record Is No SIP URI")
        }
        guard !key.user.isEmpty else { throw RegistrationRefusal(404) }
        if let authenticated,
            !authenticated.isNamed(request[key.user], at: request[key.host], hasEscapes: key.hasEscapes)
        {
            throw RegistrationRefusal(403, "Credentials Are Not Of This Address-of-Record")
        }
        guard locations.serves(key.host, in: request.bytes) else { throw RegistrationRefusal(404) }
        return key
    }

    /// The answer to a request that changes nothing: the bindings as they are (RFC 3261 section 10.2.3).
    private func fetched(_ user: UserIndex?, _ registration: Registration) -> RegistrarOutcome {
        guard let user else {
            return RegistrarOutcome(status: 200, tail: registration.tail(bindings: nil, configuration))
        }
        return RegistrarOutcome(
            status: 200, tail: registration.tail(bindings: locations.bindings(of: user), configuration),
            awaitsCommit: pending.concern(user), user: user)
    }
}

/// Why a REGISTER is refused.
struct RegistrationRefusal: Error {
    let status: UInt16
    let reason: StaticString?
    /// Header fields the answer needs.
    let tail: [UInt8]

    init(_ status: UInt16, _ reason: StaticString? = nil, tail: [UInt8] = []) {
        self.status = status
        self.reason = reason
        self.tail = tail
    }
}
