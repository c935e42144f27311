import PresenceDocuments

/// The presentity's sphere for the evaluation of rules (RFC 5025 section 3.1.2).
enum Sphere {
    /// The one value that all documents which name a sphere of the person agree on; nil when none does, or they differ.
    static func agreed(in documents: some Sequence<XMLElement>) -> String? {
        var agreed: String?
        for document in documents {
            for person in document.elements(named: .person) {
                for sphere in person.elements(named: .sphere) {
                    let value = value(of: sphere)
                    guard agreed == nil || agreed == value else { return nil }
                    agreed = value
                }
            }
        }
        return agreed
    }

    /// An element such as `work`, or a text of the user's own (RFC 4480 section 3.11).
    private static func value(of sphere: XMLElement) -> String {
        for case .element(let child) in sphere.children { return child.name.local.lowercased() }
        return sphere.trimmedText.lowercased()
    }
}
