import PresenceDocuments

/// The document of a publication: taken apart while somebody watches the presentity, otherwise as bytes, which are much smaller.
struct PublishedDocument: Sendable {
    private enum Form {
        /// `original` is the element as it was published, for the patches of a publisher of differences; nil where `presence` serves.
        case expanded(presence: XMLElement, original: XMLElement?)
        case packed([UInt8])
    }

    private var form: Form

    fileprivate init(_ published: XMLElement, isPatched: Bool) {
        var root = XMLElement(.presence, children: published.children)
        root.removeAnnotations()
        let presence = root.withoutIndentation().declaringNamespacesHere()
        let isOriginalNeeded = isPatched && published.children != presence.children
        form = .expanded(presence: presence, original: isOriginalNeeded ? published : nil)
    }

    /// A document that the store kept; nil when it is none.
    init?(stored: [UInt8]) {
        guard let root = try? DocumentReader().read(stored).root, root.name == .presence else { return nil }
        self.init(root, isPatched: true)
    }

    /// The `presence` element without indentation and comments, every namespace under its conventional prefix: documents of different
    /// publishers become comparable, and what is sent is short.
    var presence: XMLElement {
        switch form {
        case .expanded(let presence, _): presence
        case .packed(let bytes): PublishedDocument(stored: bytes)?.presence ?? XMLElement(.presence)
        }
    }

    /// What patches apply to.
    fileprivate var base: XMLElement {
        switch form {
        case .expanded(let presence, let original): original ?? presence
        case .packed(let bytes): PublishedDocument(stored: bytes)?.base ?? XMLElement(.presence)
        }
    }

    /// For the store.
    var stored: [UInt8] {
        switch form {
        case .expanded(let presence, let original): DocumentWriter(writesDeclaration: false).write(original ?? presence)
        case .packed(let bytes): bytes
        }
    }

    mutating func expand() {
        guard case .packed(let bytes) = form, let expanded = PublishedDocument(stored: bytes) else { return }
        self = expanded
    }

    mutating func pack() {
        if case .expanded = form { form = .packed(stored.withoutSlack) }
    }
}

/// Turns the body of a PUBLISH into the document that the publication then has.
struct PublishedDocumentReader {
    let settings: PresenceSettings

    /// - Parameter base: what the publication says so far; nil for a new one.
    func read(
        _ body: [UInt8], format: PublishedFormat, base: PublishedDocument?
    ) throws(PublicationRefusal) -> PublishedDocument {
        guard body.count <= settings.publicationBytes else { throw .tooLarge }
        let root: XMLElement
        do {
            root = try DocumentReader().read(body).root
        } catch {
            throw .unreadable(error)
        }
        let published = try presence(from: root, format: format, base: base?.base)
        let document = PublishedDocument(published, isPatched: format == .pidfDiff)
        try check(document.presence)
        return document
    }

    private func presence(
        from root: XMLElement, format: PublishedFormat, base: XMLElement?
    ) throws(PublicationRefusal) -> XMLElement {
        switch format {
        case .pidf:
            guard root.name == .presence else { throw .invalidDocument(.wrongRoot) }
            return root
        case .pidfDiff:
            guard root.name == .pidfFull || root.name == .pidfDiff else { throw .invalidDocument(.wrongRoot) }
            return try state(after: root, base: base)
        }
    }

    private func state(after root: XMLElement, base: XMLElement?) throws(PublicationRefusal) -> XMLElement {
        do {
            switch try PartialPresence(XMLDocument(root: root)).content {
            case .full(let presence): return presence
            case .difference(let patch):
                guard let base else { throw PublicationRefusal.partialWithoutBase }
                return try patch.apply(to: XMLDocument(root: base), limits: .standard).root
            }
        } catch let error as PatchError {
            throw .patchFailed(error)
        } catch let refusal as PublicationRefusal {
            throw refusal
        } catch {
            throw .partialWithoutBase
        }
    }

    private func check(_ presence: XMLElement) throws(PublicationRefusal) {
        var identifiers: Set<String> = []
        for case .element(let element) in presence.children where element.isDataComponent {
            guard identifiers.count < settings.componentsPerPublication else {
                throw .invalidDocument(.tooManyComponents)
            }
            guard let id = element[attribute: "id"], !id.isEmpty, identifiers.insert(id).inserted else {
                throw .invalidDocument(.badIdentifier)
            }
            if element.name == .tuple { try check(tuple: element) }
            if element.name == .device, element.firstElement(named: .deviceID) == nil {
                throw .invalidDocument(.missingDeviceIdentifier)
            }
        }
    }

    private func check(tuple: XMLElement) throws(PublicationRefusal) {
        guard let status = tuple.firstElement(named: .status), status.children.contains(where: { $0.element != nil })
        else { throw .invalidDocument(.missingStatus) }
        guard let basic = status.firstElement(named: .basic) else { return }
        guard BasicStatus(basic) != nil else { throw .invalidDocument(.badBasicStatus) }
    }
}

extension XMLElement {
    /// Removes comments and processing instructions, at all depths.
    fileprivate mutating func removeAnnotations() {
        guard children.contains(where: \.hasAnnotation) else { return }
        children = children.compactMap { node in
            switch node {
            case .element(var element):
                element.removeAnnotations()
                return .element(element)
            case .text: return node
            case .comment, .processingInstruction: return nil
            }
        }
    }
}

extension XMLNode {
    fileprivate var hasAnnotation: Bool {
        switch self {
        case .element(let element): element.children.contains(where: \.hasAnnotation)
        case .text: false
        case .comment, .processingInstruction: true
        }
    }
}
