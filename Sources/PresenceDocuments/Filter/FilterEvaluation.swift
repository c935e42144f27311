extension FilterPath {
    /// What the expression selects, each once and in document order.
    ///
    /// - Parameter budget: how many nodes may be looked at.
    /// - Throws: `FilterError.tooLaborious`.
    public func evaluate(on root: XMLElement, budget: Int = 1_000_000) throws(FilterError) -> [FilterMatch] {
        var evaluation = FilterEvaluation(root: root, budget: budget)
        return try evaluation.matches(of: self)
    }

    /// The string values of what the expression selects, in document order.
    public func values(in root: XMLElement, budget: Int = 1_000_000) throws(FilterError) -> [String] {
        try evaluate(on: root, budget: budget).compactMap { root.value(of: $0) }
    }
}

extension XMLElement {
    /// The element at the end of a path below this one.
    public func descendant(at path: some Collection<Int>) -> XMLElement? {
        var element = self
        for index in path {
            guard element.children.indices.contains(index), let child = element.children[index].element else {
                return nil
            }
            element = child
        }
        return element
    }

    /// The string value of a match in this root element.
    public func value(of match: FilterMatch) -> String? {
        guard let element = descendant(at: match.path) else { return nil }
        guard let attribute = match.attribute else { return element.stringValue }
        return element.attributeValue(attribute)
    }
}

/// One evaluation, which counts the nodes that it looks at.
private struct FilterEvaluation {
    private let root: XMLElement
    private var budget: Int

    /// An element on the way, with its parent for `..`.
    private struct Context {
        let path: [Int]
        let element: XMLElement
        let parent: XMLElement?
    }

    init(root: XMLElement, budget: Int) {
        self.root = root
        self.budget = budget
    }

    private mutating func spend(_ nodes: Int) throws(FilterError) {
        budget -= nodes
        guard budget >= 0 else { throw .tooLaborious }
    }

    mutating func matches(of path: FilterPath) throws(FilterError) -> [FilterMatch] {
        // nil: the document itself.
        var contexts: [Context]?
        for step in path.steps { contexts = try follow(step, from: contexts) }
        if let attribute = path.attribute {
            if attribute.isAtAnyDepth { contexts = try descendants(of: contexts, includingSelf: true) }
            contexts?.removeAll { $0.element.attributeValue(attribute.name) == nil }
        }
        return (contexts ?? []).map { FilterMatch(path: $0.path, attribute: path.attribute?.name) }
    }

    private mutating func follow(_ step: FilterPath.Step, from contexts: [Context]?) throws(FilterError) -> [Context] {
        var candidates: [Context] = []
        if step.isAtAnyDepth {
            candidates = try descendants(of: contexts, includingSelf: false)
        } else if let contexts {
            for context in contexts { candidates += try children(of: context) }
            // Children of contexts inside each other.
            candidates.sort { $0.path.lexicographicallyPrecedes($1.path) }
        } else {
            candidates = [Context(path: [], element: root, parent: nil)]
        }
        if let name = step.name { candidates.removeAll { $0.element.name != name } }
        for predicate in step.predicates {
            var kept: [Context] = []
            for candidate in candidates where try holds(predicate, for: candidate) { kept.append(candidate) }
            candidates = kept
        }
        return candidates
    }

    private mutating func children(of context: Context) throws(FilterError) -> [Context] {
        try spend(context.element.children.count + 1)
        return context.element.children.enumerated().compactMap { index, child in
            child.element.map { Context(path: context.path + [index], element: $0, parent: context.element) }
        }
    }

    /// All elements below the contexts, which are in document order, each once and in document order.
    private mutating func descendants(of contexts: [Context]?, includingSelf: Bool) throws(FilterError) -> [Context] {
        var reached: [Context] = []
        guard let contexts else {
            try gather(Context(path: [], element: root, parent: nil), includingSelf: true, into: &reached)
            return reached
        }
        var outermost: [Int]?
        for context in contexts {
            // Those inside another come right behind it, and have been reached with it.
            if let outermost, context.path.starts(with: outermost) { continue }
            try gather(context, includingSelf: includingSelf, into: &reached)
            outermost = context.path
        }
        return reached
    }

    private mutating func gather(
        _ context: Context, includingSelf: Bool, into reached: inout [Context]
    ) throws(FilterError) {
        if includingSelf { reached.append(context) }
        for child in try children(of: context) { try gather(child, includingSelf: true, into: &reached) }
    }

    private mutating func holds(_ condition: FilterPath.Condition, for context: Context) throws(FilterError) -> Bool {
        switch condition {
        case .comparison(let comparison): return try holds(comparison, for: context)
        case .and(let one, let other):
            guard try holds(one, for: context) else { return false }
            return try holds(other, for: context)
        case .or(let one, let other):
            if try holds(one, for: context) { return true }
            return try holds(other, for: context)
        }
    }

    /// True if it is for any of the nodes that the operand selects (XPath 1.0, section 3.4).
    private mutating func holds(_ comparison: FilterPath.Comparison, for context: Context) throws(FilterError) -> Bool {
        for value in try values(of: comparison.operand, for: context) where comparison.holds(for: value) { return true }
        return false
    }

    private mutating func values(of operand: FilterPath.Operand, for context: Context) throws(FilterError) -> [String] {
        switch operand {
        case .context: return [try text(of: context.element)]
        // The document's string value is that of its root element.
        case .parent: return [try text(of: context.parent ?? root)]
        case .elements(let names):
            var values: [String] = []
            for element in try elements(names, below: context.element) { values.append(try text(of: element)) }
            return values
        case .attribute(let names, let attribute):
            return try elements(names, below: context.element).compactMap { $0.attributeValue(attribute) }
        }
    }

    private mutating func elements(_ names: [ExpandedName?], below element: XMLElement) throws(FilterError)
        -> [XMLElement]
    {
        var elements = [element]
        for name in names {
            var next: [XMLElement] = []
            for element in elements {
                try spend(element.children.count + 1)
                next += element.elements.filter { name == nil || $0.name == name }
            }
            elements = next
        }
        return elements
    }

    private mutating func text(of element: XMLElement) throws(FilterError) -> String {
        try spend(element.nodeCount)
        return element.stringValue
    }
}

extension FilterPath.Comparison {
    /// Strings are equal byte by byte; everything else is compared as numbers, and what is no number holds for nothing.
    fileprivate func holds(for text: String) -> Bool {
        switch (relation, value) {
        case (.equal, .string(let string)): return text == string
        case (.equal, .number(let number)): return Self.number(text) == number
        case (.less, _): return Self.number(text) < limit
        case (.greater, _): return Self.number(text) > limit
        }
    }

    private var limit: Double {
        switch value {
        case .number(let number): number
        case .string(let string): Self.number(string)
        }
    }

    /// XPath 1.0, section 4.4: a decimal number between white space, otherwise no number.
    private static func number(_ text: String) -> Double {
        var scanner = PathScanner(text.trimmingXMLWhitespace())
        guard let number = scanner.decimal(), scanner.isAtEnd else { return .nan }
        return number
    }
}
