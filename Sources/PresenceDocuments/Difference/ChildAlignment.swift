/// The cheapest way from one row of children to another, by dynamic programming over both rows.
///
/// A patched document never has two texts side by side: an operation that brings them together joins them, and then they cannot be
/// told apart any more. So a state in which the last new child and the next old child are texts is never entered.
struct ChildAlignment {
    private let old: [XMLNode]
    private let new: [XMLNode]
    /// Behind the equal children at the beginning.
    private let start: Int
    /// Before the equal children at the end.
    private let oldEnd: Int
    private let newEnd: Int
    private var steps: [Step]
    private(set) var cost = 0

    /// More pairs than this are not aligned.
    static let largestSize = 16_384

    /// The best way known to one state.
    private struct Step {
        var cost = Int.max
        var move: ElementEdit.Move = .keep
        var from = 0
    }

    init(old: [XMLNode], new: [XMLNode]) {
        self.old = old
        self.new = new
        var start = 0
        while start < min(old.count, new.count), old[start] == new[start] { start += 1 }
        var same = 0
        while same < min(old.count, new.count) - start, old[old.count - 1 - same] == new[new.count - 1 - same] {
            same += 1
        }
        self.start = start
        oldEnd = old.count - same
        newEnd = new.count - same
        steps = []
    }

    private var width: Int { newEnd - start + 1 }

    /// The number of pairs to compare.
    var size: Int { (oldEnd - start + 1) * width }

    /// The moves from the first child to the last; nil if there is no way without joining texts.
    mutating func moves(planner: inout DifferencePlanner) -> [ElementEdit.Move]? {
        var path = [ElementEdit.Move](repeating: .keep, count: start)
        if start < oldEnd || start < newEnd {
            guard let changes = changes(planner: &planner) else { return nil }
            path += changes
        }
        return path + [ElementEdit.Move](repeating: .keep, count: old.count - oldEnd)
    }

    /// A state is a place between two old and two new children, twice: outside of an insertion, and in one.
    private func state(_ oldIndex: Int, _ newIndex: Int, isInserting: Bool = false) -> Int {
        ((oldIndex - start) * width + newIndex - start) * 2 + (isInserting ? 1 : 0)
    }

    private mutating func changes(planner: inout DifferencePlanner) -> [ElementEdit.Move]? {
        steps = [Step](repeating: Step(), count: size * 2)
        steps[0].cost = 0
        let sizes = new[start..<newEnd].map(PatchCost.size)
        let oldHashes = old[start..<oldEnd].map(\.hashValue)
        let newHashes = new[start..<newEnd].map(\.hashValue)
        for oldIndex in start...oldEnd {
            for newIndex in start...newEnd {
                let nextSize = newIndex < newEnd ? sizes[newIndex - start] : 0
                insert(oldIndex, newIndex, size: nextSize)
                guard steps[state(oldIndex, newIndex)].cost < Int.max, oldIndex < oldEnd else { continue }
                remove(oldIndex, newIndex)
                guard newIndex < newEnd else { continue }
                if oldHashes[oldIndex - start] == newHashes[newIndex - start], old[oldIndex] == new[newIndex] {
                    reach(oldIndex + 1, newIndex + 1, from: state(oldIndex, newIndex), .keep, 0)
                } else {
                    change(oldIndex, newIndex, size: nextSize, &planner)
                }
            }
        }
        let end = state(oldEnd, newEnd)
        cost = steps[end].cost
        return cost < Int.max ? path(to: end) : nil
    }

    /// Takes a way to a state if it is allowed and better than the one known.
    private mutating func reach(
        _ oldIndex: Int, _ newIndex: Int, isInserting: Bool = false, from origin: Int, _ move: ElementEdit.Move,
        _ cost: Int
    ) {
        guard isInserting || !joinsTexts(oldIndex, newIndex) else { return }
        let target = state(oldIndex, newIndex, isInserting: isInserting)
        let total = steps[origin].cost + cost
        guard total < steps[target].cost else { return }
        steps[target] = Step(cost: total, move: move, from: origin)
    }

    private func joinsTexts(_ oldIndex: Int, _ newIndex: Int) -> Bool {
        oldIndex < old.count && newIndex > 0 && old[oldIndex].text != nil && new[newIndex - 1].text != nil
    }

    /// Ends the insertion that leads here, and begins one or goes on with it.
    private mutating func insert(_ oldIndex: Int, _ newIndex: Int, size: Int) {
        let outside = state(oldIndex, newIndex)
        let inside = state(oldIndex, newIndex, isInserting: true)
        if steps[inside].cost < Int.max {
            reach(oldIndex, newIndex, from: inside, .insert(0), 0)
            if newIndex < newEnd {
                reach(oldIndex, newIndex + 1, isInserting: true, from: inside, .insert(1), size)
            }
        }
        if newIndex < newEnd, steps[outside].cost < Int.max {
            reach(oldIndex, newIndex + 1, isInserting: true, from: outside, .insert(1), size + PatchCost.operation)
        }
    }

    private mutating func remove(_ oldIndex: Int, _ newIndex: Int) {
        let origin = state(oldIndex, newIndex)
        let cost = PatchCost.operation
        reach(oldIndex + 1, newIndex, from: origin, .remove(.none), cost)
        let isWhitespaceFirst = old[oldIndex].isWhitespace
        let node = isWhitespaceFirst ? oldIndex + 1 : oldIndex
        guard node < oldEnd, old[node].text == nil else { return }
        if isWhitespaceFirst { reach(node + 1, newIndex, from: origin, .remove(.before), cost + 12) }
        guard node + 1 < oldEnd, old[node + 1].isWhitespace else { return }
        reach(node + 2, newIndex, from: origin, .remove(isWhitespaceFirst ? .both : .after), cost + 11)
    }

    private mutating func change(_ oldIndex: Int, _ newIndex: Int, size: Int, _ planner: inout DifferencePlanner) {
        let origin = state(oldIndex, newIndex)
        switch (old[oldIndex], new[newIndex]) {
        case (.element(let before), .element(let after)):
            reach(oldIndex + 1, newIndex + 1, from: origin, .replace, PatchCost.operation + size)
            guard corresponds(before, after), let edit = planner.plan(from: before, to: after) else { return }
            reach(oldIndex + 1, newIndex + 1, from: origin, .modify(edit), edit.cost)
        case (.text, .text), (.comment, .comment), (.processingInstruction, .processingInstruction):
            reach(oldIndex + 1, newIndex + 1, from: origin, .replace, PatchCost.operation + size)
        default: break
        }
    }

    /// Whether one is likely to be the other at a later time: those with the same identifier, or the only two in question.
    private func corresponds(_ before: XMLElement, _ after: XMLElement) -> Bool {
        guard before.name == after.name else { return false }
        return before[attribute: "id"] == after[attribute: "id"] || size == 4
    }

    private func path(to end: Int) -> [ElementEdit.Move] {
        var reversed: [ElementEdit.Move] = []
        var state = end
        while state != 0 {
            reversed.append(steps[state].move)
            state = steps[state].from
        }
        var path: [ElementEdit.Move] = []
        var inserted = 0
        for move in reversed.reversed() {
            switch move {
            case .insert(1): inserted += 1
            case .insert:
                path.append(.insert(inserted))
                inserted = 0
            default: path.append(move)
            }
        }
        return path
    }
}
