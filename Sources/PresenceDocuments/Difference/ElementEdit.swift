/// How one element becomes another of the same name.
struct ElementEdit {
    var attributes: [AttributeEdit] = []
    /// What happens to the old children, from the first to the last.
    var moves: [Move] = []
    /// About how many bytes the operations take.
    var cost = 0

    enum AttributeEdit {
        case add(XMLAttribute)
        case replace(ExpandedName, value: String)
        case remove(ExpandedName)
    }

    /// A step through the old and the new children side by side.
    enum Move {
        /// The next old child is the next new one.
        case keep
        /// The next old element becomes the next new one by an edit of its own.
        case modify(ElementEdit)
        /// The next old child is replaced by the next new one, of the same type.
        case replace
        /// The next old child goes, with white space at its sides.
        case remove(PatchOperation.RemovedWhitespace)
        /// The next new children come in.
        case insert(Int)
    }
}

/// About how many bytes things take in a diff document. It is for comparing ways to the same end, so it need not be exact.
enum PatchCost {
    /// An operation with its selector and both tags, without content.
    static let operation = 60

    static func size(_ node: XMLNode) -> Int {
        switch node {
        case .element(let element): size(element)
        case .text(let text): text.utf8.count
        case .comment(let text): text.utf8.count + 7
        case .processingInstruction(let instruction): instruction.target.utf8.count + instruction.data.utf8.count + 5
        }
    }

    static func size(_ element: XMLElement) -> Int {
        var size = 2 * element.name.local.utf8.count + 5
        for attribute in element.attributes {
            size += attribute.name.local.utf8.count + attribute.value.utf8.count + 4
        }
        for child in element.children { size += Self.size(child) }
        return size
    }
}
