/// What is asked of an element and its children, and the usual changes.
extension XMLElement {
    /// The value of an attribute in no namespace; assigning nil removes it.
    public subscript(attribute attribute: String) -> String? {
        get { attributes.first { $0.name.local == attribute && $0.name.namespace == .none }?.value }
        set { setAttribute(ExpandedName(attribute), to: newValue) }
    }

    public func attributeValue(_ name: ExpandedName) -> String? {
        attributes.first { $0.name == name }?.value
    }

    public mutating func setAttribute(_ name: ExpandedName, prefix: String = "", to value: String?) {
        let index = attributes.firstIndex { $0.name == name }
        switch (index, value) {
        case (let index?, let value?): attributes[index].value = value
        case (let index?, nil): attributes.remove(at: index)
        case (nil, let value?): attributes.append(XMLAttribute(name, prefix: prefix, value: value))
        case (nil, nil): break
        }
    }

    /// The children that are elements, in document order.
    public var elements: some Sequence<XMLElement> & Sendable { children.lazy.compactMap(\.element) }

    public func elements(named name: ExpandedName) -> [XMLElement] {
        children.compactMap { node in
            if case .element(let element) = node, element.name == name { element } else { nil }
        }
    }

    public func firstElement(named name: ExpandedName) -> XMLElement? {
        for case .element(let element) in children where element.name == name { return element }
        return nil
    }

    /// The texts below this element, in document order: its string value in XPath 1.0.
    public var stringValue: String {
        if children.count == 1, case .text(let text) = children[0] { return text }
        var value = ""
        appendTexts(to: &value)
        return value
    }

    private func appendTexts(to value: inout String) {
        for child in children {
            switch child {
            case .text(let text): value += text
            case .element(let element): element.appendTexts(to: &value)
            case .comment, .processingInstruction: break
            }
        }
    }

    /// The string value without white space at its ends: how typed content such as a URI or a token is read.
    public var trimmedText: String { stringValue.trimmingXMLWhitespace() }

    public mutating func append(_ element: XMLElement) { children.append(.element(element)) }

    public mutating func removeElements(where condition: (XMLElement) throws -> Bool) rethrows {
        try children.removeAll { node in
            if case .element(let element) = node { try condition(element) } else { false }
        }
    }

    /// Changes every child element in place.
    public mutating func updateElements<Failure: Error>(
        _ update: (inout XMLElement) throws(Failure) -> Void
    ) throws(Failure) {
        for index in children.indices {
            guard case .element(var element) = children[index] else { continue }
            children[index] = .text("")  // The only other reference goes, so `element` changes in place.
            defer { children[index] = .element(element) }
            try update(&element)
        }
    }

    /// This element with the white space that only indents removed, at all depths: texts of nothing but white space between
    /// elements. What is inside an element without child elements is content and stays.
    public func withoutIndentation() -> XMLElement {
        guard children.contains(where: { $0.element != nil }) else { return self }
        var kept: [XMLNode] = []
        kept.reserveCapacity(children.count)
        var isChanged = false
        for child in children {
            switch child {
            case .element(let element):
                let stripped = element.withoutIndentation()
                isChanged = isChanged || !stripped.isIdentical(to: element)
                kept.append(.element(stripped))
            case .text where child.isWhitespace: isChanged = true
            case .text, .comment, .processingInstruction: kept.append(child)
            }
        }
        guard isChanged else { return self }
        var copy = self
        copy.children = kept
        return copy
    }

    /// The number of nodes of this element and all below it; attributes do not count.
    public var nodeCount: Int {
        children.reduce(1) { count, child in
            if case .element(let element) = child { count + element.nodeCount } else { count + 1 }
        }
    }

    /// 1 for an element without child elements.
    public var depth: Int {
        var deepest = 0
        for case .element(let element) in children { deepest = max(deepest, element.depth) }
        return deepest + 1
    }
}

extension String {
    func trimmingXMLWhitespace() -> String {
        let bytes = utf8
        guard let first = bytes.firstIndex(where: { !$0.isXMLWhitespace }),
            let last = bytes.lastIndex(where: { !$0.isXMLWhitespace })
        else { return "" }
        return first == bytes.startIndex && bytes.index(after: last) == bytes.endIndex
            ? self : String(self[first...last])
    }
}
