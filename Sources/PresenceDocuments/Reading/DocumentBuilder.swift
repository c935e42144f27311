import CLibXML2

/// Makes the tree from what libxml2 reports, and stops it at the first limit passed.
final class DocumentBuilder {
    private let limits: DocumentLimits
    private var open: [OpenElement] = []
    private var prolog: [XMLNode] = []
    private var epilog: [XMLNode] = []
    private var root: XMLElement?
    private var nodes = 0
    private var names = NameCache()
    private(set) var failure: DocumentError?
    var context: xmlParserCtxtPtr?

    private struct OpenElement {
        let name: ExpandedName
        let prefix: String
        let declarations: [NamespaceDeclaration]
        let attributes: [XMLAttribute]
        var children: [XMLNode] = []
        /// libxml2 reports one text in several parts; they are gathered here.
        var text = ""

        mutating func closeText() {
            guard !text.isEmpty else { return }
            children.append(.text(text))
            text = ""
        }
    }

    init(limits: DocumentLimits) { self.limits = limits }

    var document: XMLDocument? { root.map { XMLDocument(prolog: prolog, root: $0, epilog: epilog) } }

    private func stop(_ error: DocumentError) {
        if failure == nil { failure = error }
        xmlStopParser(context)
    }

    /// Counts a node. False if there are too many, or reading has been stopped before.
    private func admitNode() -> Bool {
        guard failure == nil else { return false }
        nodes += 1
        guard nodes <= limits.nodes else {
            stop(.tooManyNodes)
            return false
        }
        return true
    }

    fileprivate func startDocument() {
        guard let encoding = context?.pointee.encoding ?? context?.pointee.input?.pointee.encoding else { return }
        let name = String(cString: encoding).uppercased()
        guard name == "UTF-8" || name == "US-ASCII" || name == "ASCII" else { return stop(.unsupportedEncoding) }
    }

    fileprivate func documentType() { stop(.documentTypeDeclaration) }

    fileprivate func startElement(_ tag: StartTag) {
        guard admitNode() else { return }
        guard open.count < limits.depth else { return stop(.tooDeep) }
        guard tag.attributeCount + tag.declarationCount <= limits.attributes else { return stop(.tooManyAttributes) }
        if !open.isEmpty { open[open.count - 1].closeText() }
        open.append(
            OpenElement(
                name: names.name(local: tag.local, namespace: tag.namespace), prefix: names.string(tag.prefix),
                declarations: declarations(of: tag), attributes: attributes(of: tag)))
    }

    private func declarations(of tag: StartTag) -> [NamespaceDeclaration] {
        guard tag.declarationCount > 0, let pointers = tag.declarations else { return [] }
        return (0..<tag.declarationCount).map { index in
            NamespaceDeclaration(
                prefix: names.string(pointers[index * 2]), names.namespace(pointers[index * 2 + 1]))
        }
    }

    /// libxml2 gives five pointers an attribute: local name, prefix, namespace, begin and end of the value.
    private func attributes(of tag: StartTag) -> [XMLAttribute] {
        guard tag.attributeCount > 0, let pointers = tag.attributes else { return [] }
        return (0..<tag.attributeCount).map { index in
            let fields = pointers + index * 5
            var value = ""
            if let begin = fields[3], let end = fields[4] {
                value = String(decoding: UnsafeBufferPointer(start: begin, count: end - begin), as: UTF8.self)
            }
            return XMLAttribute(
                names.name(local: fields[0], namespace: fields[2]), prefix: names.string(fields[1]), value: value)
        }
    }

    fileprivate func endElement() {
        guard failure == nil, var last = open.popLast() else { return }
        last.closeText()
        let element = XMLElement(
            last.name, prefix: last.prefix, declarations: last.declarations, attributes: last.attributes,
            children: last.children)
        if open.isEmpty {
            root = element
        } else {
            open[open.count - 1].children.append(.element(element))
        }
    }

    fileprivate func characters(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard failure == nil, !open.isEmpty, !bytes.isEmpty else { return }
        if open[open.count - 1].text.isEmpty {
            guard admitNode() else { return }
            open[open.count - 1].text = String(decoding: bytes, as: UTF8.self)
        } else {
            open[open.count - 1].text += String(decoding: bytes, as: UTF8.self)
        }
    }

