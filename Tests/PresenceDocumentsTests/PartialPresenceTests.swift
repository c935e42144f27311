import PresenceDocuments
import Testing

struct PartialPresenceTests {
    func document(_ name: String) throws -> PartialPresence {
        try PartialPresence(try DocumentReader().read(try XMLVectors.bytes(name)))
    }

    @Test(arguments: [
        ("5262-1-pidf-full-examples.xml", 567), ("5262-2-pidf-diff-examples.xml", 568),
        ("5263-1-pidf-full-examples.xml", nil), ("5263-2-pidf-diff-examples.xml", nil),
        ("5264-1-pidf-full-examples.xml", nil), ("5264-2-pidf-diff-examples.xml", nil),
    ])
    func documentsOfTheRFCs(_ name: String, _ version: UInt32?) throws {
        let partial = try document(name)
        if let version { #expect(partial.version == version) }
        let again = try PartialPresence(try DocumentReader().read(DocumentWriter().write(partial.document)))
        #expect(again == partial)
    }

    @Test func theExampleOfRFC5262() throws {
        guard case .full(let old) = try document("5262-1-pidf-full-examples.xml").content,
            case .difference(let patch) = try document("5262-2-pidf-diff-examples.xml").content,
            case .full(let new) = try document("5262-3-pidf-full-examples.xml").content
        else {
            Issue.record("not the documents expected")
            return
        }
        let patched = try patch.apply(to: old).withoutIndentation()
        #expect(patched.elements.map(\.name) == new.elements.map(\.name))
        #expect(
            patched.elements(named: ExpandedName(.pidf, "tuple")).dropLast()
                == new.withoutIndentation().elements(named: ExpandedName(.pidf, "tuple")).dropLast())
        #expect(old.name == ExpandedName(.pidf, "presence"))
    }

    @Test(arguments: [
        "<presence xmlns='urn:ietf:params:xml:ns:pidf'/>",
        "<pidf-full/>",
        "<pidf-full xmlns='urn:ietf:params:xml:ns:pidf-diff' version='-1'/>",
        "<pidf-diff xmlns='urn:ietf:params:xml:ns:pidf-diff' version='4294967296'/>",
        "<pidf-diff xmlns='urn:ietf:params:xml:ns:pidf-diff'><tuple xmlns='urn:ietf:params:xml:ns:pidf'/></pidf-diff>",
    ])
    func otherDocumentsAreRefused(_ text: String) throws {
        let document = try DocumentReader().read(text)
        #expect(throws: PatchError.self) { try PartialPresence(document) }
    }
}
