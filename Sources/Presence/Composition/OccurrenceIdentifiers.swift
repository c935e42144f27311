import PresenceDocuments
import SIPCore

/// Keeps occurrence identifiers unique in a document (RFC 4479 section 3.5) without changing them from version to version: an id that
/// is taken gets an ending computed from what it names, so it is the same again next time.
struct OccurrenceIdentifiers {
    private var taken: Set<String> = []

    /// The element under an id nobody has yet.
    mutating func claim(for element: XMLElement) -> XMLElement {
        let own = Self.name(element[attribute: "id"] ?? "")
        var id = own
        var attempt = 0
        while !taken.insert(id).inserted {
            id = "\(own).\(Self.ending(for: element, attempt))"
            attempt += 1
        }
        guard id != element[attribute: "id"] else { return element }
        var renamed = element
        renamed[attribute: "id"] = id
        return renamed
    }

    /// The id as an NCName, which the schemas want: `xs:ID`.
    private static func name(_ id: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in id.unicodeScalars { scalars.append(isNameCharacter(scalar) ? scalar : "_") }
        let isStart = scalars.first.map {
            $0 == "_" || !$0.isASCII || ("a"..."z").contains($0) || ("A"..."Z").contains($0)
        }
        return (isStart ?? false ? "" : "_") + String(scalars)
    }

    private static func isNameCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".": true
        case "\u{C0}"..."\u{D6}", "\u{D8}"..."\u{F6}", "\u{F8}"..."\u{2FF}", "\u{370}"..."\u{37D}",
            "\u{37F}"..."\u{1FFF}",
            "\u{3001}"..."\u{D7FF}", "\u{10000}"..."\u{EFFFF}":
            true
        default: false
        }
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
