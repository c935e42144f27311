public import LinkProfiles
public import MessageStore
import Presence
import SIPCore

/// Documents of presence rules (RFC 5025) as the store keeps them.
public enum RulesDocument {
    /// XCAP's name for them (RFC 5025 section 9.1).
    public static let application = "pres-rules"

    public static func name(of owner: String) -> DocumentName { DocumentName(application: application, owner: owner) }

    /// Why a document is no rules document; nil when it is one.
    public static func refusal(of document: [UInt8]) -> String? {
        var agent = PresenceAgent(settings: PresenceSettings(), firstEntityTag: 0)
        let anybody = agent.presentity(for: Array("sip:anybody@localhost".utf8))
        do throws(RulesRefusal) {
            _ = try agent.setRules(document, for: anybody, at: Instant(microseconds: 0))
            return nil
        } catch {
            return "\(error)"
        }
    }
}

/// Provisioning of rules by the operator.
extension Engine {
    /// Puts a user's rules in force and makes them durable; nil takes them away.
    ///
    /// - Parameter owner: `sip:user@domain`.
    /// - Returns: why they were refused; nil when they were not. The rules before stay in force then.
    public func provisionRules(_ document: [UInt8]?, of owner: String, at time: Instant) -> String? {
        tick(time)
        defer { tellLine() }
        if let refusal = setRules(document, of: owner) { return refusal }
        let name = RulesDocument.name(of: owner)
        if let document {
            settle(.presence(.put(StoredDocument(name: name, modifiedAt: now, body: document))))
        } else {
            settle(.presence(.remove(name)))
        }
        return nil
    }

    func setRules(_ document: [UInt8]?, of owner: String) -> String? {
        guard let user = location.user(owner) ?? location.addUser(owner) else { return "\(owner) is no user of ours" }
        let presentity = presentity(of: user, Array(location.addressOfRecord(of: user).utf8))
        do throws(RulesRefusal) {
            take(try presence.agent.setRules(document, for: presentity, at: now))
            return nil
        } catch {
            return "\(error)"
        }
    }
}
