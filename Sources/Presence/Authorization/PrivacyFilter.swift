import PresenceDocuments

/// Leaves of a document what permissions grant (RFC 5025 section 3.3). Applied twice it does the same as once (section 4).
struct PrivacyFilter {
    let permissions: Permissions

    init(_ permissions: Permissions) { self.permissions = permissions }

    func apply(to presence: XMLElement) -> XMLElement {
        var filtered = presence
        filtered.children = presence.children.compactMap { node in
            guard case .element(let element) = node else { return nil }
            return component(element).map { .element($0) }
        }
        return filtered == presence ? presence : filtered.declaringNamespacesHere()
    }

    /// What is left of a child of the root. A note on the presentity is no part of a data component and so no permission of RFC 5025
    /// names it; it goes with the notes of persons. Unknown children of the root go with all attributes.
    private func component(_ element: XMLElement) -> XMLElement? {
        switch element.name {
        case .tuple: isGranted(service: element) ? attributes(of: element, isKept: Self.isAlwaysInTuple) : nil
        case .person: isGranted(person: element) ? attributes(of: element, isKept: { $0 == .dataTimestamp }) : nil
        case .device:
            isGranted(device: element)
                ? attributes(of: element, isKept: { $0 == .dataTimestamp || $0 == .deviceID }) : nil
        case .note: permissions.allAttributes || permissions.attributes.contains(.note) ? element : nil
        default: permissions.allAttributes ? element : nil
        }
    }

    // MARK: Components

    private func isGranted(service tuple: XMLElement) -> Bool {
        let grant = permissions.services
        if grant.all { return true }
        if grant.selectors.isEmpty { return false }
        let contact = tuple.text(of: .contact)
        return grant.selectors.contains { selector in
            switch selector {
            case .uri(let uri): !contact.isEmpty && uri.matches(ComparableURI(contact))
            case .uriScheme(let scheme): contact.hasPrefix(scheme + ":")
            case .classLabel(let label): tuple.hasClass(label)
            case .occurrence(let id): tuple[attribute: "id"] == id
            }
        }
    }

    private func isGranted(person: XMLElement) -> Bool {
        let grant = permissions.persons
        return grant.all
            || grant.selectors.contains { selector in
                switch selector {
                case .classLabel(let label): person.hasClass(label)
                case .occurrence(let id): person[attribute: "id"] == id
                }
            }
    }

    private func isGranted(device: XMLElement) -> Bool {
        let grant = permissions.devices
        return grant.all
            || grant.selectors.contains { selector in
                switch selector {
                case .deviceID(let uri): uri.matches(ComparableURI(device.text(of: .deviceID)))
                case .classLabel(let label): device.hasClass(label)
                case .occurrence(let id): device[attribute: "id"] == id
                }
            }
    }

    // MARK: Attributes

    /// RFC 5025 section 3.3.2: always reported of a tuple. Of `status` that is `basic` only.
    private static func isAlwaysInTuple(_ name: ExpandedName) -> Bool {
        name == .contact || name == .timestamp || name == ExpandedName(.rpid, "service-class")
    }

    private func attributes(of component: XMLElement, isKept: (ExpandedName) -> Bool) -> XMLElement {
        if permissions.allAttributes { return component }
        var filtered = component
        filtered.children = component.children.compactMap { node in
            guard case .element(let child) = node else { return nil }
            if isKept(child.name) { return node }
            if child.name == .status { return .element(status(child)) }
            if child.name == .userInput { return userInput(child).map { .element($0) } }
            return isGranted(attribute: child.name) ? node : nil
        }
        return filtered
    }

    private func status(_ status: XMLElement) -> XMLElement {
        var filtered = status
        filtered.removeElements { $0.name != .basic && !isGranted(attribute: $0.name) }
        return filtered
    }

    private func isGranted(attribute name: ExpandedName) -> Bool {
        if let grant = Self.grant(for: name) { return permissions.attributes.contains(grant) }
        return permissions.unknownAttributes.contains(name)
    }

    /// The permission that speaks of a presence attribute; nil for attributes unknown to RFC 5025.
    static func grant(for name: ExpandedName) -> AttributeGrants? {
        switch name {
        case .note, .dataNote: .note
        case .deviceID: .deviceID
        default: name.namespace == .rpid ? AttributeGrants.named[name.local] : nil
        }
    }

    private func userInput(_ element: XMLElement) -> XMLElement? {
        var input = element
        switch permissions.userInput {
        case .none: return nil
        case .bare:
            input[attribute: "idle-threshold"] = nil
            input[attribute: "since"] = nil
        case .thresholds: input[attribute: "since"] = nil
        case .full: break
        }
        return input
    }
}

extension XMLElement {
    /// Case-sensitive equality (RFC 5025 section 3.3.1).
    fileprivate func hasClass(_ label: String) -> Bool { firstElement(named: .classLabel)?.trimmedText == label }
}
