import PresenceDocuments

/// What rules grant a watcher of the content of documents (RFC 5025 section 3.3): the union over all rules that match. Nothing granted
/// is the least, and only grants exist.
struct Permissions: Hashable, Sendable {
    var services = ComponentGrant<ServiceSelector>()
    var persons = ComponentGrant<OccurrenceSelector>()
    var devices = ComponentGrant<DeviceSelector>()
    var attributes: AttributeGrants = []
    var userInput = UserInputGrant.none
    /// `provide-unknown-attribute`.
    var unknownAttributes: Set<ExpandedName> = []
    /// `provide-all-attributes`.
    var allAttributes = false

    /// RFC 4745 section 10.2: booleans by or, sets by union, enumerations by maximum.
    mutating func formUnion(_ other: Permissions) {
        services.formUnion(other.services)
        persons.formUnion(other.persons)
        devices.formUnion(other.devices)
        attributes.formUnion(other.attributes)
        userInput = max(userInput, other.userInput)
        unknownAttributes.formUnion(other.unknownAttributes)
        allAttributes = allAttributes || other.allAttributes
    }
}

/// A set permission over the occurrences of one kind of data component (RFC 5025 section 3.3.1).
struct ComponentGrant<Selector: Hashable & Sendable>: Hashable, Sendable {
    /// `all-services`, `all-persons`, `all-devices`.
    var all = false
    var selectors: Set<Selector> = []

    mutating func formUnion(_ other: ComponentGrant) {
        all = all || other.all
        selectors.formUnion(other.selectors)
    }
}

/// Members of `provide-persons`.
enum OccurrenceSelector: Hashable, Sendable {
    case classLabel(String)
    case occurrence(String)
}

/// Members of `provide-devices`.
enum DeviceSelector: Hashable, Sendable {
    case deviceID(ComparableURI)
    case classLabel(String)
    case occurrence(String)
}

/// Members of `provide-services`.
enum ServiceSelector: Hashable, Sendable {
    case uri(ComparableURI)
    case uriScheme(String)
    case classLabel(String)
    case occurrence(String)
}

/// The boolean permissions of RFC 5025 sections 3.3.2.1 to 3.3.2.11 and 3.3.2.13.
struct AttributeGrants: OptionSet, Hashable, Sendable {
    let rawValue: UInt16

    static let activities = AttributeGrants(rawValue: 1 << 0)
    static let classLabel = AttributeGrants(rawValue: 1 << 1)
    static let deviceID = AttributeGrants(rawValue: 1 << 2)
    static let mood = AttributeGrants(rawValue: 1 << 3)
    static let placeIs = AttributeGrants(rawValue: 1 << 4)
    static let placeType = AttributeGrants(rawValue: 1 << 5)
    static let privacy = AttributeGrants(rawValue: 1 << 6)
    static let relationship = AttributeGrants(rawValue: 1 << 7)
    static let sphere = AttributeGrants(rawValue: 1 << 8)
    static let statusIcon = AttributeGrants(rawValue: 1 << 9)
    static let timeOffset = AttributeGrants(rawValue: 1 << 10)
    static let note = AttributeGrants(rawValue: 1 << 11)

    /// By the local name of the transformation element without `provide-`, which is that of the presence attribute too.
    static let named: [String: AttributeGrants] = [
        "activities": .activities, "class": .classLabel, "deviceID": .deviceID, "mood": .mood, "place-is": .placeIs,
        "place-type": .placeType, "privacy": .privacy, "relationship": .relationship, "sphere": .sphere,
        "status-icon": .statusIcon, "time-offset": .timeOffset, "note": .note,
    ]
}

/// `provide-user-input` (RFC 5025 section 3.3.2.12), with its numbers.
enum UserInputGrant: UInt8, Hashable, Comparable, Sendable {
    case none = 0
    case bare = 10
    case thresholds = 20
    case full = 30

    init?(_ text: String) {
        switch text {
        case "false": self = .none
        case "bare": self = .bare
        case "thresholds": self = .thresholds
        case "full": self = .full
        default: return nil
        }
    }

    static func < (a: UserInputGrant, b: UserInputGrant) -> Bool { a.rawValue < b.rawValue }
}
