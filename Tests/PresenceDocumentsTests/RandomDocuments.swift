import PresenceDocuments

/// Documents of a few names, so that different ones have much in common, and changes of them. No schema has the names as elements
/// of their own.
struct RandomDocuments {
    var random: SeededGenerator
    /// Whether comments, processing instructions and texts between elements occur.
    var isMixed: Bool

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        isMixed = seed % 2 == 0
    }

    private static let names = [
        ExpandedName(.pidf, "tuple"), ExpandedName(.pidf, "note"), ExpandedName(.rpid, "unheard-of"),
        ExpandedName("plain"),
        ExpandedName("urn:x", "tuple"),
    ]

    private static let texts = ["open", "closed", " ", "\n  ", "a<b&c\"'>", "\r", "ü", "]]>"]

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[Int.random(in: 0..<choices.count, using: &random)]
    }

    mutating func element(depth: Int = 3) -> XMLElement {
        var element = XMLElement(pick(Self.names), prefix: pick(["", "p", "q"]))
        if chance(10) { element.declarations = [NamespaceDeclaration(prefix: pick(["", "p", "z"]), "urn:x")] }
        if chance(50) { element[attribute: "id"] = "i\(Int.random(in: 0..<6, using: &random))" }
        if chance(10) { element.setAttribute(ExpandedName(.rpid, "id"), prefix: "q", to: pick(Self.texts)) }
        if chance(10) { element.setAttribute(ExpandedName(.xml, "lang"), prefix: "xml", to: "de") }
        if chance(10) { element[attribute: "empty"] = "" }
        let count = depth > 0 ? Int.random(in: 0...5, using: &random) : 0
        for _ in 0..<count { append(node(depth: depth - 1), to: &element) }
        return element
    }

    private mutating func node(depth: Int) -> XMLNode {
        let kind = Int.random(in: 0..<10, using: &random)
        guard isMixed || kind < 6 else { return .element(element(depth: depth)) }
        switch kind {
        case 0..<5: return .element(element(depth: depth))
        case 5..<8: return .text(pick(Self.texts))
        case 8: return .comment(pick(["", "one", "two"]))
        default: return .processingInstruction(ProcessingInstruction(target: "t", data: pick(["", "one"])))
        }
    }

    /// Texts side by side would be one when read again.
    private func append(_ node: XMLNode, to element: inout XMLElement) {
        if case .text? = element.children.last, case .text = node { return }
        element.children.append(node)
    }

    /// The element with a few things changed in it.
    mutating func changed(_ element: XMLElement) -> XMLElement {
        var copy = element
        for _ in 0...Int.random(in: 0..<3, using: &random) { change(&copy, depth: 3) }
        return copy
    }

    private mutating func change(_ element: inout XMLElement, depth: Int) {
        if depth > 0, chance(70), let index = element.children.indices.randomElement(using: &random),
            case .element(var child) = element.children[index]
        {
            change(&child, depth: depth - 1)
            element.children[index] = .element(child)
            return
        }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: element[attribute: pick(["id", "k", "empty"])] = pick(["i1", "i9", "", "x y"])
        case 1: element[attribute: pick(["id", "k"])] = nil
        case 2: element.children.shuffle(using: &random)
        case 3:
            let index = Int.random(in: 0...element.children.count, using: &random)
            element.children.insert(node(depth: 1), at: index)
        case 4:
            if let index = element.children.indices.randomElement(using: &random) { element.children.remove(at: index) }
        default:
            if let index = element.children.indices.randomElement(using: &random) {
                element.children[index] = node(depth: 1)
            }
        }
        element.children = joined(element.children)
    }

    private func joined(_ nodes: [XMLNode]) -> [XMLNode] {
        nodes.reduce(into: []) { row, node in
            if case .text(let before)? = row.last, case .text(let text) = node {
                row[row.count - 1] = .text(before + text)
            } else {
                row.append(node)
            }
        }
    }
}
