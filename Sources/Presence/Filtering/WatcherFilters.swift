import PresenceDocuments
import SIPCore

/// All filters of a subscription. They live as long as it does and are changed by the bodies of its SUBSCRIBE requests
/// (RFC 4660 sections 3.3.3 and 5.2.2).
struct WatcherFilters: Hashable, Sendable {
    private var filters: [Filter] = []

    private static let most = 64

    /// The one that applies to a resource: that for the resource itself before that for its domain (RFC 4660 section 3.3.2). Filters for
    /// other resources are ignored.
    func filter(for addressOfRecord: [UInt8]) -> WatcherFilter? {
        guard !filters.isEmpty else { return nil }
        let own = ComparableURI(addressOfRecord)
        let exact = filters.first { filter in
            switch filter.resource {
            case .subscription: true
            case .uri(let uri): ComparableURI(uri).matches(own)
            case .domain: false
            }
        }
        let wide = filters.first { $0.resource == .domain(own.domain) }
        return (exact ?? wide).flatMap { WatcherFilter($0) }
    }

    /// Takes in a filter document.
    ///
    /// - Throws: ``FilterRefusal``; the filters stay as they were.
    mutating func change(by body: [UInt8], of addressOfRecord: [UInt8], limit: Int) throws(FilterRefusal) {
        guard body.count <= limit else { throw .tooLarge }
        var changed = filters
        for filter in try Self.read(body).filters {
            let known = changed.firstIndex { $0.identifier == filter.identifier }
            if filter.isRemoval {
                if let known { changed.remove(at: known) }
            } else if !filter.isComplete {
                guard let known else { throw .emptyFilter(filter.identifier) }
                changed[known].isEnabled = filter.isEnabled
            } else if let known {
                changed[known] = filter
            } else {
                changed.append(filter)
            }
        }
        guard changed.count <= Self.most else { throw .tooManyFilters }
        try Self.checkResources(of: changed, addressOfRecord)
        filters = changed.map(Self.withCanonicalDomain)
    }

    private static func read(_ body: [UInt8]) throws(FilterRefusal) -> FilterSet {
        let document: XMLDocument
        do {
            document = try DocumentReader().read(body)
        } catch {
            throw .unreadable(error)
        }
        let set: FilterSet
        do {
            set = try FilterSet(document)
        } catch {
            throw .invalid(error)
        }
        guard set.package == nil || set.package == "presence" else { throw .wrongPackage(set.package ?? "") }
        return set
    }

    /// There is one filter for a resource or a domain.
    private static func checkResources(of filters: [Filter], _ addressOfRecord: [UInt8]) throws(FilterRefusal) {
        var seen: [ComparableURI] = []
        var domains: Set<String> = []
        for filter in filters {
            let uri: ComparableURI
            switch filter.resource {
            case .domain(let domain):
                guard domains.insert(domain.lowercased()).inserted else { throw .sameResource(domain) }
                continue
            case .subscription: uri = ComparableURI(addressOfRecord)
            case .uri(let text): uri = ComparableURI(text)
            }
            guard !seen.contains(where: { $0.matches(uri) }) else { throw .sameResource(filter.identifier) }
            seen.append(uri)
        }
    }

    private static func withCanonicalDomain(_ filter: Filter) -> Filter {
        guard case .domain(let domain) = filter.resource else { return filter }
        var canonical = filter
        canonical.resource = .domain(domain.lowercased())
        return canonical
    }
}
