public import PresenceDocuments

/// The filter that applies to what a watcher sees of a presentity (RFC 4661 section 3.4): what to show, and when. Two watchers whose
/// filters say the same share a view, whatever their filters are called.
struct WatcherFilter: Hashable, Sendable {
    private let content: FilterContent?
    private let triggers: [FilterTrigger]

    /// nil for a filter that says nothing.
    init?(_ filter: Filter) {
        guard filter.isEnabled, filter.isComplete else { return nil }
        content = filter.content
        triggers = filter.triggers
    }

    var hasTriggers: Bool { !triggers.isEmpty }

    /// What the filter leaves of a document; nil when that is nothing. A filter that costs too much to evaluate is ignored
    /// (RFC 4660 section 5.4).
    func content(of permitted: XMLElement) -> XMLElement? {
        guard let content else { return permitted }
        do {
            return try ContentFilter(content, budget: budget).apply(to: permitted)
        } catch {
            return permitted
        }
    }

    /// Whether a change is one to tell of: any of the triggers fires (RFC 4660 section 5.3.2).
    func isTriggered(from old: XMLElement, to new: XMLElement) -> Bool {
        guard hasTriggers else { return old != new }
        do {
            return try triggers.contains { try TriggerEvaluation(from: old, to: new, budget: budget).fires($0) }
        } catch {
            return true
        }
    }

    /// Nodes that all expressions of a filter together may look at.
    private static let totalBudget = 40_000

    /// Nodes that each expression may look at.
    private var budget: Int {
        let contents = (content?.included.count ?? 0) + (content?.excluded.count ?? 0)
        // A trigger looks at two documents.
        let conditions = triggers.reduce(0) { $0 + 2 * $1.conditions.count }
        return Self.totalBudget / max(1, contents + conditions)
    }
}

/// Why a filter document is not taken. The answer is 488 (RFC 4660 section 5.4); the filters before stay in force.
public enum FilterRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    case tooLarge
    case unreadable(DocumentError)
    case invalid(FilterError)
    /// For another event package.
    case wrongPackage(String)
    /// A filter that says nothing and turns on, off or removes none that exists.
    case emptyFilter(String)
    /// Two filters for the same resource or domain (RFC 4660 section 5.2).
    case sameResource(String)
    case tooManyFilters

    /// For a Warning header field.
    public var description: String {
        switch self {
        case .tooLarge: "the filter document is too long"
        case .unreadable(let error): "\(error)"
        case .invalid(let error): "\(error)"
        case .wrongPackage(let package): "the filters are for package \(package)"
        case .emptyFilter(let id): "filter \(id) has neither what nor trigger"
        case .sameResource(let resource): "more than one filter for \(resource)"
        case .tooManyFilters: "too many filters"
        }
    }
}
