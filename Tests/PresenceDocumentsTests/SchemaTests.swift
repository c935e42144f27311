import PresenceDocuments
import Testing

/// What Godwit writes is valid by the schemas of the RFCs.
struct SchemaTests {
    let reader = DocumentReader()
    let writer = DocumentWriter()

    /// The validator itself: it takes valid examples and refuses what index.json says the schemas refuse.
    @Test(arguments: [
        ("3863-4-presence-default-namespace-with-status-extensions.xml", true), ("5262-1-pidf-full-examples.xml", true),
        ("5262-2-pidf-diff-examples.xml", true), ("3858-1-watcherinfo-example.xml", true),
        ("3680-1-reginfo-example.xml", true), ("5196-1-presence-examples.xml", true),
        ("5261-1-patch-ops-error-error-elements.xml", true), ("4480-1-presence-example.xml", false),
        ("4660-2-presence-presence-specific-examples.xml", false),
    ])
    func theValidatorAgreesWithTheVectors(_ name: String, _ isValid: Bool) throws {
        #expect(SchemaValidator.shared.loadingComplaints == "")
        let complaint = SchemaValidator.shared.complaint(about: try XMLVectors.bytes(name))
        #expect((complaint == nil) == isValid, "\(complaint ?? "")")
    }

    /// Valid documents stay so when they are composed anew and written.
    @Test(arguments: XMLVectors.names.filter { $0.contains("-presence-") || $0.contains("-pidf-") })
    func composedDocumentsStayValid(_ name: String) throws {
        let bytes = try XMLVectors.bytes(name)
        guard SchemaValidator.shared.complaint(about: bytes) == nil else { return }
        let root = try reader.read(bytes).root.withoutIndentation()
        if root.name.namespace == .pidf {
            #expect(SchemaValidator.shared.complaint(about: writer.write(root.declaringNamespacesHere())) == nil)
            let full = PartialPresence(version: 1, entity: nil, content: .full(root))
            #expect(SchemaValidator.shared.complaint(about: writer.write(full.document)) == nil)
        } else {
            let partial = try PartialPresence(XMLDocument(root: root))
            #expect(SchemaValidator.shared.complaint(about: writer.write(partial.document)) == nil)
        }
    }

    /// Differences of all kinds, between random documents that share the values of `id` and so on.
    @Test func differencesAreValid() throws {
        for seed in UInt64(0)..<300 {
            var documents = RandomDocuments(seed: seed)
            let old = documents.element()
            let patch = Patch.difference(from: old, to: documents.changed(old))
            let partial = PartialPresence(version: 7, entity: "pres:a@example.com", content: .difference(patch))
            let bytes = writer.write(partial.document)
            let complaint = SchemaValidator.shared.complaint(about: bytes)
            #expect(complaint == nil, "seed \(seed): \(complaint ?? "") in \(String(decoding: bytes, as: UTF8.self))")
        }
    }

    @Test(arguments: PatchError.Condition.allCases)
    func errorDocumentsAreValid(_ condition: PatchError.Condition) throws {
        let operation = try reader.read("<p:add xmlns:p='urn:ietf:params:xml:ns:pidf-diff' sel='a'><b/></p:add>").root
        let error = PatchError(condition, "words & signs", operation: operation)
        let complaint = SchemaValidator.shared.complaint(about: writer.write(error.document))
        #expect(complaint == nil)
    }
}
