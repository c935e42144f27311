extension FilterSet {
    /// Reads a filter document. Elements and attributes of other namespaces are passed over (RFC 4661, section 4).
    public init(_ document: XMLDocument, limits: FilterLimits = .standard) throws(FilterError) {
        var reader = FilterReader(limits: limits)
        self = try reader.filterSet(document.root)
    }
}

private struct FilterReader {
    private let limits: FilterLimits
    private var bindings: [String: Namespace] = [:]
    private var expressions = 0

    init(limits: FilterLimits) { self.limits = limits }

    mutating func filterSet(_ root: XMLElement) throws(FilterError) -> FilterSet {
        guard root.name == ExpandedName(.simpleFilter, "filter-set") else { throw .notAFilterSet }
        var filters: [Filter] = []
        for element in children(of: root) {
            switch element.name.local {
            case "ns-bindings" where filters.isEmpty && bindings.isEmpty: bindings = try readBindings(element)
            case "filter": filters.append(try filter(element))
            default: throw .unexpectedElement(element.name.local)
            }
            guard filters.count <= limits.filters else { throw .tooComplex }
        }
        guard !filters.isEmpty else { throw .empty(element: "filter-set") }
        var identifiers: Set<String> = []
        for filter in filters where !identifiers.insert(filter.identifier).inserted {
            throw .repeatedIdentifier(filter.identifier)
        }
        return FilterSet(package: root[attribute: "package"], filters: filters)
    }

    /// Those of the filter namespace.
    private func children(of element: XMLElement) -> [XMLElement] {
        element.elements.filter { $0.name.namespace == .simpleFilter }
    }

    private func readBindings(_ element: XMLElement) throws(FilterError) -> [String: Namespace] {
        var bindings: [String: Namespace] = [:]
        for binding in children(of: element) {
            guard binding.name.local == "ns-binding" else { throw .unexpectedElement(binding.name.local) }
            let prefix = try required("prefix", of: binding)
            guard bindings[prefix] == nil, bindings.count < limits.expressions else {
                throw .invalidAttribute(element: "ns-binding", attribute: "prefix")
            }
            bindings[prefix] = Namespace(try required("urn", of: binding).trimmingXMLWhitespace())
        }
        guard !bindings.isEmpty else { throw .empty(element: "ns-bindings") }
        return bindings
    }

    private func required(_ attribute: String, of element: XMLElement) throws(FilterError) -> String {
        guard let value = element[attribute: attribute] else {
            throw .missingAttribute(element: element.name.local, attribute: attribute)
        }
        return value
    }

    /// An `xs:boolean`.
    private func flag(_ attribute: String, of element: XMLElement, default absent: Bool) throws(FilterError) -> Bool {
        guard let value = element[attribute: attribute] else { return absent }
        guard let flag = XMLSchemaValue.boolean(value) else {
            throw .invalidAttribute(element: element.name.local, attribute: attribute)
        }
        return flag
    }

    private mutating func filter(_ element: XMLElement) throws(FilterError) -> Filter {
        let identifier = try required("id", of: element)
        var filter = Filter(
            identifier: identifier, isRemoval: try flag("remove", of: element, default: false),
            isEnabled: try flag("enabled", of: element, default: true))
        switch (element[attribute: "uri"], element[attribute: "domain"]) {
        case (nil, nil): break
        case (let uri?, nil): filter.resource = .uri(uri.trimmingXMLWhitespace())
        case (nil, let domain?): filter.resource = .domain(domain.trimmingXMLWhitespace())
        case (_?, _?): throw .ambiguousResource(filter: identifier)
        }
        for child in children(of: element) {
            switch child.name.local {
            case "what" where filter.content == nil && filter.triggers.isEmpty: filter.content = try content(child)
            case "trigger": filter.triggers.append(try trigger(child))
            default: throw .unexpectedElement(child.name.local)
            }
        }
        return filter
    }

    private mutating func content(_ element: XMLElement) throws(FilterError) -> FilterContent {
        var content = FilterContent()
        for child in children(of: element) {
            switch child.name.local {
            case "include" where content.excluded.isEmpty: content.included.append(try selection(child))
            case "exclude": content.excluded.append(try selection(child))
            default: throw .unexpectedElement(child.name.local)
            }
        }
        return content
    }

    private mutating func selection(_ element: XMLElement) throws(FilterError) -> FilterContent.Selection {
        switch element[attribute: "type"] {
        case nil, "xpath": return .path(try path(element))
        case "namespace":
            let uri = element.trimmedText
            guard !uri.isEmpty else { throw .empty(element: element.name.local) }
            return .namespace(Namespace(uri))
        default: throw .invalidAttribute(element: element.name.local, attribute: "type")
        }
    }

    private mutating func path(_ element: XMLElement) throws(FilterError) -> FilterPath {
        expressions += 1
        guard expressions <= limits.expressions else { throw .tooComplex }
        return try FilterPath(element.stringValue, bindings: bindings, parts: limits.parts)
    }

    private mutating func trigger(_ element: XMLElement) throws(FilterError) -> FilterTrigger {
        var trigger = FilterTrigger(conditions: [])
        for child in children(of: element) {
            let path = try reference(child)
            switch child.name.local {
            case "changed": trigger.conditions.append(try change(child, path))
            case "added": trigger.conditions.append(.added(path))
            case "removed": trigger.conditions.append(.removed(path))
            default: throw .unexpectedElement(child.name.local)
            }
        }
        guard !trigger.conditions.isEmpty else { throw .empty(element: "trigger") }
        return trigger
    }

    /// An expression without conditions: a trigger's is a `reference` of the syntax, not a `selection` (section 3.6).
    private mutating func reference(_ element: XMLElement) throws(FilterError) -> FilterPath {
        let path = try path(element)
        guard !path.hasConditions else { throw .invalidExpression(path.text, position: 0) }
        return path
    }

    private func change(_ element: XMLElement, _ path: FilterPath) throws(FilterError) -> FilterTrigger.Condition {
        var amount: Double?
        if let text = element[attribute: "by"] {
            guard let decimal = XMLSchemaValue.decimal(text) else {
                throw .invalidAttribute(element: "changed", attribute: "by")
            }
            amount = decimal
            // With an amount, the values have to be numbers too (section 3.6.1.4).
            for attribute in ["from", "to"] {
                guard let value = element[attribute: attribute] else { continue }
                guard XMLSchemaValue.decimal(value) != nil else {
                    throw .invalidAttribute(element: "changed", attribute: attribute)
                }
            }
        }
        return .changed(path, from: element[attribute: "from"], to: element[attribute: "to"], by: amount)
    }
}
