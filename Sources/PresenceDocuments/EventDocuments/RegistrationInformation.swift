/// Who is registered where, `application/reginfo+xml` (RFC 3680, section 5).
public struct RegistrationInformation: Hashable, Sendable {
    public static let contentType = "application/reginfo+xml"

    /// Counts the documents of one subscription from 0, by one each time.
    public var version: UInt32
    public var state: InformationState
    public var registrations: [Registration]

    public init(version: UInt32, state: InformationState, registrations: [Registration]) {
        self.version = version
        self.state = state
        self.registrations = registrations
    }
}

/// One address-of-record with its contacts (RFC 3680, section 5.1).
public struct Registration: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        case initial = "init"
        case active, terminated
    }

    public var addressOfRecord: String
    /// Unique in all documents of one subscription.
    public var identifier: String
    public var state: State
    public var contacts: [RegisteredContact]

    public init(addressOfRecord: String, identifier: String, state: State, contacts: [RegisteredContact]) {
        self.addressOfRecord = addressOfRecord
        self.identifier = identifier
        self.state = state
        self.contacts = contacts
    }

    /// Whether somebody can be reached there.
    public var isReachable: Bool { state == .active && contacts.contains { $0.state == .active } }
}

/// One contact of a registration (RFC 3680, section 5.1).
public struct RegisteredContact: Hashable, Sendable {
    public enum State: String, Hashable, Sendable {
        case active, terminated
    }

    /// What led to the state (RFC 3680, section 4.7.1).
    public enum Event: String, Hashable, Sendable {
        case registered, created, refreshed, shortened, expired, deactivated, probation, unregistered, rejected
    }

    /// Unique in all documents of one subscription.
    public var identifier: String
    public var uri: String
    public var state: State
    public var event: Event
    public var displayName: String?
    /// Seconds that the contact has been bound.
    public var durationRegistered: UInt64?
    /// Seconds that it stays bound.
    public var expires: UInt64?
    /// Seconds after which to try again; with the event `probation` only.
    public var retryAfter: UInt64?
    /// The preference, as written in REGISTER.
    public var priority: String?
    public var callIdentifier: String?
    public var sequenceNumber: UInt64?
    /// Parameters of the Contact header field that have no attribute of their own.
    public var parameters: [Parameter]

    public struct Parameter: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    public init(
        identifier: String, uri: String, state: State, event: Event, displayName: String? = nil,
        durationRegistered: UInt64? = nil, expires: UInt64? = nil, retryAfter: UInt64? = nil, priority: String? = nil,
        callIdentifier: String? = nil, sequenceNumber: UInt64? = nil, parameters: [Parameter] = []
    ) {
        self.identifier = identifier
        self.uri = uri
        self.state = state
        self.event = event
        self.displayName = displayName
        self.durationRegistered = durationRegistered
        self.expires = expires
        self.retryAfter = retryAfter
        self.priority = priority
        self.callIdentifier = callIdentifier
        self.sequenceNumber = sequenceNumber
        self.parameters = parameters
    }
}
