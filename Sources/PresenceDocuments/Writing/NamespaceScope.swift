/// The namespace declarations in scope at one place of a document.
struct NamespaceScope {
    /// The nearest last; a declaration hides earlier ones of the same prefix.
    private(set) var declarations: [NamespaceDeclaration] = []
    /// Where the declarations of the element entered last begin.
    private var innermost = 0

    init(_ declarations: [NamespaceDeclaration] = []) { self.declarations = declarations }

    /// A place in the scope to go back to.
    struct Mark {
        fileprivate let count: Int
        fileprivate let innermost: Int
    }

    /// Takes in what the element declares, without what cannot be declared: `xml`, and prefixes for no namespace.
    mutating func enter(_ element: XMLElement) -> Mark {
        let mark = Mark(count: declarations.count, innermost: innermost)
        innermost = declarations.count
        for declaration in element.declarations
        where declaration.isDeclarable
            && !declarations[innermost...].contains(where: { $0.prefix == declaration.prefix })
        {
            declarations.append(declaration)
        }
        return mark
    }

    mutating func leave(to mark: Mark) {
        declarations.removeSubrange(mark.count...)
        innermost = mark.innermost
    }

    func declarations(since mark: Mark) -> ArraySlice<NamespaceDeclaration> { declarations[mark.count...] }

    /// The namespace that a prefix stands for; nil if nothing declares it. The empty prefix stands for no namespace by itself.
    func namespace(for prefix: String) -> Namespace? {
        if let declaration = declarations.last(where: { $0.prefix == prefix }) { return declaration.namespace }
        if prefix.isEmpty { return Namespace.none }
        return prefix == "xml" ? .xml : nil
    }

    /// The nearest prefix that stands for the namespace.
    func prefix(for namespace: Namespace, allowingDefault: Bool) -> String? {
        if namespace == .xml { return "xml" }
        return declarations.last { declaration in
            declaration.namespace == namespace && (allowingDefault || !declaration.prefix.isEmpty)
                && self.namespace(for: declaration.prefix) == namespace
        }?.prefix
    }

    /// The prefix to write an element's name with; declares one if it must. To be called right behind `enter`.
    mutating func prefix(forElement element: XMLElement) -> String {
        let wanted = element.name.namespace
        if namespace(for: element.prefix) == wanted { return element.prefix }
        if let prefix = prefix(for: wanted, allowingDefault: true) { return prefix }
        let ownDefault = declarations[innermost...].firstIndex { $0.prefix.isEmpty }
        if wanted == .none, let ownDefault {
            // Only a default namespace that is not declared here lets a name be in no namespace.
            declarations[ownDefault] = NamespaceDeclaration(.none)
            return ""
        }
        if wanted == .none || ownDefault == nil && element.prefix.isEmpty {
            declarations.append(NamespaceDeclaration(wanted))
            return ""
        }
        return declare(wanted, preferring: element.prefix)
    }

    /// The prefix to write an attribute's name with; declares one if it must.
    mutating func prefix(forAttribute attribute: XMLAttribute) -> String {
        let wanted = attribute.name.namespace
        if wanted == .none { return "" }
        if !attribute.prefix.isEmpty, namespace(for: attribute.prefix) == wanted { return attribute.prefix }
        return prefix(for: wanted, allowingDefault: false) ?? declare(wanted, preferring: attribute.prefix)
    }

    private mutating func declare(_ namespace: Namespace, preferring hint: String) -> String {
        var prefix = hint
        if !isFree(prefix), let conventional = Namespace.conventionalPrefixes[namespace] { prefix = conventional }
        var number = 0
        while !isFree(prefix) {
            number += 1
            prefix = "n\(number)"
        }
        declarations.append(NamespaceDeclaration(prefix: prefix, namespace))
        return prefix
    }

    private func isFree(_ prefix: String) -> Bool {
        !prefix.isEmpty && prefix != "xml" && prefix != "xmlns" && namespace(for: prefix) == nil
    }
}

extension NamespaceDeclaration {
    /// Whether Namespaces in XML 1.0, sections 3 and 5, lets it be written.
    var isDeclarable: Bool {
        prefix != "xml" && prefix != "xmlns" && namespace != .xmlns && namespace != .xml
            && (prefix.isEmpty || namespace != .none)
    }
}
