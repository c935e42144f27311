// rooms: PresenceDocuments
// seeds: xml/5262-*.xml
// dictionary: documents.dict
// link: -lxml2
import PresenceDocuments

/// The input is two documents with the byte 0x1e between them. The second is applied to the first as a patch if it is one; and the
/// difference between the two, sent and applied, makes the second of the first.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPatchApplication(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let parts = UnsafeBufferPointer(start: data, count: size).split(separator: 0x1e, maxSplits: 1)
    guard parts.count == 2 else { return 0 }
    let limits = DocumentLimits(depth: 12, nodes: 600, attributes: 16)
    let reader = DocumentReader(limits: limits)
    guard let old = try? reader.read(Array(parts[0])), let new = try? reader.read(Array(parts[1])) else { return 0 }
    if let patch = try? Patch(operationsIn: new.root) { apply(patch, to: old, limits: limits) }
    checkDifference(from: old.root, to: new.root)
    return 0
}

func apply(_ patch: Patch, to document: XMLDocument, limits: DocumentLimits) {
    do {
        let patched = try patch.apply(to: document, limits: limits)
        precondition(patched.root.depth <= limits.depth)
        precondition(read(patched) == patched)
        checkDifference(from: document.root, to: patched.root)
    } catch {
        precondition(read(error.document) == error.document)
    }
}

func checkDifference(from old: XMLElement, to new: XMLElement) {
    let partial = PartialPresence(version: 1, entity: "e", content: .difference(.difference(from: old, to: new)))
    guard let received = try? PartialPresence(read(partial.document)), case .difference(let patch) = received.content,
        let patched = try? patch.apply(to: read(XMLDocument(root: old)).root, limits: generous)
    else { preconditionFailure("the difference does not apply") }
    precondition(patched == new)
}

let generous = DocumentLimits(bytes: 1 << 24, depth: 32, nodes: 8192, attributes: 128)

func read(_ document: XMLDocument) -> XMLDocument {
    guard let again = try? DocumentReader(limits: generous).read(DocumentWriter().write(document)) else {
        preconditionFailure("what was written cannot be read")
    }
    return again
}
