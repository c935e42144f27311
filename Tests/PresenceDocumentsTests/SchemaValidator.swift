import CLibXML2
import Foundation
import Synchronization

/// The schemas of the RFCs, and libxml2's validation by them.
struct SchemaValidator: Sendable {
    /// All schemas whose documents Godwit writes, as one.
    static let shared = SchemaValidator()

    private nonisolated(unsafe) let schema: xmlSchemaPtr?
    /// What is wrong with the schemas; empty if nothing is.
    let loadingComplaints: String
    /// A schema that is used for one validation at a time.
    private static let validation = Mutex(())

    private static let directory = XMLVectors.directory.appending(path: "schemas")

    /// Namespaces, and the files of their schemas.
    private static let imports = [
        ("urn:ietf:params:xml:ns:pidf", "pidf.xsd"),
        ("urn:ietf:params:xml:ns:pidf:data-model", "rfc4479-data-model.xsd"),
        ("urn:ietf:params:xml:ns:pidf:rpid", "rfc4480-rpid.xsd"),
        ("urn:ietf:params:xml:ns:pidf:timed-status", "rfc4481-timed-status.xsd"),
        ("urn:ietf:params:xml:ns:pidf:cipid", "rfc4482-cipid.xsd"),
        ("urn:ietf:params:xml:ns:pidf:caps", "rfc5196-caps.xsd"),
        ("urn:ietf:params:xml:ns:pidf-diff", "rfc5262-pidf-diff.xsd"),
        ("urn:ietf:params:xml:ns:patch-ops-error", "rfc5261-patch-ops-error.xsd"),
        ("urn:ietf:params:xml:ns:watcherinfo", "rfc3858-watcherinfo.xsd"),
        ("urn:ietf:params:xml:ns:reginfo", "rfc3680-reginfo.xsd"),
    ]

    private init() {
        // Schemas name each other by URLs and URNs: these are the files for them. Nothing is fetched.
        xmlSetExternalEntityLoader { location, _, context in
            guard let location, let text = SchemaValidator.text(of: String(cString: location)) else { return nil }
            let buffer = text.withCString {
                xmlParserInputBufferCreateMem($0, CInt(text.utf8.count), XML_CHAR_ENCODING_NONE)
            }
            return xmlNewIOInputStream(context, buffer, XML_CHAR_ENCODING_NONE)
        }
        let imports = Self.imports.map { "<xs:import namespace=\"\($0.0)\" schemaLocation=\"\($0.1)\"/>" }
        let all = "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\(imports.joined())</xs:schema>"
        let complaints = Complaints()
        schema = all.withCString { pointer in
            guard let context = xmlSchemaNewMemParserCtxt(pointer, CInt(all.utf8.count)) else { return nil }
            defer { xmlSchemaFreeParserCtxt(context) }
            xmlSchemaSetParserStructuredErrors(
                context, Complaints.note, Unmanaged.passUnretained(complaints).toOpaque())
            return xmlSchemaParse(context)
        }
        loadingComplaints = complaints.text
    }

    /// The text of a schema, with what RFC 4480's lacks.
    private static func text(of location: String) -> String? {
        let name = location.split(separator: "/").last.map(String.init) ?? location
        switch name {
        case "xml.xsd":
            return """
                <xs:schema targetNamespace="http://www.w3.org/XML/1998/namespace"
                xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:attribute name="lang" type="xs:language"/></xs:schema>
                """
        case "common-schema.xsd": return file("rfc4479-common-schema.xsd")
        case "pidf.xsd": return file("rfc3863-pidf.xsd")
        case "urn:ietf:params:xml:schema:patch-ops": return file("rfc5261-patch-ops.xsd")
        case "rfc4480-rpid.xsd":
            return file(name)?.replacingOccurrences(
                of: "attributeFormDefault=\"unqualified\">",
                with: "attributeFormDefault=\"unqualified\"><xs:include schemaLocation=\"common-schema.xsd\"/>")
        default: return file(name)
        }
    }

    private static func file(_ name: String) -> String? {
        try? String(contentsOf: directory.appending(path: name), encoding: .utf8)
    }

    /// What is wrong with the document; nil if nothing is.
    func complaint(about document: [UInt8]) -> String? {
        Self.validation.withLock { _ in
            let tree = document.withUnsafeBytes { buffer in
                xmlReadMemory(
                    buffer.baseAddress?.assumingMemoryBound(to: CChar.self), CInt(buffer.count), nil, nil,
                    CInt(XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue))
            }
            guard let tree, let context = xmlSchemaNewValidCtxt(schema) else { return "no document" }
            defer {
                xmlSchemaFreeValidCtxt(context)
                xmlFreeDoc(tree)
            }
            let complaints = Complaints()
            xmlSchemaSetValidStructuredErrors(
                context, Complaints.note, Unmanaged.passUnretained(complaints).toOpaque())
            let result = xmlSchemaValidateDoc(context, tree)
            return result == 0 ? nil : "\(result): \(complaints.text)"
        }
    }

    private final class Complaints {
        var text = ""

        static let note: xmlStructuredErrorFunc = { pointer, error in
            guard let pointer, let error, error.pointee.level != XML_ERR_WARNING else { return }
            guard let message = error.pointee.message else { return }
            Unmanaged<Complaints>.fromOpaque(pointer).takeUnretainedValue().text += String(cString: message)
        }
    }
}
