/// Finds the cheapest way from one element to another.
struct DifferencePlanner {
    /// How many pairs of children may still be compared. When it is used up, elements are replaced whole.
    private var budget: Int

    init(budget: Int = 200_000) { self.budget = budget }

    /// nil if nothing but replacing the element will do.
    mutating func plan(from old: XMLElement, to new: XMLElement) -> ElementEdit? {
        guard old.name == new.name, var edit = attributeEdits(from: old, to: new) else { return nil }
        var alignment = ChildAlignment(old: old.children, new: new.children)
        guard alignment.size <= ChildAlignment.largestSize, alignment.size <= budget else { return nil }
        budget -= alignment.size
        guard let moves = alignment.moves(planner: &self) else { return nil }
        edit.moves = moves
        edit.cost += alignment.cost
        return edit
    }

    /// nil if an empty attribute is to be added: RFC 5261, section 4.3 has no operation for it.
    private func attributeEdits(from old: XMLElement, to new: XMLElement) -> ElementEdit? {
        var edit = ElementEdit()
        guard !old.hasAttributes(equalTo: new) else { return edit }
        for attribute in old.attributes {
            switch new.attributeValue(attribute.name) {
            case attribute.value?: continue
            case let value?: edit.attributes.append(.replace(attribute.name, value: value))
            case nil: edit.attributes.append(.remove(attribute.name))
            }
            edit.cost += PatchCost.operation + attribute.name.local.utf8.count
        }
        for attribute in new.attributes where old.attributeValue(attribute.name) == nil {
            guard !attribute.value.isEmpty else { return nil }
            edit.attributes.append(.add(attribute))
            edit.cost += PatchCost.operation + attribute.name.local.utf8.count + attribute.value.utf8.count
        }
        return edit
    }
}
