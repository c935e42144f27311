/// A presence document, `application/pidf+xml` (RFC 3863 with the data model of RFC 4479): typed reading of a tree that stays as it is.
public struct PresenceDocument: Hashable, Sendable {
    public static let contentType = "application/pidf+xml"

    /// The `<presence>` element.
    public let root: XMLElement
    /// The presentity's URI.
    public let entity: String
    /// The services, in document order.
    public let tuples: [PresenceTuple]
    /// Usually one; several are different views of the same person (RFC 4479, section 3.5).
    public let persons: [PersonInformation]
    public let devices: [DeviceInformation]

    /// - Throws: `DocumentFormatError` if RFC 3863, section 4.1 or RFC 4479, section 5 asks for something that is missing.
    public init(_ root: XMLElement) throws(DocumentFormatError) {
        guard root.name == ExpandedName(.pidf, "presence") else {
            throw .wrongRoot(expected: ExpandedName(.pidf, "presence"))
        }
        self.root = root
        entity = try root.required("entity")
        var tuples: [PresenceTuple] = []
        for element in root.elements(named: ExpandedName(.pidf, "tuple")) { tuples.append(try PresenceTuple(element)) }
        self.tuples = tuples
        var persons: [PersonInformation] = []
        for element in root.elements(named: ExpandedName(.dataModel, "person")) {
            persons.append(try PersonInformation(element))
        }
        self.persons = persons
        var devices: [DeviceInformation] = []
        for element in root.elements(named: ExpandedName(.dataModel, "device")) {
            devices.append(try DeviceInformation(element))
        }
        self.devices = devices
    }

    public init(_ document: XMLDocument) throws(DocumentFormatError) { try self.init(document.root) }

    /// Notes about the presentity.
    public var notes: [PresenceNote] { root.elements(named: ExpandedName(.pidf, "note")).map(PresenceNote.init) }

    /// Whether any service is open. A document without services says nothing about it and is not.
    public var isOpen: Bool { tuples.contains { $0.basic == .open } }
}

/// A text for people (RFC 3863, section 4.1.6).
public struct PresenceNote: Hashable, Sendable {
    public let text: String
    /// `xml:lang`
    public let language: String?

    init(_ element: XMLElement) {
        text = element.stringValue
        language = element.attributeValue(ExpandedName(.xml, "lang"))
    }
}
