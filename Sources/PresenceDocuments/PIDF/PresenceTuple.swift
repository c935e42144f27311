/// A `<tuple>`: a service (RFC 3863, section 4.1.2; RFC 4479, section 3.3).
public struct PresenceTuple: Hashable, Sendable {
    /// The values of `<basic>`.
    public enum Basic: String, Hashable, Sendable {
        case open, closed
    }

    /// Where the service is reached.
    public struct Contact: Hashable, Sendable {
        public let uri: String
        /// In thousandths, 0 to 1000; 0, the lowest, where there is none or it is out of range (section 4.1.5).
        public let priority: Int
    }

    public let element: XMLElement
    public let identifier: String

    /// - Throws: `DocumentFormatError` without `id` or `<status>`.
    public init(_ element: XMLElement) throws(DocumentFormatError) {
        identifier = try element.required("id")
        guard element.firstElement(named: Self.statusName) != nil else { throw .missingElement("status", in: "tuple") }
        self.element = element
    }

    private static let statusName = ExpandedName(.pidf, "status")

    private var status: XMLElement? { element.firstElement(named: Self.statusName) }

    /// nil if there is none, or one that RFC 3863 does not know.
    public var basic: Basic? {
        status?.firstElement(named: ExpandedName(.pidf, "basic")).flatMap { Basic(rawValue: $0.trimmedText) }
    }

    /// The other status values that a processor takes that knows these names (section 4.2.3).
    public func statusExtensions(knowing isKnown: (ExpandedName) -> Bool) -> [XMLElement] {
        guard let status else { return [] }
        return status.elements.filter { element in
            element.name.namespace != .pidf && isKnown(element.name) && element.isUnderstood(knowing: isKnown)
        }
    }

    public var contact: Contact? {
        guard let contact = element.firstElement(named: ExpandedName(.pidf, "contact")) else { return nil }
        return Contact(
            uri: contact.trimmedText, priority: contact[attribute: "priority"].flatMap(Self.thousandths) ?? 0)
    }

    /// A decimal from 0 to 1 with at most three digits behind the point.
    private static func thousandths(_ text: String) -> Int? {
        let parts = text.trimmingXMLWhitespace().split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first, whole == "0" || whole == "1", parts.count <= 2 else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.utf8.count <= 3, fraction.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        let value = Int(String(whole) + fraction + String(repeating: "0", count: 3 - fraction.utf8.count))
        return value.flatMap { $0 <= 1000 ? $0 : nil }
    }

    /// The devices that the service runs on (RFC 4479, section 3.3.2).
    public var deviceIdentifiers: [String] {
        element.elements(named: ExpandedName(.dataModel, "deviceID")).map(\.trimmedText)
    }

    public var notes: [PresenceNote] { element.elements(named: ExpandedName(.pidf, "note")).map(PresenceNote.init) }

    /// As written: a date and time of RFC 3339.
    public var timestamp: String? { element.firstElement(named: ExpandedName(.pidf, "timestamp"))?.trimmedText }

    /// What the service can do (RFC 5196).
    public var capabilities: ServiceCapabilities? {
        element.firstElement(named: ExpandedName(.capabilities, "servcaps")).map(ServiceCapabilities.init)
    }

    /// Status to come or gone by (RFC 4481).
    public var timedStatuses: [TimedStatus] {
        element.elements(named: ExpandedName(.timedStatus, "timed-status")).compactMap(TimedStatus.init)
    }

    public var richPresence: RichPresence { RichPresence(element) }
}

extension XMLElement {
    /// Whether a processor that knows these names may take this element: nothing in it that must be understood is unknown
    /// (RFC 3863, section 4.2.3). What is inside an unknown element does not count, as that is passed over with it.
    public func isUnderstood(knowing isKnown: (ExpandedName) -> Bool) -> Bool {
        elements.allSatisfy { child in
            isKnown(child.name) ? child.isUnderstood(knowing: isKnown) : !child.mustBeUnderstood
        }
    }

    private var mustBeUnderstood: Bool {
        attributeValue(ExpandedName(.pidf, "mustUnderstand")).flatMap(XMLSchemaValue.boolean) ?? false
    }
}
