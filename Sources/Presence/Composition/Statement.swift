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
    /// The source's place in the order of sources, which is one of content, and the element's among those of the source.
    var source: Int
    var position: Int

    init(_ element: XMLElement, of source: ComposedSource, at place: Int, position: Int = 0) {
        isUsers = source.isUsers
        let own = Self.timestamp(of: element)
        made = own.map { min($0, source.stated) } ?? source.stated
        self.element = element
        self.source = place
        self.position = position
    }

    private static func timestamp(of element: XMLElement) -> Instant? {
        for case .element(let child) in element.children
        where child.name == .timestamp || child.name == .dataTimestamp {
            return DateTime.instant(child.trimmedText)
        }
        return nil
    }

    /// Whether this statement counts more than the other: the user's before the network's, then the newer one. Where even that
    /// leaves a tie, the order of sources decides, which does not depend on who came first.
    func outranks(_ other: Statement) -> Bool {
        if isUsers != other.isUsers { return isUsers }
        if made != other.made { return made > other.made }
        return (source, position) < (other.source, other.position)
    }
}
