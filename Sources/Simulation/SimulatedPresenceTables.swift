import MessageStore

/// What a ``SimulatedStore`` keeps of subscriptions, publications and documents.
struct SimulatedPresenceTables {
    private(set) var subscriptions: [SubscriptionNumber: StoredSubscription] = [:]
    private(set) var publications: [PublicationNumber: StoredPublication] = [:]
    private(set) var documents: [DocumentName: StoredDocument] = [:]
    private(set) var lastSubscription = SubscriptionNumber(0)
    private(set) var lastPublication = PublicationNumber(0)

    /// Finds what a command would break. `isNamed` says whether an address has its name by then.
    static func validate(
        _ command: PresenceCommand, isNamed: (AddressNumber) -> Bool
    ) throws(StoreFailure) {
        switch command {
        case .subscribe(let subscription):
            guard subscription.number.rawValue > 0, !subscription.event.isEmpty else {
                throw .misuse("subscription \(subscription.number.rawValue) has no number or no event package")
            }
            guard isNamed(subscription.resource) else {
                throw .misuse("subscription \(subscription.number.rawValue) names an unknown address")
            }
        case .publish(let publication):
            guard publication.number.rawValue > 0, !publication.entityTag.isEmpty else {
                throw .misuse("publication \(publication.number.rawValue) has no number or no entity-tag")
            }
            guard isNamed(publication.resource) else {
                throw .misuse("publication \(publication.number.rawValue) names an unknown address")
            }
        case .refresh(let number, let entityTag, _):
            if entityTag.isEmpty { throw .misuse("publication \(number.rawValue) is refreshed without an entity-tag") }
        case .put(let document):
            if document.name.application.isEmpty || document.name.name.isEmpty {
                throw .misuse("a document has no name")
            }
        case .renew, .unsubscribe, .unpublish, .remove:
            break
        }
    }

    mutating func apply(_ command: PresenceCommand) {
        switch command {
        case .subscribe(let subscription):
            subscriptions[subscription.number] = subscription
            lastSubscription = max(lastSubscription, subscription.number)
        case .renew(let number, let progress):
            subscriptions[number]?.progress = progress
        case .unsubscribe(let number):
            subscriptions[number] = nil
        case .publish(let publication):
            publications[publication.number] = publication
            lastPublication = max(lastPublication, publication.number)
        case .refresh(let number, let entityTag, let expiresAt):
            publications[number]?.entityTag = entityTag
            publications[number]?.expiresAt = expiresAt
        case .unpublish(let number):
            publications[number] = nil
        case .put(let document):
            documents[document.name] = document
        case .remove(let name):
            documents[name] = nil
        }
    }

    func visit<V: RecoveryVisitor>(into visitor: inout V) {
        for document in documents.values.sorted(by: { $0.name < $1.name }) { visitor.document(document) }
        for publication in publications.values.sorted(by: { $0.number < $1.number }) {
            visitor.publication(publication)
        }
        for subscription in subscriptions.values.sorted(by: { $0.number < $1.number }) {
            visitor.subscription(subscription)
        }
    }
}
