/// What RFC 4480 says of a service, a device or a person.
public struct RichPresence: Hashable, Sendable {
    private let element: XMLElement

    init(_ element: XMLElement) { self.element = element }

    private func child(_ name: String) -> XMLElement? { element.firstElement(named: ExpandedName(.rpid, name)) }

    /// The names of the elements in an element such as `<mood>`, its notes left out. They may be of other namespaces.
    private func values(in name: String) -> [ExpandedName] {
        guard let child = child(name) else { return [] }
        return child.elements.map(\.name).filter { $0 != ExpandedName(.rpid, "note") }
    }

    /// What the person is doing, such as `busy` or `on-the-phone` (section 3.2).
    public var activities: [ExpandedName] { values(in: "activities") }

    /// Whether the activities have one of the names of RFC 4480.
    public func isDoing(_ activity: String) -> Bool { activities.contains(ExpandedName(.rpid, activity)) }

    /// A label by which rules choose (section 3.3).
    public var classLabel: String? { child("class")?.trimmedText }

    /// Section 3.5.
    public var moods: [ExpandedName] { values(in: "mood") }

    /// The kind of place, by names of RFC 4589 (section 3.7).
    public var placeTypes: [ExpandedName] { values(in: "place-type") }

    /// What could be overheard or seen (section 3.8).
    public var privacy: [ExpandedName] { values(in: "privacy") }

    /// Whose service it is (section 3.9).
    public var relationships: [ExpandedName] { values(in: "relationship") }

    /// How a service is delivered (section 3.10).
    public var serviceClasses: [ExpandedName] { values(in: "service-class") }

    /// The state that rules may depend on, such as `work` (section 3.11): the name of the element in it, or its text.
    public var sphere: String? {
        guard let sphere = child("sphere") else { return nil }
        return sphere.elements.first { $0.name != ExpandedName(.rpid, "note") }?.name.local ?? sphere.trimmedText
    }

    /// The URI of a picture (section 3.12).
    public var statusIcon: String? { child("status-icon")?.trimmedText }

    /// Minutes from UTC (section 3.13).
    public var timeOffset: Int? { child("time-offset").flatMap { Int($0.trimmedText) } }

    /// Whether somebody is using it (section 3.14).
    public var userInput: UserInput? { child("user-input").flatMap(UserInput.init) }

    /// `<user-input>`
    public struct UserInput: Hashable, Sendable {
        public let isIdle: Bool
        /// Seconds without input after which it counts as idle.
        public let idleThreshold: UInt64?
        /// As written: a date and time of RFC 3339.
        public let lastInput: String?

        /// nil if it is neither `active` nor `idle`.
        init?(_ element: XMLElement) {
            switch element.trimmedText {
            case "active": isIdle = false
            case "idle": isIdle = true
            default: return nil
            }
            idleThreshold = element[attribute: "idle-threshold"].flatMap(XMLSchemaValue.unsigned)
            lastInput = element[attribute: "last-input"]
        }
    }
}

/// `<servcaps>`: what a service can do (RFC 5196, section 3.2).
public struct ServiceCapabilities: Hashable, Sendable {
    public let element: XMLElement

    init(_ element: XMLElement) { self.element = element }

    /// The capabilities that are there or not.
    public enum Feature: String, Hashable, Sendable {
        case application, audio, automata, control, data, isfocus, message, text, video
    }

    /// nil where nothing is said.
    public func has(_ feature: Feature) -> Bool? {
        element.firstElement(named: ExpandedName(.capabilities, feature.rawValue)).flatMap {
            XMLSchemaValue.boolean($0.stringValue)
        }
    }

    /// The SIP methods that are said to be supported; nil where nothing is said.
    public var supportedMethods: [String]? {
        element.firstElement(named: ExpandedName(.capabilities, "methods"))?
            .firstElement(named: ExpandedName(.capabilities, "supported"))
            .map { $0.elements.map(\.name.local) }
    }
}
