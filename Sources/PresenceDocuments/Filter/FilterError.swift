/// Why a filter document is not taken, or a filter cannot be evaluated. SIP answers with 488 and says the reason (RFC 4660,
/// section 5.1).
public enum FilterError: Error, Hashable, Sendable {
    /// The root element is not `<filter-set>`.
    case notAFilterSet
    /// An element of the filter namespace where RFC 4661 has none.
    case unexpectedElement(String)
    case missingAttribute(element: String, attribute: String)
    case invalidAttribute(element: String, attribute: String)
    /// Two filters of the same `id`.
    case repeatedIdentifier(String)
    /// A filter with both `uri` and `domain`.
    case ambiguousResource(filter: String)
    /// A `<filter-set>` without `<filter>`, an `<ns-bindings>` without binding, a `<trigger>` without condition.
    case empty(element: String)
    /// An expression that the syntax of RFC 4661, section 5 does not allow; `position` counts its bytes.
    case invalidExpression(String, position: Int)
    /// A prefix without `<ns-binding>`.
    case unboundPrefix(String)
    /// More filters, steps or comparisons than `FilterLimits`.
    case tooComplex
    /// Evaluation looked at more nodes than allowed.
    case tooLaborious
}

extension FilterError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notAFilterSet: "the document is not a filter-set"
        case .unexpectedElement(let name): "unexpected element \(name)"
        case .missingAttribute(let element, let attribute): "\(element) without attribute \(attribute)"
        case .invalidAttribute(let element, let attribute): "invalid attribute \(attribute) of \(element)"
        case .repeatedIdentifier(let identifier): "more than one filter with id \(identifier)"
        case .ambiguousResource(let filter): "filter \(filter) has both uri and domain"
        case .empty(let element): "\(element) without content"
        case .invalidExpression(let text, let position): "invalid expression at \(position): \(text)"
        case .unboundPrefix(let prefix): "prefix \(prefix) is not bound"
        case .tooComplex: "the filters are too complex"
        case .tooLaborious: "the filters are too laborious"
        }
    }
}

/// What a filter document may claim of us.
public struct FilterLimits: Hashable, Sendable {
    /// Filters of one document.
    public var filters: Int
    /// Expressions of one document.
    public var expressions: Int
    /// Steps and comparisons of one expression.
    public var parts: Int

    public init(filters: Int = 64, expressions: Int = 256, parts: Int = 64) {
        self.filters = filters
        self.expressions = expressions
        self.parts = parts
    }

    public static let standard = FilterLimits()
}
