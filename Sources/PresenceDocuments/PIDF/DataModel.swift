/// A `<person>` (RFC 4479, section 3.2): one view of the human being.
public struct PersonInformation: Hashable, Sendable {
    public let element: XMLElement
    /// The occurrence identifier.
    public let identifier: String

    /// - Throws: `DocumentFormatError` without `id`.
    public init(_ element: XMLElement) throws(DocumentFormatError) {
        identifier = try element.required("id")
        self.element = element
    }

    public var notes: [PresenceNote] {
        element.elements(named: ExpandedName(.dataModel, "note")).map(PresenceNote.init)
    }

    /// As written: a date and time of RFC 3339.
    public var timestamp: String? { element.firstElement(named: ExpandedName(.dataModel, "timestamp"))?.trimmedText }

    public var richPresence: RichPresence { RichPresence(element) }

    public var contactInformation: ContactInformation { ContactInformation(element) }
}

/// A `<device>` (RFC 4479, section 3.4).
public struct DeviceInformation: Hashable, Sendable {
    public let element: XMLElement
    /// The occurrence identifier, not to be taken for the device's own.
    public let identifier: String
    /// A URN that stays the same for the device.
    public let deviceIdentifier: String

    /// - Throws: `DocumentFormatError` without `id` or `<deviceID>`.
    public init(_ element: XMLElement) throws(DocumentFormatError) {
        identifier = try element.required("id")
        guard let device = element.firstElement(named: ExpandedName(.dataModel, "deviceID")) else {
            throw .missingElement("deviceID", in: "device")
        }
        deviceIdentifier = device.trimmedText
        self.element = element
    }

    public var notes: [PresenceNote] {
        element.elements(named: ExpandedName(.dataModel, "note")).map(PresenceNote.init)
    }

    public var timestamp: String? { element.firstElement(named: ExpandedName(.dataModel, "timestamp"))?.trimmedText }

    public var richPresence: RichPresence { RichPresence(element) }
}

/// What RFC 4482, section 3 says of a person: addresses of a card, a picture and so on.
public struct ContactInformation: Hashable, Sendable {
    private let element: XMLElement

    init(_ element: XMLElement) { self.element = element }

    private func text(_ name: String) -> String? {
        element.firstElement(named: ExpandedName(.cipid, name))?.trimmedText
    }

    public var card: String? { text("card") }
    public var displayName: String? { text("display-name") }
    public var homepage: String? { text("homepage") }
    public var icon: String? { text("icon") }
    public var map: String? { text("map") }
    public var sound: String? { text("sound") }
}

/// A status with the time that it holds for (RFC 4481, section 3).
public struct TimedStatus: Hashable, Sendable {
    public let element: XMLElement
    /// As written: a date and time of RFC 3339.
    public let from: String
    /// nil: for an unknown time.
    public let until: String?

    /// nil without the attribute `from`, which it has to have.
    init?(_ element: XMLElement) {
        guard let from = element[attribute: "from"] else { return nil }
        self.element = element
        self.from = from
        until = element[attribute: "until"]
    }

    public var basic: PresenceTuple.Basic? {
        element.firstElement(named: ExpandedName(.timedStatus, "basic")).flatMap {
            PresenceTuple.Basic(rawValue: $0.trimmedText)
        }
    }
}
