/// How a difference names the elements that it changes.
public enum SelectorStyle: Sendable {
    /// By their `id` where that is theirs alone, otherwise by position: a difference applied to the wrong document is noticed.
    case identified
    /// By position only, the shortest.
    case positional
}

extension Patch {
    /// Operations that make `new` of `old`, chosen so that they take few bytes. Elements with the same `id` attribute are taken for the
    /// same at a later time. Prefixes and namespace declarations are left as they are.
    ///
    /// The work is bounded: where it would be too much, elements are replaced whole.
    public static func difference(
        from old: XMLElement, to new: XMLElement, style: SelectorStyle = .identified
    ) -> Patch {
        guard old != new else { return Patch() }
        var planner = DifferencePlanner()
        let edit = planner.plan(from: old, to: new)
        let root = Selector.Step()
        guard let edit, edit.cost < PatchCost.operation + PatchCost.size(new) else {
            let selector = Selector(origin: .document, steps: [root], target: .element)
            return Patch([PatchOperation(selector: selector, action: .replace([.element(new)]))])
        }
        var emitter = DifferenceEmitter(style: style)
        emitter.emit(edit, from: old, to: new, at: [root])
        return Patch(emitter.operations)
    }
}
