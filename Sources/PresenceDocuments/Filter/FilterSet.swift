/// A filter document, `application/simple-filter+xml` (RFC 4661).
public struct FilterSet: Hashable, Sendable {
    public static let contentType = "application/simple-filter+xml"

    /// The event package that the filters are for; nil for the one that they come with.
    public var package: String?
    /// At least one, of different identifiers.
    public var filters: [Filter]

    public init(package: String? = nil, filters: [Filter]) {
        self.package = package
        self.filters = filters
    }
}

/// One `<filter>` (RFC 4661, section 3.4).
public struct Filter: Hashable, Sendable {
    /// What a filter applies to.
    public enum Resource: Hashable, Sendable {
        /// The resource that is subscribed to.
        case subscription
        case uri(String)
        /// All resources of a domain.
        case domain(String)
    }

    public var identifier: String
    public var resource: Resource
    /// Whether an existing filter of this identifier goes.
    public var isRemoval: Bool
    public var isEnabled: Bool
    /// What to deliver; nil for everything.
    public var content: FilterContent?
    /// When to deliver: when any of them fires; empty for always.
    public var triggers: [FilterTrigger]

    public init(
        identifier: String, resource: Resource = .subscription, isRemoval: Bool = false, isEnabled: Bool = true,
        content: FilterContent? = nil, triggers: [FilterTrigger] = []
    ) {
        self.identifier = identifier
        self.resource = resource
        self.isRemoval = isRemoval
        self.isEnabled = isEnabled
        self.content = content
        self.triggers = triggers
    }

    /// Whether it says something by itself. One that does not turns on, off or removes a filter that exists (section 3.4).
    public var isComplete: Bool { content != nil || !triggers.isEmpty }
}

/// `<what>`: which parts of a document to deliver (section 3.5).
public struct FilterContent: Hashable, Sendable {
    public enum Selection: Hashable, Sendable {
        case path(FilterPath)
        /// All elements of a namespace.
        case namespace(Namespace)
    }

    /// Added up. What a document needs to be valid is delivered as well.
    public var included: [Selection]
    /// Taken away again, where the document stays valid.
    public var excluded: [Selection]

    public init(included: [Selection] = [], excluded: [Selection] = []) {
        self.included = included
        self.excluded = excluded
    }
}

/// `<trigger>`: fires when all of its conditions hold (section 3.6).
public struct FilterTrigger: Hashable, Sendable {
    public enum Condition: Hashable, Sendable {
        /// The value has changed: from one, to another, by at least an amount.
        case changed(FilterPath, from: String?, to: String?, by: Double?)
        /// An element or attribute is there that was not.
        case added(FilterPath)
        /// One is not there any more.
        case removed(FilterPath)
    }

    /// At least one.
    public var conditions: [Condition]

    public init(conditions: [Condition]) { self.conditions = conditions }
}
