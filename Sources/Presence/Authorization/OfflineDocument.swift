import PresenceDocuments

/// What a politely blocked watcher sees: neither person nor device, a single service that is closed (RFC 5025 section 3.2.1).
enum OfflineDocument {
    static func make(entity: String) -> XMLElement {
        let basic = XMLElement(.basic, text: "closed")
        let tuple = XMLElement(
            .tuple, attributes: [XMLAttribute("id", "unavailable")],
            children: [.element(XMLElement(.status, children: [.element(basic)]))])
        return XMLElement(.presence, attributes: [XMLAttribute("entity", entity)], children: [.element(tuple)])
            .declaringNamespacesHere()
    }
}
