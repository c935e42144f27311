import PresenceDocuments

/// Writes presence documents in the formats of NOTIFY.
enum PresenceRendering {
    static func pidf(_ presence: XMLElement) -> Rendering {
        Rendering(bytes: DocumentWriter().write(presence).withoutSlack, versionOffset: nil, format: .pidf)
    }

    /// RFC 5262 section 3, `pidf-full`. The document has declared all its namespaces on the root, PIDF without prefix.
    static func pidfFull(_ presence: XMLElement) -> Rendering {
        let prefix = "pd"
        guard !presence.declarations.isEmpty, !presence.declarations.contains(where: { $0.prefix == prefix }) else {
            return versioned(PartialPresence(version: version, entity: nil, content: .full(presence)).document)
        }
        var root = presence
        root.name = .pidfFull
        root.prefix = prefix
        root.declarations.append(NamespaceDeclaration(prefix: prefix, .pidfDiff))
        root[attribute: "version"] = "\(version)"
        return versioned(XMLDocument(root: root))
    }

    /// RFC 5262 section 3, `pidf-diff`.
    static func pidfDiff(from old: XMLElement, to new: XMLElement) -> Rendering {
        let patch = Patch.difference(from: old, to: new)
        return versioned(PartialPresence(version: version, entity: nil, content: .difference(patch)).document)
    }

    /// Stands for the watcher's version until ``NotificationBody`` puts that in.
    private static let version: UInt32 = 0
    private static let placeholder = Array(#" version="0""#.utf8)

    /// The version attribute stands in the root's start tag, and no attribute value before it can hold a quotation mark.
    private static func versioned(_ document: XMLDocument) -> Rendering {
        var bytes = DocumentWriter().write(document)
        guard let place = place(of: placeholder, in: bytes) else {
            return Rendering(bytes: bytes, versionOffset: nil, format: .pidfDiff)
        }
        let digit = place + placeholder.count - 2
        bytes.remove(at: digit)
        return Rendering(bytes: bytes.withoutSlack, versionOffset: digit, format: .pidfDiff)
    }

    private static func place(of text: [UInt8], in bytes: [UInt8]) -> Int? {
        let (text, bytes) = (text.span, bytes.span)
        guard bytes.count >= text.count else { return nil }
        candidates: for start in 0...bytes.count - text.count where bytes[start] == text[0] {
            for offset in 1..<text.count where bytes[start + offset] != text[offset] { continue candidates }
            return start
        }
        return nil
    }
}

extension [UInt8] {
    /// The same bytes in a buffer of just their length; a writer's buffer is longer, and these are kept.
    var withoutSlack: [UInt8] { withUnsafeBufferPointer { [UInt8]($0) } }
}
