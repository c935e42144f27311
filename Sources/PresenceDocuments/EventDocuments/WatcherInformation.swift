/// Who watches what, `application/watcherinfo+xml` (RFC 3858).
public struct WatcherInformation: Hashable, Sendable {
    public static let contentType = "application/watcherinfo+xml"

    /// Counts the documents of one subscription from 0, by one each time.
    public var version: UInt32
    public var state: InformationState
    public var lists: [WatcherList]

    public init(version: UInt32, state: InformationState, lists: [WatcherList]) {
        self.version = version
        self.state = state
        self.lists = lists
    }
}

/// Whether a document has everything or only what has changed (RFC 3858, section 3; RFC 3680, section 5.1).
public enum InformationState: String, Hashable, Sendable {
    case full, partial
}

/// The watchers of one resource.
public struct WatcherList: Hashable, Sendable {
    /// A URI.
    public var resource: String
    /// The event package that is subscribed to.
    public var package: String
    public var watchers: [Watcher]

    public init(resource: String, package: String, watchers: [Watcher]) {
        self.resource = resource
        self.package = package
        self.watchers = watchers
    }
}

/// One subscription (RFC 3858, section 3).
public struct Watcher: Hashable, Sendable {
    /// The states of RFC 3857, section 4.7.1.
    public enum Status: String, Hashable, Sendable {
        case pending, active, waiting, terminated
    }

    /// What led to the state (RFC 3857, section 4.7.1).
    public enum Event: String, Hashable, Sendable {
        case subscribe, approved, deactivated, probation, rejected, timeout, giveup, noresource
    }

    /// A token, unique in all documents of one subscription.
    public var identifier: String
    /// The watcher's URI.
    public var uri: String
    public var status: Status
    public var event: Event
    public var displayName: String?
    /// Seconds from now until the subscription ends.
    public var expiration: UInt64?
    /// Seconds since the subscription began.
    public var durationSubscribed: UInt64?

    public init(
        identifier: String, uri: String, status: Status, event: Event, displayName: String? = nil,
        expiration: UInt64? = nil, durationSubscribed: UInt64? = nil
    ) {
        self.identifier = identifier
        self.uri = uri
        self.status = status
        self.event = event
        self.displayName = displayName
        self.expiration = expiration
        self.durationSubscribed = durationSubscribed
    }
}

extension WatcherInformation {
    private static func name(_ local: String) -> ExpandedName { ExpandedName(.watcherInfo, local) }

    /// - Throws: `DocumentFormatError`. Elements and attributes of other namespaces are passed over.
    public init(_ document: XMLDocument) throws(DocumentFormatError) {
        let root = document.root
        guard root.name == Self.name("watcherinfo") else { throw .wrongRoot(expected: Self.name("watcherinfo")) }
        version = try root.version()
        state = try root.required("state", as: InformationState.self)
        lists = []
        for list in root.elements(named: Self.name("watcher-list")) {
            var watchers: [Watcher] = []
            for watcher in list.elements(named: Self.name("watcher")) { watchers.append(try Watcher(watcher)) }
            lists.append(
                WatcherList(
                    resource: try list.required("resource"), package: try list.required("package"), watchers: watchers))
        }
    }

    public var document: XMLDocument {
        let lists = self.lists.map { list in
            XMLElement(
                Self.name("watcher-list"),
                attributes: [XMLAttribute("resource", list.resource), XMLAttribute("package", list.package)],
                children: list.watchers.map { .element($0.element(named: Self.name("watcher"))) })
        }
        let root = XMLElement(
            Self.name("watcherinfo"),
            attributes: [XMLAttribute("version", String(version)), XMLAttribute("state", state.rawValue)],
            children: lists.map { .element($0) })
        return XMLDocument(root: root.declaringNamespacesHere())
    }
}

extension Watcher {
    fileprivate init(_ element: XMLElement) throws(DocumentFormatError) {
        identifier = try element.required("id")
        uri = element.trimmedText
        status = try element.required("status", as: Status.self)
        event = try element.required("event", as: Event.self)
        displayName = element[attribute: "display-name"]
        expiration = try element.unsigned("expiration")
        durationSubscribed = try element.unsigned("duration-subscribed")
    }

    fileprivate func element(named name: ExpandedName) -> XMLElement {
        let attributes = [
            XMLAttribute("id", identifier), XMLAttribute("status", status.rawValue),
            XMLAttribute("event", event.rawValue),
            displayName.map { XMLAttribute("display-name", $0) },
            expiration.map { XMLAttribute("expiration", String($0)) },
            durationSubscribed.map { XMLAttribute("duration-subscribed", String($0)) },
        ]
        return XMLElement(name, attributes: attributes.compactMap { $0 }, text: uri)
    }
}
