public import MessageStore

/// Which subscriptions or publications an operator asks for; all conditions must hold.
public struct PresenceQuery: Hashable, Sendable {
    /// The address-of-record that is watched or published for.
    public var resource: String?
    /// The watcher, or who publishes.
    public var person: String?
    /// Only records with a higher number.
    public var after: Int64
    /// At most so many.
    public var limit: Int?

    public init(resource: String? = nil, person: String? = nil, after: Int64 = 0, limit: Int? = nil) {
        self.resource = resource
        self.person = person
        self.after = after
        self.limit = limit
    }

    func conditions(number: String, resource resourceColumn: String, person personColumn: String) -> String {
        var conditions = ["\(number) > ?1"]
        if resource != nil { conditions.append("\(resourceColumn) IN (SELECT number FROM address WHERE aor = ?2)") }
        if person != nil { conditions.append("\(personColumn) = ?3") }
        return " WHERE \(conditions.joined(separator: " AND ")) ORDER BY \(number) LIMIT ?4"
    }

    func bind(to statement: PreparedStatement, limit: Int) {
        statement.bind(1, after)
        if let resource { statement.bind(2, copyOf: resource) }
        if let person { statement.bind(3, copyOf: person) }
        statement.bind(4, max(0, limit))
    }
}

/// A subscription with the name of what it watches.
public struct SubscriptionRecord: Hashable, Sendable {
    public var resource: String
    public var subscription: StoredSubscription
}

/// A publication with the name of whom it is for.
public struct PublicationRecord: Hashable, Sendable {
    public var resource: String
    public var publication: StoredPublication
}
