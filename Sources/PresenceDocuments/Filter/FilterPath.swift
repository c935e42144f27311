/// An expression that selects elements or attributes: the subset of XPath 1.0 in RFC 4661, section 5.
public struct FilterPath: Hashable, Sendable {
    /// The steps to elements, from the document on; empty only if attributes of any element are selected (`//@name`).
    var steps: [Step]
    /// The attribute that is selected of the elements; nil if they are selected themselves.
    var attribute: AttributeStep?
    /// The expression as it was written, without white space at its ends.
    public let text: String

    struct Step: Hashable, Sendable {
        /// Whether the step follows `//`: it looks at all levels below.
        var isAtAnyDepth: Bool
        /// nil for `*`.
        var name: ExpandedName?
        /// All of them hold for what is selected.
        var predicates: [Condition]
    }

    struct AttributeStep: Hashable, Sendable {
        var isAtAnyDepth: Bool
        var name: ExpandedName
    }

    /// A condition in square brackets.
    indirect enum Condition: Hashable, Sendable {
        case comparison(Comparison)
        case and(Condition, Condition)
        case or(Condition, Condition)
    }

    struct Comparison: Hashable, Sendable {
        /// What is compared, seen from the element that the condition is about.
        var operand: Operand
        var relation: Relation
        var value: Value
    }

    enum Operand: Hashable, Sendable {
        /// `.`
        case context
        /// `..`
        case parent
        /// `a/*/b`; nil stands for `*`.
        case elements([ExpandedName?])
        /// `a/b/@name`
        case attribute([ExpandedName?], ExpandedName)
    }

    enum Relation: Hashable, Sendable {
        case equal, less, greater
    }

    enum Value: Hashable, Sendable {
        case string(String)
        case number(Double)
    }

    /// Whether the expression selects attributes.
    public var selectsAttributes: Bool { attribute != nil }

    /// Whether it has conditions. RFC 4661 allows them in `<include>` and `<exclude>` only.
    public var hasConditions: Bool { steps.contains { !$0.predicates.isEmpty } }
}

/// Something that a `FilterPath` has selected.
public struct FilterMatch: Hashable, Sendable, Comparable {
    /// The way from the root element to the element: the index among all children at each level. Empty for the root element.
    public let path: [Int]
    /// The attribute that is selected of the element; nil if the element itself is.
    public let attribute: ExpandedName?

    /// In document order.
    public static func < (one: FilterMatch, other: FilterMatch) -> Bool {
        one.path.lexicographicallyPrecedes(other.path)
    }
}
