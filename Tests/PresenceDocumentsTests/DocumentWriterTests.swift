import PresenceDocuments
import Testing

struct DocumentWriterTests {
    func written(_ element: XMLElement) -> String {
        String(decoding: DocumentWriter(writesDeclaration: false).write(element), as: UTF8.self)
    }

    @Test func specialCharactersAreEscaped() throws {
        let element = XMLElement(
            ExpandedName("a"), attributes: [XMLAttribute("b", "<\"&\t\n\r'>")], children: [.text("<>&\r\"'")])
        #expect(written(element) == #"<a b="&lt;&quot;&amp;&#9;&#10;&#13;'>">&lt;&gt;&amp;&#13;"'</a>"#)
        let again = try DocumentReader().read(written(element)).root
        #expect(again.attributes == element.attributes)
        #expect(again.children == element.children)
    }

    @Test func whatXMLCannotSayIsChanged() throws {
        let element = XMLElement(
            ExpandedName("a"), attributes: [XMLAttribute("b", "\u{0}\u{1F}\u{FFFF}ｘ\u{FEFF}")],
            children: [
                .text("\u{7}\u{FFFE}é"), .comment("a--b---"),
                .processingInstruction(ProcessingInstruction(target: "p", data: "x?>y")),
            ])
        #expect(
            written(element)
                == "<a b=\"\u{FFFD}\u{FFFD}\u{FFFD}ｘ\u{FEFF}\">\u{FFFD}\u{FFFD}é<!--a- -b- - - --><?p x? >y?></a>")
        #expect(throws: Never.self) { try DocumentReader().read(written(element)) }
    }

    @Test func declarationsAreAddedWhereTheyAreMissing() throws {
        let rpid = XMLElement(
            ExpandedName(.rpid, "activities"), children: [.element(XMLElement(ExpandedName(.rpid, "busy")))])
        #expect(written(rpid) == #"<activities xmlns="urn:ietf:params:xml:ns:pidf:rpid"><busy/></activities>"#)
        let person = XMLElement(
            ExpandedName(.dataModel, "person"), prefix: "dm",
            declarations: [NamespaceDeclaration(prefix: "r", .rpid), NamespaceDeclaration(.pidf)],
            attributes: [XMLAttribute(ExpandedName("urn:x", "y"), value: "z")],
            children: [.element(rpid), .element(XMLElement(ExpandedName("plain")))])
        #expect(
            written(person)
                == #"<dm:person xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" xmlns="urn:ietf:params:xml:ns:pidf""#
                + #" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:n1="urn:x" n1:y="z">"#
                + #"<r:activities><r:busy/></r:activities><plain xmlns=""/></dm:person>"#)
        #expect(try DocumentReader().read(written(person)).root == person)
    }

    @Test func contradictingDeclarationsAreSetRight() throws {
        let element = XMLElement(
            ExpandedName("a"),
            declarations: [
                NamespaceDeclaration("urn:x"), NamespaceDeclaration("urn:y"),
                NamespaceDeclaration(prefix: "xml", "urn:z"),
                NamespaceDeclaration(prefix: "p", .none),
            ],
            children: [.element(XMLElement(ExpandedName("urn:x", "b")))])
        #expect(written(element) == #"<a xmlns=""><b xmlns="urn:x"/></a>"#)
    }

    @Test func namespacesMoveToTheRoot() throws {
        let document = try DocumentReader().read(
            #"<q:presence xmlns:q="urn:ietf:params:xml:ns:pidf" xmlns:unused="urn:u"><q:tuple id="1"><z:busy "#
                + #"xmlns:z="urn:ietf:params:xml:ns:pidf:rpid" z:k="v" xml:lang="de"/></q:tuple>"#
                + #"<b xmlns="urn:b"/><a xmlns="urn:a"/></q:presence>"#)
        let moved = document.root.declaringNamespacesHere()
        #expect(
            written(moved)
                == #"<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:n1="urn:a" xmlns:n2="urn:b""#
                + #" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"><tuple id="1">"#
                + #"<r:busy r:k="v" xml:lang="de"/></tuple><n2:b/><n1:a/></presence>"#)
        #expect(moved == document.root)
        #expect(try DocumentReader().read(written(moved)).root == document.root)
    }

    @Test func indentationGoesAndContentStays() throws {
        let document = try DocumentReader().read("<a>\n  <b> x </b>\n  <c> </c><!-- y -->\n</a>")
        let stripped = document.root.withoutIndentation()
        #expect(written(stripped) == "<a><b> x </b><c> </c><!-- y --></a>")
        #expect(stripped.withoutIndentation().isIdentical(to: stripped))
    }

    @Test func changingACopyLeavesTheOriginal() throws {
        let original = try DocumentReader().read("<a><b k='1'/><b k='2'/></a>").root
        var copy = original
        copy.updateElements { $0[attribute: "k"]? += "0" }
        copy.removeElements { $0[attribute: "k"] == "20" }
        #expect(written(original) == #"<a><b k="1"/><b k="2"/></a>"#)
        #expect(written(copy) == #"<a><b k="10"/></a>"#)
    }
}