    fileprivate func comment(_ text: String) { append(.comment(text)) }

    fileprivate func processingInstruction(target: String, data: String) {
        append(.processingInstruction(ProcessingInstruction(target: target, data: data)))
    }

    private func append(_ node: XMLNode) {
        guard admitNode() else { return }
        if !open.isEmpty {
            open[open.count - 1].closeText()
            open[open.count - 1].children.append(node)
        } else if root == nil {
            prolog.append(node)
        } else {
            epilog.append(node)
        }
    }
}

/// What libxml2 hands over with a start tag. Its pointers hold for the call only.
private struct StartTag {
    let local: UnsafePointer<xmlChar>?
    let prefix: UnsafePointer<xmlChar>?
    let namespace: UnsafePointer<xmlChar>?
    let declarationCount: Int
    let declarations: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    let attributeCount: Int
    let attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
}

extension DocumentBuilder {
    private static func builder(_ pointer: UnsafeMutableRawPointer?) -> DocumentBuilder? {
        pointer.map { Unmanaged<DocumentBuilder>.fromOpaque($0).takeUnretainedValue() }
    }

    private static func string(_ pointer: UnsafePointer<xmlChar>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }

    /// The functions that libxml2 calls. What is not set is not wanted: entities and everything of a document type.
    static var handler: xmlSAXHandler {
        var handler = xmlSAXHandler()
        handler.initialized = XML_SAX2_MAGIC
        handler.startDocument = { DocumentBuilder.builder($0)?.startDocument() }
        handler.internalSubset = { pointer, _, _, _ in DocumentBuilder.builder(pointer)?.documentType() }
        handler.startElementNs = {
            pointer, local, prefix, namespace, count, declarations, attributeCount, _, attributes in
            DocumentBuilder.builder(pointer)?.startElement(
                StartTag(
                    local: local, prefix: prefix, namespace: namespace, declarationCount: Int(count),
                    declarations: declarations, attributeCount: Int(attributeCount), attributes: attributes))
        }
        handler.endElementNs = { pointer, _, _, _ in DocumentBuilder.builder(pointer)?.endElement() }
        handler.characters = { pointer, bytes, count in
            DocumentBuilder.builder(pointer)?.characters(UnsafeBufferPointer(start: bytes, count: Int(count)))
        }
        handler.ignorableWhitespace = handler.characters
        handler.cdataBlock = handler.characters
        handler.comment = { DocumentBuilder.builder($0)?.comment(DocumentBuilder.string($1)) }
        handler.processingInstruction = { pointer, target, data in
            DocumentBuilder.builder(pointer)?.processingInstruction(
                target: DocumentBuilder.string(target), data: DocumentBuilder.string(data))
        }
        // Without it libxml2 would print what it finds wrong. The context remembers the error by itself.
        handler.serror = { _, _ in }
        return handler
    }
}

/// libxml2 keeps each name once for a document, so a name is known by its address and becomes a string only the first time.
private struct NameCache {
    private var strings: [(pointer: UnsafePointer<xmlChar>, string: String)] = []
    private var namespaces: [(pointer: UnsafePointer<xmlChar>, namespace: Namespace)] = []

    mutating func name(local: UnsafePointer<xmlChar>?, namespace: UnsafePointer<xmlChar>?) -> ExpandedName {
        ExpandedName(self.namespace(namespace), string(local))
    }

    mutating func string(_ pointer: UnsafePointer<xmlChar>?) -> String {
        guard let pointer else { return "" }
        if let known = strings.first(where: { $0.pointer == pointer }) { return known.string }
        let string = String(cString: pointer)
        if strings.count < Self.capacity { strings.append((pointer, string)) }
        return string
    }

    mutating func namespace(_ pointer: UnsafePointer<xmlChar>?) -> Namespace {
        guard let pointer else { return .none }
        if let known = namespaces.first(where: { $0.pointer == pointer }) { return known.namespace }
        let read = Namespace(String(cString: pointer))
        let shared = Namespace.wellKnown.firstIndex(of: read).map { Namespace.wellKnown[$0] } ?? read
        if namespaces.count < Self.capacity { namespaces.append((pointer, shared)) }
        return shared
    }

    /// Looking through more would cost more than making the string.
    private static let capacity = 48
}
