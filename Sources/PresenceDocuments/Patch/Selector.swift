/// A selector of RFC 5261: the restricted XPath that names one node of the document to patch (section 4.1 and the patterns of
/// section 8).
public struct Selector: Hashable, Sendable {
    /// Where the steps begin.
    enum Origin: Hashable, Sendable {
        /// The document itself, above its root element.
        case document
        /// `id('value')`
        case identified(String)
    }

    /// `name[...]` or `*[...]`
    struct Step: Hashable, Sendable {
        /// nil for `*`.
        var name: ExpandedName?
        var predicates: [Predicate] = []
    }

    enum Predicate: Hashable, Sendable {
        /// `[2]`
        case position(Int)
        /// `[@name='value']`
        case attribute(ExpandedName, String)
        /// `[name='value']`
        case child(ExpandedName, String)
        /// `[.='value']`
        case content(String)
    }

    /// What is selected of the element that the steps lead to.
    enum Target: Hashable, Sendable {
        case element
        case attribute(ExpandedName)
        /// `namespace::prefix`
        case namespace(String)
        case text(position: Int?)
        case comment(position: Int?)
        case processingInstruction(target: String?, position: Int?)
    }

    var origin: Origin
    var steps: [Step]
    var target: Target
}

/// Why a text is not a selector.
enum SelectorError: Error, Hashable {
    case syntax
    case unknownPrefix(String)
}
