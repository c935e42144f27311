import Foundation
import PresenceDocuments
import Testing

/// The examples of RFC 5261, appendix A and RFC 5262, section 6.
struct PatchVectorTests {
    struct Vectors: Decodable { let examples: [Example] }

    struct Example: Decodable, Sendable, CustomTestStringConvertible {
        let id: String
        let initial: String?
        let initial_as_presence: String?
        let diff: String
        let expected: String?
        let expected_exact: String?
        let result_as_presence: String?

        var testDescription: String { id }
    }

    static let examples: [Example] = {
        let file = XMLVectors.directory.appending(path: "patch-rfc5261.json")
        guard let data = try? Data(contentsOf: file) else { return [] }
        return (try? JSONDecoder().decode(Vectors.self, from: data).examples) ?? []
    }()

    @Test func allExamplesAreThere() { #expect(Self.examples.count == 19) }

    @Test(arguments: examples)
    func examplesGiveWhatIsPrinted(_ example: Example) throws {
        let reader = DocumentReader()
        let initial = try reader.read(try #require(example.initial ?? example.initial_as_presence))
        let expected = try reader.read(
            try #require(example.expected_exact ?? example.expected ?? example.result_as_presence))
        let isFile = example.diff.hasSuffix(".xml")
        let diff = try isFile ? XMLVectors.bytes(example.diff) : Array(example.diff.utf8)
        let patch = try Patch(operationsIn: try reader.read(diff).root)
        let patched = try patch.apply(to: initial)
        #expect(patched == expected)
        // Prefixes and declarations as well.
        #expect(DocumentWriter().write(patched) == DocumentWriter().write(expected))
    }

    @Test func theExampleErrorDocumentIsWritten() throws {
        let reader = DocumentReader()
        let diff = try reader.read(
            #"<d xmlns="urn:ietf:params:xml:ns:pidf-diff"><add sel='id("ert4773")'>"#
                + "\n    <note>some text added</note>\n  </add></d>")
        let patch = try Patch(operationsIn: diff.root)
        let failure = #expect(throws: PatchError.self) { try patch.apply(to: XMLElement(ExpandedName("doc"))) }
        let written = try #require(failure).document.root
        let example = try reader.read(try XMLVectors.bytes("5261-1-patch-ops-error-error-elements.xml")).root
        #expect(written.name == example.name)
        let condition = try #require(written.firstElement(named: ExpandedName(.patchError, "unlocated-node")))
        let expected = try #require(example.firstElement(named: ExpandedName(.patchError, "unlocated-node")))
        #expect(condition.withoutIndentation().children == expected.withoutIndentation().children)
    }
}
