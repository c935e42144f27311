import PresenceDocuments

/// Reads the transformations of a rule (RFC 5025 section 3.3).
struct TransformationReader {
    /// The rule's id, for errors.
    let rule: String

    func read(_ element: XMLElement, into permissions: inout Permissions) throws(RulesRefusal) {
        guard element.name.namespace == .presenceRules, element.name.local.hasPrefix("provide-") else { return }
        let subject = String(element.name.local.dropFirst("provide-".count))
        switch subject {
        case "services": permissions.services.formUnion(grant(element, all: "all-services", service))
        case "persons": permissions.persons.formUnion(grant(element, all: "all-persons", occurrence))
        case "devices": permissions.devices.formUnion(grant(element, all: "all-devices", device))
        case "all-attributes": permissions.allAttributes = true
        case "user-input":
            guard let input = UserInputGrant(element.trimmedText) else { throw invalid(element) }
            permissions.userInput = max(permissions.userInput, input)
        case "unknown-attribute":
            guard let name = element[attribute: "name"], let namespace = element[attribute: "ns"] else {
                throw invalid(element)
            }
            let attribute = ExpandedName(Namespace(namespace), name)
            // Attributes that have a permission of their own are not unknown (section 3.3.2.14).
            guard try boolean(element), PrivacyFilter.grant(for: attribute) == nil, attribute != .userInput else {
                return
            }
            permissions.unknownAttributes.insert(attribute)
        default:
            guard let grant = AttributeGrants.named[subject] else { return }
            if try boolean(element) { permissions.attributes.insert(grant) }
        }
    }

    private func invalid(_ element: XMLElement) -> RulesRefusal { .invalid(rule: rule, element: element.name.local) }

    /// `xs:boolean`.
    private func boolean(_ element: XMLElement) throws(RulesRefusal) -> Bool {
        switch element.trimmedText {
        case "true", "1": true
        case "false", "0": false
        default: throw invalid(element)
        }
    }

    private func grant<Selector>(
        _ element: XMLElement, all: String, _ selector: (_ kind: String, _ value: String) -> Selector?
    ) -> ComponentGrant<Selector> {
        var grant = ComponentGrant<Selector>()
        for case .element(let member) in element.children where member.name.namespace == .presenceRules {
            if member.name.local == all {
                grant.all = true
            } else if let selector = selector(member.name.local, member.trimmedText) {
                grant.selectors.insert(selector)
            }
        }
        return grant
    }

    private func service(_ kind: String, _ value: String) -> ServiceSelector? {
        switch kind {
        case "service-uri": .uri(ComparableURI(value))
        case "service-uri-scheme": .uriScheme(value)
        case "class": .classLabel(value)
        case "occurrence-id": .occurrence(value)
        default: nil
        }
    }

    private func occurrence(_ kind: String, _ value: String) -> OccurrenceSelector? {
        switch kind {
        case "class": .classLabel(value)
        case "occurrence-id": .occurrence(value)
        default: nil
        }
    }

    private func device(_ kind: String, _ value: String) -> DeviceSelector? {
        switch kind {
        case "deviceID": .deviceID(ComparableURI(value))
        case "class": .classLabel(value)
        case "occurrence-id": .occurrence(value)
        default: nil
        }
    }
}
