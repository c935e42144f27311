import LinkProfiles
public import PresenceDocuments

/// Why a document is not taken as rules. The rules before stay in force.
public enum RulesRefusal: Error, Hashable, Sendable {
    case tooLarge
    case unreadable(DocumentError)
    /// The root is not the `ruleset` of RFC 4745.
    case noRuleset
    /// A value that the schemas of RFC 4745 and RFC 5025 do not allow, in the rule with this id.
    case invalid(rule: String, element: String)
}

/// Reads `application/auth-policy+xml` (RFC 4745 section 13, RFC 5025 section 7).
///
/// Unknown conditions make their rule never match (RFC 4745 section 7), unknown actions and transformations grant nothing
/// (RFC 5025 section 8); a wrong value in a known element refuses the document, so that nobody believes to have granted or
/// restricted what was not understood.
struct RulesReader {
    let limit: Int

    func read(_ bytes: [UInt8]) throws(RulesRefusal) -> PresenceRules {
        guard bytes.count <= limit else { throw .tooLarge }
        let root: XMLElement
        do {
            root = try DocumentReader().read(bytes).root
        } catch {
            throw .unreadable(error)
        }
        guard root.name == ExpandedName(.commonPolicy, "ruleset") else { throw .noRuleset }
        var rules: [AuthorizationRule] = []
        for element in root.elements(named: ExpandedName(.commonPolicy, "rule")) { rules.append(try rule(element)) }
        return PresenceRules(rules)
    }

    private func rule(_ element: XMLElement) throws(RulesRefusal) -> AuthorizationRule {
        let id = element[attribute: "id"] ?? ""
        var rule = AuthorizationRule()
        for case .element(let part) in element.children where part.name.namespace == .commonPolicy {
            for case .element(let child) in part.children {
                switch part.name.local {
                case "conditions": rule.conditions.append(try condition(child, of: id))
                case "actions": rule.handling = max(rule.handling, try handling(child, of: id))
                case "transformations": try TransformationReader(rule: id).read(child, into: &rule.permissions)
                default: break
                }
            }
        }
        return rule
    }

    private func handling(_ action: XMLElement, of rule: String) throws(RulesRefusal) -> SubscriptionHandling {
        guard action.name == ExpandedName(.presenceRules, "sub-handling") else { return .block }
        guard let handling = SubscriptionHandling(action.trimmedText) else {
            throw .invalid(rule: rule, element: "sub-handling")
        }
        return handling
    }

    // MARK: Conditions

    private func condition(_ element: XMLElement, of rule: String) throws(RulesRefusal) -> RuleCondition {
        guard element.name.namespace == .commonPolicy else { return .unknown }
        switch element.name.local {
        case "identity":
            var alternatives: [IdentityCondition] = []
            for case .element(let child) in element.children {
                if let condition = try identity(child, of: rule) { alternatives.append(condition) }
            }
            return .identity(alternatives)
        case "sphere":
            guard let value = element[attribute: "value"] else { throw .invalid(rule: rule, element: "sphere") }
            return .sphere(value.split { $0.isWhitespace }.map { $0.lowercased() })
        case "validity": return .validity(try periods(element, of: rule))
        default: return .unknown
        }
    }

    /// nil for an unknown kind of identity, which is never true.
    private func identity(_ element: XMLElement, of rule: String) throws(RulesRefusal) -> IdentityCondition? {
        switch element.name {
        case ExpandedName(.commonPolicy, "one"):
            guard let id = element[attribute: "id"] else { throw .invalid(rule: rule, element: "one") }
            return .one(ComparableURI(id))
        case ExpandedName(.commonPolicy, "many"):
            var exceptions: [IdentityException] = []
            for except in element.elements(named: ExpandedName(.commonPolicy, "except")) {
                exceptions += [
                    except[attribute: "id"].map { .id(ComparableURI($0)) },
                    except[attribute: "domain"].map { .domain($0.lowercased()) },
                ].compactMap { $0 }
            }
            return .many(domain: element[attribute: "domain"]?.lowercased(), exceptions: exceptions)
        default: return nil
        }
    }

    private func periods(
        _ element: XMLElement, of rule: String
    ) throws(RulesRefusal) -> [(from: Instant, until: Instant)] {
        var periods: [(from: Instant, until: Instant)] = []
        var from: Instant?
        for case .element(let child) in element.children where child.name.namespace == .commonPolicy {
            guard let time = DateTime.instant(child.trimmedText) else {
                throw .invalid(rule: rule, element: "validity")
            }
            switch (child.name.local, from) {
            case ("from", nil): from = time
            case ("until", let begin?):
                periods.append((begin, time))
                from = nil
            default: throw .invalid(rule: rule, element: "validity")
            }
        }
        guard from == nil, !periods.isEmpty else { throw .invalid(rule: rule, element: "validity") }
        return periods
    }
}
