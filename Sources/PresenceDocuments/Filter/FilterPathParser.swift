extension FilterPath {
    /// Reads an expression.
    ///
    /// - Parameters:
    ///   - bindings: the namespaces of the prefixes in `<ns-bindings>`. A name without prefix is in no namespace, as in XPath 1.0.
    ///   - parts: how many steps and comparisons there may be.
    /// - Throws: `FilterError`: `invalidExpression`, `unboundPrefix` or `tooComplex`.
    public init(
        _ text: String, bindings: [String: Namespace], parts: Int = FilterLimits.standard.parts
    ) throws(FilterError) {
        let trimmed = text.trimmingXMLWhitespace()
        var parser = FilterPathParser(text: trimmed, bindings: bindings, parts: parts)
        (steps, attribute) = try parser.selection()
        self.text = trimmed
    }
}

/// A parser by recursive descent for the ABNF of RFC 4661, section 5, with white space between tokens as in XPath, and with conditions
/// behind any step, as that RFC's examples have them.
private struct FilterPathParser {
    private let text: String
    private let bindings: [String: Namespace]
    private var scanner: PathScanner
    /// How many more steps and comparisons there may be.
    private var parts: Int

    init(text: String, bindings: [String: Namespace], parts: Int) {
        self.text = text
        self.bindings = bindings
        self.parts = parts
        scanner = PathScanner(text)
    }

    private var invalid: FilterError { .invalidExpression(text, position: scanner.position) }

    private mutating func skip(_ token: StaticString) -> Bool {
        scanner.skipWhitespace()
        return scanner.skip(token)
    }

    private mutating func count() throws(FilterError) {
        parts -= 1
        guard parts >= 0 else { throw .tooComplex }
    }

    mutating func selection() throws(FilterError) -> ([FilterPath.Step], FilterPath.AttributeStep?) {
        var steps: [FilterPath.Step] = []
        var attribute: FilterPath.AttributeStep?
        while attribute == nil, skip("/") {
            let isAtAnyDepth = scanner.skip("/")
            try count()
            if skip("@") {
                // The document itself has no attributes.
                guard isAtAnyDepth || !steps.isEmpty else { throw invalid }
                attribute = FilterPath.AttributeStep(isAtAnyDepth: isAtAnyDepth, name: try name())
            } else {
                steps.append(try step(isAtAnyDepth: isAtAnyDepth))
            }
        }
        scanner.skipWhitespace()
        guard scanner.isAtEnd, !steps.isEmpty || attribute != nil else { throw invalid }
        return (steps, attribute)
    }

    private mutating func step(isAtAnyDepth: Bool) throws(FilterError) -> FilterPath.Step {
        var step = FilterPath.Step(isAtAnyDepth: isAtAnyDepth, name: try nameOrAny(), predicates: [])
        while skip("[") {
            step.predicates.append(try disjunction())
            guard skip("]") else { throw invalid }
        }
        return step
    }

    /// nil for `*`.
    private mutating func nameOrAny() throws(FilterError) -> ExpandedName? {
        skip("*") ? nil : try name()
    }

    private mutating func name() throws(FilterError) -> ExpandedName {
        scanner.skipWhitespace()
        guard let name = scanner.qualifiedName() else { throw invalid }
        guard !name.prefix.isEmpty else { return ExpandedName(name.local) }
        if name.prefix == "xml" { return ExpandedName(.xml, name.local) }
        guard let namespace = bindings[name.prefix] else { throw .unboundPrefix(name.prefix) }
        return ExpandedName(namespace, name.local)
    }

    /// `and` binds closer than `or`, as in XPath.
    private mutating func disjunction() throws(FilterError) -> FilterPath.Condition {
        var condition = try conjunction()
        while skipKeyword("or") { condition = .or(condition, try conjunction()) }
        return condition
    }

    private mutating func conjunction() throws(FilterError) -> FilterPath.Condition {
        var condition = FilterPath.Condition.comparison(try comparison())
        while skipKeyword("and") { condition = .and(condition, .comparison(try comparison())) }
        return condition
    }

    private mutating func skipKeyword(_ keyword: StaticString) -> Bool {
        scanner.skipWhitespace()
        return scanner.skipKeyword(keyword)
    }

    private mutating func comparison() throws(FilterError) -> FilterPath.Comparison {
        try count()
        let operand = try operand()
        let relation: FilterPath.Relation
        if skip("=") {
            relation = .equal
        } else if skip("<") {
            relation = .less
        } else if skip(">") {
            relation = .greater
        } else {
            throw invalid
        }
        return FilterPath.Comparison(operand: operand, relation: relation, value: try value())
    }

    private mutating func operand() throws(FilterError) -> FilterPath.Operand {
        if skip("..") { return .parent }
        if skip(".") { return .context }
        var names: [ExpandedName?] = []
        repeat {
            if skip("@") { return .attribute(names, try name()) }
            try count()
            names.append(try nameOrAny())
        } while skip("/")
        return .elements(names)
    }

    private mutating func value() throws(FilterError) -> FilterPath.Value {
        scanner.skipWhitespace()
        if let literal = scanner.literal() { return .string(literal) }
        guard let number = scanner.decimal() else { throw invalid }
        return .number(number)
    }
}

extension PathScanner {
    /// A decimal number, with a minus sign or without (XPath 1.0, production 30).
    mutating func decimal() -> Double? {
        var digits = skip("-") ? "-" : ""
        let start = position
        if let whole = number() { digits += String(whole) }
        let isWhole = position > start
        if skip(".") {
            let fraction = fractionDigits()
            guard isWhole || !fraction.isEmpty else { return nil }
            digits += (isWhole ? "." : "0.") + (fraction.isEmpty ? "0" : fraction)
        } else if !isWhole {
            return nil
        }
        return Double(digits)
    }
}
