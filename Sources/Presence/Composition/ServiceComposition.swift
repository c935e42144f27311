import PresenceDocuments
import SIPCore

/// Services (tuples) of all sources in one list.
///
/// Tuples of different sources are about one service on one device when they have the same contact, the same class and the same
/// device, or where they name no device, the same id. Of those the source with the newest statement counts and the others are left
/// out: that is a device which lost its entity-tag and published anew. Tuples on different devices all stay, as the presentity
/// offers a choice (RFC 4479 section 3.3).
enum ServiceComposition {
    static func composed(_ statements: [Statement]) -> [XMLElement] {
        guard statements.contains(where: { $0.source != statements[0].source }) else {
            return statements.map(\.element)
        }
        var winners: [ServiceIdentity: Statement] = [:]
        let identities = statements.map { ServiceIdentity($0.element) }
        for (identity, statement) in zip(identities, statements) {
            if let winner = winners[identity], winner.outranks(statement) { continue }
            winners[identity] = statement
        }
        return zip(identities, statements).compactMap { identity, statement in
            winners[identity]?.source == statement.source ? statement.element : nil
        }
    }
}

/// What makes two tuples statements about one service on one device.
private struct ServiceIdentity: Hashable {
    let contact: String
    let classLabel: String
    /// Sorted device identifiers, or the tuple's id.
    let place: [String]

    init(_ tuple: XMLElement) {
        contact = ContactText.canonical(tuple.text(of: .contact))
        classLabel = tuple.text(of: .classLabel)
        let devices = tuple.elements(named: .deviceID).map(\.trimmedText).sorted()
        place = devices.isEmpty ? ["#" + (tuple[attribute: "id"] ?? "")] : devices
    }
}

/// Contacts in a form in which equal ones have equal text. URI equivalence (RFC 3261 section 19.1.4) is not transitive and cannot
/// group; this is finer: scheme and host in lower case, escapes canonical, parameters in their order.
enum ContactText {
    static func canonical(_ contact: String) -> String { SIPURI(parsing: contact).map { "\($0)" } ?? contact }
}
