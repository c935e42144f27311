public import LinkProfiles

/// A durable step of presence. Steps on a subscription, publication or document that is not there do nothing.
public enum PresenceCommand: Hashable, Sendable {
    /// Writes a subscription, new or changed, under its number. Its resource has been named.
    case subscribe(StoredSubscription)
    /// Takes over what changes as a subscription is refreshed, decided on, or has used up its CSeqs.
    case renew(SubscriptionNumber, SubscriptionProgress)
    case unsubscribe(SubscriptionNumber)

    /// Writes a publication, new or with a new body, under its number. Its resource has been named.
    case publish(StoredPublication)
    /// Refreshes a publication (RFC 3903 section 6, step 6): a new entity-tag, the body as before.
    case refresh(PublicationNumber, entityTag: String, expiresAt: Instant)
    case unpublish(PublicationNumber)

    /// Writes a document, new or changed, under its name.
    case put(StoredDocument)
    case remove(DocumentName)
}

extension PresenceCommand: CustomStringConvertible {
    /// What happens to what, without contents.
    public var description: String {
        switch self {
        case .subscribe(let subscription): "subscribe \(subscription.number.rawValue)"
        case .renew(let number, _): "renew \(number.rawValue)"
        case .unsubscribe(let number): "unsubscribe \(number.rawValue)"
        case .publish(let publication): "publish \(publication.number.rawValue)"
        case .refresh(let number, _, _): "refresh \(number.rawValue)"
        case .unpublish(let number): "unpublish \(number.rawValue)"
        case .put(let document): "put \(document.name.application) of \(document.name.owner)"
        case .remove(let name): "remove \(name.application) of \(name.owner)"
        }
    }
}
