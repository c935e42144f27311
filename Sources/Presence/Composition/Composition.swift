import PresenceDocuments

/// Makes one presence document of what all sources say. The rules are those of docs/presence-composition.md; the outcome is a function
/// of the sources alone, in whatever order they came.
struct Composition {
    let entity: String
    /// Whether and how registration state speaks (``RegistrationContribution``): nil, or whether there is a binding.
    let registered: Bool?
    let contribution: RegistrationContribution

    func compose(_ unordered: [ComposedSource]) -> XMLElement {
        let sources = ordered(unordered)
        var parts = Parts()
        for (place, source) in sources.enumerated() { parts.gather(source, at: place) }

        var identifiers = OccurrenceIdentifiers()
        var children: [XMLNode] = []
        for tuple in ServiceComposition.composed(parts.tuples) {
            children.append(.element(identifiers.claim(for: tuple)))
        }
        if let service = registrationService(besides: parts.tuples) {
            children.append(.element(identifiers.claim(for: service)))
        }
        children += parts.notes
        for component in DataComponentMerge.persons(parts.persons) + DataComponentMerge.devices(parts.devices) {
            children.append(.element(identifiers.claim(for: component)))
        }
        children += parts.extensions
        return root(of: children, from: sources)
    }

    /// A single source has declared all its namespaces in the form that the composed document has.
    private func root(of children: [XMLNode], from sources: [ComposedSource]) -> XMLElement {
        let entity = [XMLAttribute("entity", entity)]
        if sources.count == 1, !sources[0].document.declarations.isEmpty {
            return XMLElement(
                .presence, declarations: sources[0].document.declarations, attributes: entity, children: children)
        }
        return XMLElement(.presence, attributes: entity, children: children).declaringNamespacesHere()
    }

    /// By what they contain, not by when they came.
    private func ordered(_ sources: [ComposedSource]) -> [ComposedSource] {
        guard sources.count > 1 else { return sources }
        var keyed = sources.map { (key: SourceOrder($0), source: $0) }
        let counts = Dictionary(keyed.map { ($0.key, 1) }, uniquingKeysWith: +)
        for index in keyed.indices where counts[keyed[index].key] != 1 {
            keyed[index].key.content = DocumentWriter(writesDeclaration: false).write(keyed[index].source.document)
        }
        return keyed.sorted { $0.key < $1.key }.map(\.source)
    }

    private func registrationService(besides tuples: [Statement]) -> XMLElement? {
        guard let registered else { return nil }
        switch contribution {
        case .none: return nil
        case .untilPublished: guard tuples.isEmpty else { return nil }
        case .always: break
        }
        let basic = XMLElement(.basic, text: registered ? "open" : "closed")
        return XMLElement(
            .tuple, attributes: [XMLAttribute("id", "registration")],
            children: [
                .element(XMLElement(.status, children: [.element(basic)])),
                .element(XMLElement(.contact, text: entity)),
            ])
    }
}

/// The children of all sources' documents, by what they are.
private struct Parts {
    var tuples: [Statement] = []
    var persons: [Statement] = []
    var devices: [Statement] = []
    /// Of the one source whose notes count.
    var notes: [XMLNode] = []
    private var notesFrom: Statement?
    /// Elements of other namespaces below the root, each name from the one source that counts.
    var extensions: [XMLNode] { extensionsByName.flatMap(\.elements) }
    private var extensionsByName: [(name: ExpandedName, from: Statement, elements: [XMLNode])] = []

    mutating func gather(_ source: ComposedSource, at place: Int) {
        var sourceNotes: [XMLElement] = []
        var others: [XMLElement] = []
        for (position, node) in source.document.children.enumerated() {
            guard case .element(let element) = node else { continue }
            let statement = Statement(element, of: source, at: place, position: position)
            switch element.name {
            case .tuple: tuples.append(statement)
            case .person: persons.append(statement)
            case .device: devices.append(statement)
            case .note: sourceNotes.append(element)
            default: others.append(element)
            }
        }
        takeNotes(sourceNotes, of: source, at: place)
        takeExtensions(others, of: source, at: place)
    }

    private mutating func takeNotes(_ elements: [XMLElement], of source: ComposedSource, at place: Int) {
        guard let first = elements.first else { return }
        let statement = Statement(first, of: source, at: place)
        if let notesFrom, notesFrom.outranks(statement) { return }
        notesFrom = statement
        notes = elements.map { .element($0) }
    }

    private mutating func takeExtensions(_ elements: [XMLElement], of source: ComposedSource, at place: Int) {
        for element in elements {
            let statement = Statement(element, of: source, at: place)
            guard let index = extensionsByName.firstIndex(where: { $0.name == element.name }) else {
                extensionsByName.append((element.name, statement, [.element(element)]))
                continue
            }
            if extensionsByName[index].from.source == place {
                extensionsByName[index].elements.append(.element(element))
            } else if statement.outranks(extensionsByName[index].from) {
                extensionsByName[index] = (element.name, statement, [.element(element)])
            }
        }
    }
}

/// Where a source stands among others: the user's first, then by its component with the smallest id, which stays while the device
/// publishes on.
private struct SourceOrder: Hashable, Comparable {
    let isUsers: Bool
    /// The id, then what else of the component does not change with its state.
    private let component: [String]
    /// Of sources that are alike in everything else.
    var content: [UInt8] = []

    init(_ source: ComposedSource) {
        isUsers = source.isUsers
        var smallest: (id: String, element: XMLElement)?
        for case .element(let element) in source.document.children where element.isDataComponent {
            guard let id = element[attribute: "id"] else { continue }
            if smallest.map({ id < $0.id }) ?? true { smallest = (id, element) }
        }
        component =
            smallest.map { id, element in
                [id, element.text(of: .contact), element.text(of: .deviceID), element.text(of: .classLabel)]
            } ?? []
    }

    static func < (a: SourceOrder, b: SourceOrder) -> Bool {
        if a.isUsers != b.isUsers { return a.isUsers }
        if a.component != b.component { return a.component.lexicographicallyPrecedes(b.component) }
        return a.content.lexicographicallyPrecedes(b.content)
    }
}
