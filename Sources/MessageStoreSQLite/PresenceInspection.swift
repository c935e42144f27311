public import MessageStore

/// The operator's view of presence.
extension QueueInspector {
    /// Hands out matching subscriptions by number until there are no more or `body` returns false. Expired ones that the
    /// server has not removed yet are among them.
    public func forEachSubscription(
        _ query: PresenceQuery = PresenceQuery(), _ body: (SubscriptionRecord) throws -> Bool
    ) throws(StoreFailure) {
        try forEachPage(
            from: query.after, limit: query.limit,
            read: { database, after, limit in
                var query = query
                query.after = after
                return try PresenceReading(database: database, path: path).subscriptions(query, limit: limit)
            }, number: \.subscription.number.rawValue, body)
    }

    /// Hands out matching publications by number until there are no more or `body` returns false.
    public func forEachPublication(
        _ query: PresenceQuery = PresenceQuery(), _ body: (PublicationRecord) throws -> Bool
    ) throws(StoreFailure) {
        try forEachPage(
            from: query.after, limit: query.limit,
            read: { database, after, limit in
                var query = query
                query.after = after
                return try PresenceReading(database: database, path: path).publications(query, limit: limit)
            }, number: \.publication.number.rawValue, body)
    }

    /// Provisioned documents by application, owner and name.
    public func documents() throws(StoreFailure) -> [StoredDocument] {
        try read { try PresenceReading(database: $0, path: path).documents() }
    }

    /// Writes a document, new or changed; a server may run, but does not look for changes by itself.
    public func putDocument(_ document: StoredDocument) throws(StoreFailure) {
        try write(needing: [.accounts, .exclusive]) { try DocumentStatements($0, path: path).put(document) }
    }

    /// Whether there was such a document.
    public func removeDocument(_ name: DocumentName) throws(StoreFailure) -> Bool {
        try write(needing: [.accounts, .exclusive]) { try DocumentStatements($0, path: path).remove(name) }
    }
}
