import LinkProfiles
import PresenceDocuments

/// One source's document, as composition sees it.
struct ComposedSource {
    /// Whether the user published it; a local source speaks for the network and yields to the user.
    var isUsers: Bool
    var stated: Instant
    /// The `presence` element.
    var document: XMLElement
}

/// A data component of one source, with what decides between it and others about the same thing.
struct Statement {
    var isUsers: Bool
    /// When the statement was made: its own timestamp, or where it has none, or one from the future, when it was published.
    var made: Instant
    var element: XMLElement
    /// The source's place in the order of sources.
    var source: Int

    init(_ element: XMLElement, of source: ComposedSource, at place: Int) {
        isUsers = source.isUsers
        let own = Self.timestamp(of: element)
        made = own.map { min($0, source.stated) } ?? source.stated
        self.element = element
        self.source = place
    }

    private static func timestamp(of element: XMLElement) -> Instant? {
        for case .element(let child) in element.children
        where child.name == .timestamp || child.name == .dataTimestamp {
            return DateTime.instant(child.trimmedText)
        }
        return nil
    }

    /// Whether this statement counts more than the other: the user's before the network's, then the newer one. Where even that
    /// leaves a tie, the content decides, so that the outcome never depends on who came first.
    func outranks(_ other: Statement) -> Bool {
        if isUsers != other.isUsers { return isUsers }
        if made != other.made { return made > other.made }
        if element == other.element { return source < other.source }
        let writer = DocumentWriter(writesDeclaration: false)
        return writer.write(other.element).lexicographicallyPrecedes(writer.write(element))
    }
}
