import LinkProfiles
import SIPCore

/// How the engine's own URIs ask for SigComp (RFC 3486, RFC 5049 section 9.1). Compressing itself is the transport's.
extension Engine {
    /// `;comp=sigcomp;sigcomp-id=…` for a URI of ours; empty without SigComp.
    var compressionParameters: [UInt8] {
        guard !configuration.sigcompIdentifier.isEmpty else { return [] }
        return Array(";comp=sigcomp;sigcomp-id=\(configuration.sigcompIdentifier)".utf8)
    }

    /// Whether the next hop of a branch asks for SigComp: the first Route value, else the Request-URI.
    func wantsSigComp(_ target: ForwardTarget) -> Bool {
        guard !configuration.sigcompIdentifier.isEmpty else { return false }
        let hop =
            target.path.isEmpty
            ? SIPURI(target.uri) : NameAddress(parsing: target.path.prefix { $0 != UInt8(ascii: ",") })?.uri
        return hop?.parameters["comp"]?.lowercased() == "sigcomp"
    }

    /// How large a request may be that goes to a target in one datagram (RFC 3261 section 18.1.1). It is the size on the wire that
    /// counts: SigComp makes less than a third of a message once both ends have seen some.
    func datagramLimit(_ profile: LinkProfile, towards target: ForwardTarget) -> Int {
        wantsSigComp(target) ? profile.datagramLimit * 3 : profile.datagramLimit
    }

    /// A Contact by which a client learns that it may send SigComp (RFC 3486 section 4.1); nothing without SigComp.
    func compressedContact(for flow: Flow) -> [UInt8] {
        guard !configuration.sigcompIdentifier.isEmpty, let point = localPoint(for: .flow(flow)) else { return [] }
        var line = MessageWriter(capacity: 160)
        line.append("Contact: <sip:")
        line.append(point.advertisedHost)
        line.append(byte: UInt8(ascii: ":"))
        line.append(decimal: point.advertisedPort)
        if point.transport != .udp {
            line.append(";transport=")
            line.append(point.transport.uriToken)
        }
        line.append(compressionParameters)
        line.append(">\r\n")
        return line.bytes
    }
}
