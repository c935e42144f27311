import PresenceDocuments
import Testing

/// Input that somebody has damaged or made up.
struct HostileInputTests {
    let reader = DocumentReader()
    let writer = DocumentWriter()

    /// Documents with bytes changed, taken out and put in are refused or read, and what is read can be written and read again.
    @Test(arguments: XMLVectors.names)
    func damagedDocuments(_ name: String) throws {
        let original = try XMLVectors.bytes(name)
        var random = SeededGenerator(seed: UInt64(original.count))
        let interesting = Array("<>&\"'/=![]-?:;# \u{0}\u{80}\u{FF}ax".utf8)
        for _ in 0..<60 {
            var bytes = original
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                let byte = interesting[Int.random(in: 0..<interesting.count, using: &random)]
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[index] = byte
                case 1: bytes.remove(at: index)
                default: bytes.insert(byte, at: index)
                }
            }
            guard let document = try? reader.read(bytes) else { continue }
            let written = writer.write(document)
            #expect(try reader.read(written) == document)
            _ = try? PresenceDocument(document)
            _ = try? PartialPresence(document)
            _ = try? FilterSet(document)
            _ = try? WatcherInformation(document)
            _ = try? RegistrationInformation(document)
        }
    }

    /// Patches made up from pieces of selectors: whatever they do, the document stays one that can be written and read.
    @Test(arguments: 0..<20)
    func madeUpPatches(_ batch: UInt64) throws {
        let limits = DocumentLimits(depth: 8, nodes: 200, attributes: 8)
        var applied = 0
        for seed in (batch * 60)..<(batch * 60 + 60) {
            var documents = RandomDocuments(seed: seed)
            var document = XMLDocument(root: documents.element())
            for _ in 0..<8 {
                let element = operation(&documents)
                guard let patch = try? Patch(operationsIn: element),
                    let patched = try? patch.apply(to: document, limits: limits)
                else { continue }
                applied += 1
                #expect(isNormal(patched.root), "seed \(seed)")
                #expect(patched.root.depth <= 8)
                #expect(patched.root.nodeCount <= 200)
                #expect(try reader.read(writer.write(patched)) == patched, "seed \(seed)")
                document = patched
            }
        }
        #expect(applied > 20)
    }

    private func operation(_ documents: inout RandomDocuments) -> XMLElement {
        let steps = ["*", "*[1]", "*[2]", "*[@id='i1']", "p:tuple", "id('i2')", "*[.='open']", "p:note[1]"]
        let ends = [
            "", "", "", "/text()", "/text()[1]", "/@id", "/@r:id", "/comment()", "/namespace::p",
            "/processing-instruction('t')",
        ]
        let path = ["*"] + (0..<Int.random(in: 0..<3, using: &documents.random)).map { _ in documents.pick(steps) }
        var operation = XMLElement(ExpandedName(documents.pick(["add", "replace", "remove"])))
        operation[attribute: "sel"] = path.joined(separator: "/") + documents.pick(ends)
        switch operation.name.local {
        case "add":
            let content = documents.element(depth: 1)
            operation.children = documents.chance(50) ? content.children : [.element(content)]
            if documents.chance(40) { operation[attribute: "pos"] = documents.pick(["before", "after", "prepend"]) }
            if documents.chance(30) {
                operation.children = [.text("urn:value")]
                operation[attribute: "type"] = documents.pick([
                    "@k", "@r:k", "namespace::p", "namespace::n", "@xml:lang",
                ])
            }
        case "replace":
            operation.children = documents.chance(50) ? [.element(documents.element(depth: 1))] : [.text("urn:text")]
        default: if documents.chance(30) { operation[attribute: "ws"] = documents.pick(["before", "after", "both"]) }
        }
        return XMLElement(
            ExpandedName("diff"),
            declarations: [NamespaceDeclaration(prefix: "p", .pidf), NamespaceDeclaration(prefix: "r", .rpid)],
            children: [.element(operation)])
    }

    /// No empty texts, and none side by side.
    private func isNormal(_ element: XMLElement) -> Bool {
        var wasText = false
        for child in element.children {
            switch child {
            case .text(let text):
                if wasText || text.isEmpty { return false }
                wasText = true
            case .element(let element):
                if !isNormal(element) { return false }
                wasText = false
            case .comment, .processingInstruction: wasText = false
            }
        }
        return true
    }
}
