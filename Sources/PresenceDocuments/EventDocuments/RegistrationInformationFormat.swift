extension ExpandedName {
    fileprivate static func regInfo(_ local: String) -> ExpandedName { ExpandedName(.regInfo, local) }
}

extension RegistrationInformation {
    /// - Throws: `DocumentFormatError`. Elements and attributes of other namespaces are passed over.
    public init(_ document: XMLDocument) throws(DocumentFormatError) {
        let root = document.root
        guard root.name == .regInfo("reginfo") else { throw .wrongRoot(expected: .regInfo("reginfo")) }
        version = try root.version()
        state = try root.required("state", as: InformationState.self)
        registrations = []
        for element in root.elements(named: .regInfo("registration")) {
            var contacts: [RegisteredContact] = []
            for contact in element.elements(named: .regInfo("contact")) {
                contacts.append(try RegisteredContact(contact))
            }
            registrations.append(
                Registration(
                    addressOfRecord: try element.required("aor"), identifier: try element.required("id"),
                    state: try element.required("state", as: Registration.State.self), contacts: contacts))
        }
    }

    public var document: XMLDocument {
        let registrations = self.registrations.map { registration in
            XMLElement(
                .regInfo("registration"),
                attributes: [
                    XMLAttribute("aor", registration.addressOfRecord), XMLAttribute("id", registration.identifier),
                    XMLAttribute("state", registration.state.rawValue),
                ],
                children: registration.contacts.map { .element($0.element) })
        }
        let root = XMLElement(
            .regInfo("reginfo"),
            attributes: [XMLAttribute("version", String(version)), XMLAttribute("state", state.rawValue)],
            children: registrations.map { .element($0) })
        return XMLDocument(root: root.declaringNamespacesHere())
    }
}

extension RegisteredContact {
    fileprivate init(_ element: XMLElement) throws(DocumentFormatError) {
        identifier = try element.required("id")
        guard let uri = element.firstElement(named: .regInfo("uri")) else {
            throw .missingElement("uri", in: "contact")
        }
        self.uri = uri.trimmedText
        state = try element.required("state", as: State.self)
        event = try element.required("event", as: Event.self)
        displayName = element.firstElement(named: .regInfo("display-name"))?.stringValue
        durationRegistered = try element.unsigned("duration-registered")
        expires = try element.unsigned("expires")
        retryAfter = try element.unsigned("retry-after")
        priority = element[attribute: "q"]
        callIdentifier = element[attribute: "callid"]
        sequenceNumber = try element.unsigned("cseq")
        parameters = []
        for parameter in element.elements(named: .regInfo("unknown-param")) {
            parameters.append(Parameter(name: try parameter.required("name"), value: parameter.stringValue))
        }
    }

    fileprivate var element: XMLElement {
        let attributes = [
            XMLAttribute("id", identifier), XMLAttribute("state", state.rawValue),
            XMLAttribute("event", event.rawValue),
            durationRegistered.map { XMLAttribute("duration-registered", String($0)) },
            expires.map { XMLAttribute("expires", String($0)) },
            retryAfter.map { XMLAttribute("retry-after", String($0)) },
            priority.map { XMLAttribute("q", $0) }, callIdentifier.map { XMLAttribute("callid", $0) },
            sequenceNumber.map { XMLAttribute("cseq", String($0)) },
        ]
        var children = [XMLElement(.regInfo("uri"), text: uri)]
        if let displayName { children.append(XMLElement(.regInfo("display-name"), text: displayName)) }
        for parameter in parameters {
            children.append(
                XMLElement(
                    .regInfo("unknown-param"), attributes: [XMLAttribute("name", parameter.name)], text: parameter.value
                ))
        }
        return XMLElement(
            .regInfo("contact"), attributes: attributes.compactMap { $0 }, children: children.map { .element($0) })
    }
}
