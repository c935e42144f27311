/// Reads selectors by the grammar in RFC 5261, section 8, which has no white space between tokens.
struct SelectorParser {
    private var scanner: PathScanner
    private let scope: NamespaceScope

    /// `scope` has the declarations of the diff document at the patch operation (section 4.2.1).
    static func parse(_ text: String, in scope: NamespaceScope) throws(SelectorError) -> Selector {
        var parser = SelectorParser(scanner: PathScanner(text), scope: scope)
        return try parser.selector()
    }

    private mutating func selector() throws(SelectorError) -> Selector {
        _ = scanner.skip("/")
        var selector = Selector(origin: .document, steps: [], target: .element)
        if scanner.skip("id(") {
            selector.origin = .identified(scanner.literal() ?? "")
            guard scanner.skip(")") else { throw .syntax }
            if scanner.isAtEnd { return selector }
            guard scanner.skip("/") else { throw .syntax }
        }
        repeat {
            if let target = try childTarget() {
                selector.target = target
                break
            }
            selector.steps.append(try step())
        } while scanner.skip("/")
        guard scanner.isAtEnd else { throw .syntax }
        return selector
    }

    /// A last step that is not an element; nil, and nothing consumed, if the next step is one.
    private mutating func childTarget() throws(SelectorError) -> Selector.Target? {
        if scanner.skip("@") { return .attribute(try attributeName()) }
        if scanner.skip("namespace::") {
            guard let prefix = scanner.unqualifiedName() else { throw .syntax }
            return .namespace(prefix)
        }
        if scanner.skip("text()") { return .text(position: try position()) }
        if scanner.skip("comment()") { return .comment(position: try position()) }
        if scanner.skip("processing-instruction(") {
            let target = scanner.literal()
            guard scanner.skip(")") else { throw .syntax }
            return .processingInstruction(target: target, position: try position())
        }
        return nil
    }

    private mutating func position() throws(SelectorError) -> Int? {
        guard scanner.skip("[") else { return nil }
        guard let number = scanner.number(), scanner.skip("]") else { throw .syntax }
        return number
    }

    private mutating func step() throws(SelectorError) -> Selector.Step {
        var step = Selector.Step()
        if !scanner.skip("*") { step.name = try elementName() }
        while scanner.skip("[") {
            step.predicates.append(try predicate())
            guard scanner.skip("]") else { throw .syntax }
        }
        return step
    }

    private mutating func predicate() throws(SelectorError) -> Selector.Predicate {
        if let number = scanner.number() { return .position(number) }
        if scanner.skip("@") {
            let name = try attributeName()
            return .attribute(name, try comparedValue())
        }
        if scanner.skip(".") { return .content(try comparedValue()) }
        let name = try elementName()
        return .child(name, try comparedValue())
    }

    private mutating func comparedValue() throws(SelectorError) -> String {
        guard scanner.skip("="), let value = scanner.literal() else { throw .syntax }
        return value
    }

    /// A name without prefix is in the default namespace of the diff document (section 4.2.2).
    private mutating func elementName() throws(SelectorError) -> ExpandedName {
        guard let name = scanner.qualifiedName() else { throw .syntax }
        guard let namespace = scope.namespace(for: name.prefix) else { throw .unknownPrefix(name.prefix) }
        return ExpandedName(namespace, name.local)
    }

    private mutating func attributeName() throws(SelectorError) -> ExpandedName {
        guard let name = scanner.qualifiedName(), name.prefix != "xmlns", name.prefix != "" || name.local != "xmlns"
        else { throw .syntax }
        guard !name.prefix.isEmpty else { return ExpandedName(name.local) }
        guard let namespace = scope.namespace(for: name.prefix) else { throw .unknownPrefix(name.prefix) }
        return ExpandedName(namespace, name.local)
    }
}
