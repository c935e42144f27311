import PresenceDocuments
import Testing

struct DifferenceTests {
    func text(_ patch: Patch) -> String {
        let element = patch.element(named: ExpandedName("d"), contentNamespace: .pidf)
        return String(decoding: DocumentWriter(writesDeclaration: false).write(element), as: UTF8.self)
    }

    @Test(arguments: [
        ("<a><b>1</b></a>", "<a><b>2</b></a>", "<replace sel=\"*/*/text()\">2</replace>"),
        ("<a><b/></a>", "<a><b>2</b></a>", "<add sel=\"*/*\">2</add>"),
        ("<a><b>2</b></a>", "<a><b/></a>", "<remove sel=\"*/*/text()\"/>"),
        ("<a><b id='1'/><b id='2'/></a>", "<a><b id='2'/></a>", "<remove sel=\"*/*[@id='1']\"/>"),
        ("<a><b id='2'/></a>", "<a><b id='2'/><c/></a>", "<add sel=\"*\"><c/></add>"),
        ("<a><b id='2'/></a>", "<a><c/><d/><b id='2'/></a>", "<add sel=\"*\" pos=\"prepend\"><c/><d/></add>"),
        ("<a><b/><b/></a>", "<a><b/><c/><b/></a>", "<add sel=\"*/*[2]\" pos=\"before\"><c/></add>"),
        ("<a k='1'/>", "<a k='2'/>", "<replace sel=\"*/@k\">2</replace>"),
        ("<a k='1'/>", "<a k=''/>", "<replace sel=\"*/@k\"/>"),
        ("<a k='1'><b/></a>", "<a><b/></a>", "<remove sel=\"*/@k\"/>"),
        ("<a><b/><c/></a>", "<a j='2'><b/><c/></a>", "<add sel=\"*\" type=\"@j\">2</add>"),
        ("<a>\n <b/>\n <c/>\n</a>", "<a>\n <b/>\n</a>", "<remove sel=\"*/*[2]\" ws=\"before\"/>"),
        ("<a><b id=\"'&quot;\"/><c>1</c></a>", "<a><b id=\"'&quot;\">2</b><c>1</c></a>", "<add sel=\"*/*[1]\">2</add>"),
        ("<a><!--1--></a>", "<a><!--2--></a>", "<replace sel=\"*/comment()\"><!--2--></replace>"),
        ("<a/>", "<b/>", "<replace sel=\"*\"><b/></replace>"),
        ("<a/>", "<a k=''/>", "<replace sel=\"*\"><a k=\"\"/></replace>"),
        ("<a/>", "<a/>", ""),
    ])
    func theSmallestOperationIsTaken(_ old: String, _ new: String, _ expected: String) throws {
        let reader = DocumentReader()
        let patch = Patch.difference(from: try reader.read(old).root, to: try reader.read(new).root)
        #expect(text(patch) == (expected.isEmpty ? "<d/>" : "<d>\(expected)</d>"))
    }

    /// 25 tuples, one of which closes.
    @Test func aStatusChangeTakesAtMost250Bytes() throws {
        func document(_ status: String) throws -> XMLElement {
            let tuples = (1...25).map { number in
                "<tuple id=\"t\(number)\"><status><basic>\(number == 17 ? status : "open")</basic></status>"
                    + "<contact priority=\"0.8\">sip:alice@192.0.2.\(number):5060</contact></tuple>"
            }
            return try DocumentReader().read(
                "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"pres:alice@example.com\">"
                    + "\(tuples.joined())</presence>"
            ).root
        }
        let old = try document("open")
        let new = try document("closed")
        let partial = PartialPresence(
            version: 12345, entity: "pres:alice@example.com", content: .difference(.difference(from: old, to: new)))
        let bytes = DocumentWriter().write(partial.document)
        #expect(bytes.count <= 250)
        let received = try PartialPresence(try DocumentReader().read(bytes))
        guard case .difference(let patch) = received.content else {
            Issue.record("not a difference")
            return
        }
        #expect(try patch.apply(to: old) == new)
        #expect(received.version == 12345)
        #expect(received.entity == "pres:alice@example.com")
    }

    /// A difference, sent as bytes and applied to the old document as it was sent, gives the new one.
    @Test(arguments: 0..<40)
    func differencesApplied(_ batch: UInt64) throws {
        let reader = DocumentReader()
        let writer = DocumentWriter()
        for seed in (batch * 50)..<(batch * 50 + 50) {
            var documents = RandomDocuments(seed: seed)
            let old = documents.element()
            let new = documents.chance(80) ? documents.changed(old) : documents.element()
            let style: SelectorStyle = documents.chance(50) ? .identified : .positional
            let patch = Patch.difference(from: old, to: new, style: style)
            let diff = patch.element(named: ExpandedName(.pidfDiff, "pidf-diff"), contentNamespace: .pidf)
            let received = try Patch(operationsIn: try reader.read(writer.write(diff)).root)
            let target = try reader.read(writer.write(old))
            #expect(target.root == old, "seed \(seed)")
            let patched = try received.apply(to: target)
            #expect(patched.root == new, "seed \(seed)")
            #expect(try reader.read(writer.write(patched)).root == new, "seed \(seed)")
        }
    }

    @Test func largeDocumentsAreReplacedWhereAligningWouldCostTooMuch() throws {
        let old = XMLElement(
            ExpandedName("a"), children: (0..<2000).map { .element(XMLElement(ExpandedName("b"), text: "\($0)")) })
        let new = XMLElement(ExpandedName("a"), children: old.children.reversed())
        let patch = Patch.difference(from: old, to: new)
        #expect(patch.operations.count == 1)
        #expect(try patch.apply(to: old) == new)
    }
}
