import LinkProfiles
import MessageStore
import Policy
import SIPCore

/// The registrar of RFC 3261 section 10.3, with Path (RFC 3327), Service-Route (RFC 3608) and outbound (RFC 5626 section 6).
final class Registrar {
    let locations: LocationService
    var configuration: RegistrarConfiguration
    var pending = PendingRegistrations()

    init(locations: LocationService, configuration: RegistrarConfiguration = RegistrarConfiguration()) {
        self.locations = locations
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
        RegistrarOutcome(status: 501)
    }

    /// The change was committed.
    func confirm(_ undo: RegistrationUndo) {}

    /// The change could not be committed: what it replaced is in force again. Says what that means for the user.
    func rollBack(_ undo: RegistrationUndo) -> RegistrationEffect { [] }

    /// Takes over a binding of the store. Connections have not survived the restart, UDP flows have: `listeners` tells which
    /// listening point has the transport and address the flow was written with. False when its user is unknown.
    @discardableResult
    func restore(_ stored: StoredBinding, listeners: [LocalPoint]) -> Bool { false }
}
