import SIPCore

extension Registration {
    /// How the device behind a contact is to be reached.
    ///
    /// By the flow of the request if the contact is for one outbound flow (RFC 5626 section 5.3), if it came over a Path, or if
    /// it names the sender itself, seen from its side or from ours; that crosses a NAT. A contact that is somewhere else is where
    /// its URI says (RFC 3261 section 16.6 step 6).
    func route(of contact: ContactRequest) -> BindingRoute {
        contact.regID != 0 || !path.isEmpty || request.isSender(contact.place, on: flow) ? .flow(flow) : .contact
    }
}

extension SIPMessage {
    /// Whether its one Contact names whoever sent it.
    func isSender(atContactOf flow: Flow) -> Bool {
        guard let contact = addresses(.contact).first, let place = addressOfRecord(of: contact.uri) else {
            return false
        }
        return isSender(place, on: flow)
    }

    /// Whether a URI of the message names whoever sent it, as seen from its side or from ours.
    func isSender(_ place: AddressOfRecordKey, on flow: Flow) -> Bool {
        let transport = parameter("transport", in: place.parameters)
        if flow.transport.isReliable {
            let isSame = transport.map { equalsFolded($0, flow.transport.viaToken) } ?? place.isSecure
            if isSame { return true }
        }
        let isSecure = place.isSecure || transport.map { equalsFolded($0, "tls") } ?? false
        let port = place.port > 0 ? place.port : (isSecure ? SIPTransport.tls : .udp).defaultPort
        if port == flow.remote.port, IPAddress(parsing: self[place.host]) == flow.remote.ip { return true }
        let via = topVia
        return port == (via.port > 0 ? via.port : flow.transport.defaultPort)
            && self[place.host].elementsEqual(self[via.host]) { $0 | 0x20 == $1 | 0x20 }
    }
}
