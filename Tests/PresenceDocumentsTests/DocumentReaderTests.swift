import PresenceDocuments
import Testing

struct DocumentReaderTests {
    let reader = DocumentReader()

    @Test func vectorsAreThere() {
        #expect(XMLVectors.names.count >= 70)
    }

    @Test(arguments: XMLVectors.names)
    func documentsOfTheRFCsRoundTrip(_ name: String) throws {
        let document = try reader.read(try XMLVectors.bytes(name))
        let written = DocumentWriter().write(document)
        let again = try reader.read(written)
        #expect(again == document)
        #expect(DocumentWriter().write(again) == written)
    }

    @Test func namesAreResolved() throws {
        let document = try reader.read(
            #"<a xmlns="urn:x" xmlns:p="urn:y" k="1" p:k="2"><p:b/><b xmlns="urn:z"/><c xmlns=""/></a>"#)
        #expect(document.root.name == ExpandedName("urn:x", "a"))
        #expect(document.root[attribute: "k"] == "1")
        #expect(document.root.attributeValue(ExpandedName("urn:y", "k")) == "2")
        #expect(
            document.root.elements.map(\.name) == [
                ExpandedName("urn:y", "b"), ExpandedName("urn:z", "b"), ExpandedName("c"),
            ])
    }

    @Test func contentIsKept() throws {
        let document = try reader.read(
            "<?one 1?><!--two--><a>x &amp;&#60;<![CDATA[<b>&]]>\n<!--c--><?d?> </a><!--three-->")
        #expect(
            document.prolog == [.processingInstruction(.init(target: "one", data: "1")), .comment("two")])
        #expect(
            document.root.children == [
                .text("x &<<b>&\n"), .comment("c"), .processingInstruction(.init(target: "d")), .text(" "),
            ])
        #expect(document.epilog == [.comment("three")])
    }

    @Test(arguments: [
        ("", DocumentError.notWellFormed(line: 0)),
        ("<a>\n<b></a>", .notWellFormed(line: 2)),
        ("<a/><b/>", .notWellFormed(line: 1)),
        ("<p:a/>", .notWellFormed(line: 1)),
        ("<a k='1' k='2'/>", .notWellFormed(line: 1)),
        ("\u{0}<\u{0}a\u{0}/\u{0}>", .unsupportedEncoding),
        ("<a>&unknown;</a>", .notWellFormed(line: 1)),
        ("<a>\u{1}</a>", .notWellFormed(line: 1)),
        ("<!DOCTYPE a><a/>", .documentTypeDeclaration),
        (
            #"<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>"#,
            .documentTypeDeclaration
        ),
        (#"<!DOCTYPE a SYSTEM "http://127.0.0.1:1/x.dtd"><a/>"#, .documentTypeDeclaration),
        (#"<?xml version="1.0" encoding="ISO-8859-1"?><a/>"#, .unsupportedEncoding),
        (#"<?xml version="1.0" encoding="UTF-16"?><a/>"#, .notWellFormed(line: 1)),
    ])
    func refused(_ text: String, _ expected: DocumentError) {
        #expect(throws: expected) { try reader.read(text) }
    }

    @Test func brokenUTF8IsRefused() {
        let bytes: [UInt8] = Array("<a>".utf8) + [0xC3, 0x28] + Array("</a>".utf8)
        #expect(throws: DocumentError.self) { try reader.read(bytes) }
    }

    @Test func limitsHold() throws {
        let reader = DocumentReader(limits: DocumentLimits(bytes: 400, depth: 4, nodes: 10, attributes: 3))
        #expect(throws: DocumentError.tooLong) { try reader.read([UInt8](repeating: 0x20, count: 401)) }
        #expect(throws: Never.self) { try reader.read("<a><b><c><d/></c></b></a>") }
        #expect(throws: DocumentError.tooDeep) { try reader.read("<a><b><c><d><e/></d></c></b></a>") }
        let nine = String(repeating: "<b/>", count: 9)
        #expect(throws: Never.self) { try reader.read("<a>\(nine)</a>") }
        #expect(throws: DocumentError.tooManyNodes) { try reader.read("<a>\(nine)x</a>") }
        #expect(throws: Never.self) { try reader.read("<a xmlns:p='q' b='1=2=3=4' c=''/>") }
        #expect(throws: DocumentError.tooManyAttributes) { try reader.read("<a xmlns:p='q' b='' c='' d=''/>") }
        #expect(throws: Never.self) {
            try reader.read("<a><!-- a=b=c=d=e ><--><?p a=b=c=d=e?><![CDATA[a=b=c=d=e]]></a>")
        }
    }

    @Test func deepNestingCostsNothing() {
        let deep = String(repeating: "<a>", count: 80_000)
        #expect(throws: DocumentError.tooDeep) { try reader.read(deep) }
    }

    @Test func equalityIgnoresPrefixesAndTheOrderOfAttributes() throws {
        let one = try reader.read(#"<a xmlns="urn:x" b="1" c="2"><d/></a>"#)
        let other = try reader.read(#"<p:a xmlns:p="urn:x" xmlns:q="urn:y" c="2" b="1"><p:d/></p:a>"#)
        #expect(one == other)
        #expect(one.hashValue == other.hashValue)
        let different = try reader.read(#"<p:a xmlns:p="urn:x" c="2" b="1"><d/></p:a>"#)
        #expect(one != different)
    }
}
