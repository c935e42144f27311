import PresenceDocuments
import SIPCore

/// Keeps occurrence identifiers unique in a document (RFC 4479 section 3.5) without changing them from version to version: an id that
/// is taken gets an ending computed from what it names, so it is the same again next time.
struct OccurrenceIdentifiers {
    private var taken: Set<String> = []

    /// The element under an id nobody has yet.
    mutating func claim(for element: XMLElement) -> XMLElement {
        let own = element[attribute: "id"] ?? ""
        var id = own
        var attempt = 0
        while !taken.insert(id).inserted {
            id = "\(own).\(Self.ending(for: element, attempt))"
            attempt += 1
        }
        guard id != own else { return element }
        var renamed = element
        renamed[attribute: "id"] = id
        return renamed
    }

    private static func ending(for element: XMLElement, _ attempt: Int) -> String {
        var hash = KeyedHash(key: (0, UInt64(attempt)))
        for part in [
            element.name.local, element.text(of: .contact), element.text(of: .deviceID), element.text(of: .classLabel),
        ] {
            hash.combine(Array(part.utf8))
            hash.separate()
        }
        return String(decoding: EntityTag(hash.finalize() >> 40).text, as: UTF8.self)
    }
}
