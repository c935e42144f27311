import CLibXML2

/// Reads documents of others with libxml2, within limits: no document type declarations, no entities but the predefined ones, no
/// network. The work is linear in the bytes, and nothing is allocated beyond what the limits allow.
public struct DocumentReader: Sendable {
    public var limits: DocumentLimits

    public init(limits: DocumentLimits = .standard) { self.limits = limits }

    /// - Throws: `DocumentError`; nothing of the document is kept then.
    public func read(_ bytes: [UInt8]) throws(DocumentError) -> XMLDocument {
        guard bytes.count <= limits.bytes else { throw .tooLong }
        try MarkupScan.check(bytes, attributes: limits.attributes)
        _ = Self.library
        let builder = DocumentBuilder(limits: limits)
        let failure: DocumentError? = bytes.withUnsafeBytes { buffer in
            parse(buffer, into: builder)
        }
        if let failure { throw failure }
        guard let document = builder.document else { throw .notWellFormed(line: 0) }
        return document
    }

    public func read(_ text: String) throws(DocumentError) -> XMLDocument { try read(Array(text.utf8)) }

    /// libxml2 wants its tables made before threads use it.
    private static let library: Void = xmlInitParser()

    private func parse(_ buffer: UnsafeRawBufferPointer, into builder: DocumentBuilder) -> DocumentError? {
        guard
            let context = xmlCreateMemoryParserCtxt(
                buffer.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(buffer.count))
        else { return .notWellFormed(line: 0) }
        defer {
            // The tree is ours; should libxml2 have begun one of its own, it goes.
            if let tree = context.pointee.myDoc { xmlFreeDoc(tree) }
            context.pointee.myDoc = nil
            xmlFreeParserCtxt(context)
        }
        // NOENT: an ampersand in an attribute is handed over as itself. There are no entities to expand without a document type.
        xmlCtxtUseOptions(context, CInt(XML_PARSE_NONET.rawValue | XML_PARSE_NOENT.rawValue))
        context.pointee.sax.pointee = DocumentBuilder.handler
        context.pointee.userData = Unmanaged.passUnretained(builder).toOpaque()
        builder.context = context
        defer { builder.context = nil }
        xmlParseDocument(context)
        if let failure = builder.failure { return failure }
        guard context.pointee.wellFormed == 1, context.pointee.nsWellFormed == 1 else {
            return .notWellFormed(line: Int(context.pointee.lastError.line))
        }
        return nil
    }
}
