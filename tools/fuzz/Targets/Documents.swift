// rooms: PresenceDocuments
// seeds: xml/*.xml
// dictionary: documents.dict
// link: -lxml2
import PresenceDocuments

/// Any bytes are refused or read within the limits; what is read is the same when it has been written and read again, and the typed
/// documents take it or refuse it.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzDocuments(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    let limits = DocumentLimits(depth: 12, nodes: 600, attributes: 16)
    let reader = DocumentReader(limits: limits)
    guard let document = try? reader.read(bytes) else { return 0 }
    precondition(document.root.depth <= limits.depth)
    // Escaping makes texts longer, and namespaces may have to be declared.
    let lenient = DocumentReader(limits: DocumentLimits(bytes: 1 << 24, depth: 12, nodes: 600, attributes: 64))
    for root in [document.root, document.root.declaringNamespacesHere(), document.root.withoutIndentation()] {
        guard let again = try? lenient.read(DocumentWriter().write(XMLDocument(root: root))) else {
            preconditionFailure("what was written cannot be read")
        }
        precondition(again.root == root)
    }
    if let presence = try? PresenceDocument(document) { readEverything(of: presence) }
    if let partial = try? PartialPresence(document) { precondition((try? PartialPresence(partial.document)) != nil) }
    if let information = try? WatcherInformation(document) {
        precondition((try? WatcherInformation(information.document)) == information)
    }
    if let information = try? RegistrationInformation(document) {
        precondition((try? RegistrationInformation(information.document)) == information)
    }
    if let filters = try? FilterSet(document) { evaluate(filters, on: document.root) }
    return 0
}

func readEverything(of presence: PresenceDocument) {
    for tuple in presence.tuples {
        _ = (tuple.basic, tuple.contact, tuple.notes, tuple.timedStatuses, tuple.capabilities?.supportedMethods)
        _ = (tuple.richPresence.sphere, tuple.richPresence.userInput, tuple.richPresence.timeOffset)
        _ = tuple.statusExtensions { $0.namespace == .rpid }
    }
    for person in presence.persons { _ = (person.richPresence.activities, person.contactInformation.card) }
}

func evaluate(_ filters: FilterSet, on root: XMLElement) {
    for filter in filters.filters {
        for selection in (filter.content?.included ?? []) + (filter.content?.excluded ?? []) {
            guard case .path(let path) = selection, let matches = try? path.evaluate(on: root) else { continue }
            precondition(Set(matches).count == matches.count)
            precondition(zip(matches, matches.dropFirst()).allSatisfy { $0 < $1 })
            for match in matches { precondition(root.value(of: match) != nil) }
        }
    }
}
