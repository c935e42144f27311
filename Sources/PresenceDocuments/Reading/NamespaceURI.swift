import CLibXML2

extension NamespaceDeclaration {
    /// Whether a document with this declaration can be read again: it may be written, and libxml2 takes its URI for one.
    var isReadable: Bool {
        guard isDeclarable else { return false }
        if namespace == .none { return true }
        guard let uri = xmlParseURI(namespace.uri) else { return false }
        xmlFreeURI(uri)
        return true
    }
}
