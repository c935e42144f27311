/// Turns an edit into patch operations, from the first child to the last. Each operation's selector is made for the document as the
/// operations before it have left it.
struct DifferenceEmitter {
    let style: SelectorStyle
    private(set) var operations: [PatchOperation] = []

    init(style: SelectorStyle) { self.style = style }

    mutating func emit(
        _ edit: ElementEdit, from old: XMLElement, to new: XMLElement, at path: [Selector.Step]
    ) {
        var row = Siblings(old: old.children, new: new.children, style: style)
        for move in edit.moves { emit(move, &row, at: path) }
        // At last, as they may change what the element is known by.
        for attribute in edit.attributes { emit(attribute, at: path) }
    }

    private mutating func add(_ path: [Selector.Step], _ target: Selector.Target, _ action: PatchOperation.Action) {
        operations.append(
            PatchOperation(selector: Selector(origin: .document, steps: path, target: target), action: action))
    }

    private mutating func add(_ path: [Selector.Step], _ node: Siblings.Reference, _ action: PatchOperation.Action) {
        switch node {
        case .element(let step): add(path + [step], .element, action)
        case .other(let target): add(path, target, action)
        }
    }

    private mutating func emit(_ edit: ElementEdit.AttributeEdit, at path: [Selector.Step]) {
        switch edit {
        case .add(let attribute): add(path, .element, .addAttribute(attribute))
        case .replace(let name, let value):
            add(path, .attribute(name), .replace(value.isEmpty ? [] : [.text(value)]))
        case .remove(let name): add(path, .attribute(name), .remove(whitespace: .none))
        }
    }

    private mutating func emit(_ move: ElementEdit.Move, _ row: inout Siblings, at path: [Selector.Step]) {
        switch move {
        case .keep: row.advance(old: 1, new: 1)
        case .modify(let edit):
            if case .element(let old) = row.nextOld, case .element(let new) = row.nextNew,
                case .element(let step) = row.reference(toNext: 0)
            {
                emit(edit, from: old, to: new, at: path + [step])
            }
            row.advance(old: 1, new: 1)
        case .replace:
            add(path, row.reference(toNext: 0), .replace([row.nextNew]))
            row.advance(old: 1, new: 1)
        case .remove(let whitespace):
            let preceding = whitespace.includesPreceding ? 1 : 0
            add(path, row.reference(toNext: preceding), .remove(whitespace: whitespace))
            row.advance(old: 1 + preceding + (whitespace.includesFollowing ? 1 : 0), new: 0)
        case .insert(let count):
            let nodes = row.nextNew(count)
            if row.isAtEndOfOld {
                add(path, .element, .addNodes(nodes, .append))
            } else if row.isAtStart {
                add(path, .element, .addNodes(nodes, .prepend))
            } else {
                add(path, row.reference(toNext: 0), .addNodes(nodes, .before))
            }
            row.advance(old: 0, new: count)
        }
    }
}

/// Children half changed: the new ones so far, then the old ones that are left.
private struct Siblings {
    private let old: [XMLNode]
    private let new: [XMLNode]
    private let style: SelectorStyle
    private var oldIndex = 0
    private var newIndex = 0

    enum Reference {
        case element(Selector.Step)
        case other(Selector.Target)
    }

    init(old: [XMLNode], new: [XMLNode], style: SelectorStyle) {
        self.old = old
        self.new = new
        self.style = style
    }

    var isAtStart: Bool { newIndex == 0 }
    var isAtEndOfOld: Bool { oldIndex == old.count }
    var nextOld: XMLNode { old[oldIndex] }
    var nextNew: XMLNode { new[newIndex] }

    func nextNew(_ count: Int) -> [XMLNode] { Array(new[newIndex..<(newIndex + count)]) }

    mutating func advance(old: Int, new: Int) {
        oldIndex += old
        newIndex += new
    }

    /// How to select the old child that comes `offset` behind the next one.
    func reference(toNext offset: Int) -> Reference {
        let node = old[oldIndex + offset]
        switch node {
        case .element(let element): return .element(step(to: element, offset))
        case .text: return .other(.text(position: position(offset) { $0.text != nil }))
        case .comment:
            return .other(.comment(position: position(offset) { if case .comment = $0 { true } else { false } }))
        case .processingInstruction:
            return .other(
                .processingInstruction(
                    target: nil,
                    position: position(offset) { if case .processingInstruction = $0 { true } else { false } }))
        }
    }

    /// The position among the children that meet the condition, counted from 1; nil for the only one.
    private func position(_ offset: Int, _ condition: (XMLNode) -> Bool) -> Int? {
        let before =
            new[..<newIndex].count(where: condition) + old[oldIndex..<(oldIndex + offset)].count(where: condition)
        let isAlone = before == 0 && !old[(oldIndex + offset + 1)...].contains(where: condition)
        return isAlone ? nil : before + 1
    }

    private func step(to element: XMLElement, _ offset: Int) -> Selector.Step {
        guard let position = position(offset, { $0.element != nil }) else { return Selector.Step() }
        if style == .identified, let identifier = element[attribute: "id"], isUnique(identifier) {
            return Selector.Step(predicates: [.attribute(ExpandedName("id"), identifier)])
        }
        return Selector.Step(predicates: [.position(position)])
    }

    /// Whether one child only has the identifier, and it can be written in a selector.
    private func isUnique(_ identifier: String) -> Bool {
        guard !identifier.contains("'") || !identifier.contains("\"") else { return false }
        func has(_ node: XMLNode) -> Bool { node.element?[attribute: "id"] == identifier }
        return new[..<newIndex].count(where: has) + old[oldIndex...].count(where: has) == 1
    }
}
