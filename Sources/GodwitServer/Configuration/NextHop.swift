import Engine
import SIPCore

/// A next hop as configuration writes it: `sip:host[:port][;transport=udp|tcp|tls]`.
struct NextHop {
    var host: String
    var port: UInt16
    var transport: SIPTransport?

    /// - Throws: ``Refusal`` with the reason in words for the operator.
    init(_ text: String) throws(Refusal) {
        var parts = text.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
        let address = parts.removeFirst()
        let isSecure = address.hasPrefix("sips:")
        guard isSecure || address.hasPrefix("sip:") else {
            throw Refusal(reason: "`\(text)` is not a SIP URI; write it as sip:host:port;transport=udp")
        }
        let target = String(address.drop { $0 != ":" }.dropFirst())
        guard !target.contains("@") else { throw Refusal(reason: "`\(text)` names a user; a next hop is a host") }
        guard let hostPort = HostPort(target) else {
            throw Refusal(reason: "`\(target)` is not a host with an optional port")
        }
        host = hostPort.host
        port = hostPort.port
        transport = isSecure ? .tls : nil
        for parameter in parts where parameter != "lr" {
            guard parameter.hasPrefix("transport="),
                let named = SIPTransport(uriToken: parameter.dropFirst("transport=".count))
            else { throw Refusal(reason: "`;\(parameter)` is not understood; only ;transport=udp, tcp or tls is") }
            guard !isSecure || named.isReliable else {
                throw Refusal(reason: "`\(text)` wants TLS and \(named.uriToken) at once")
            }
            transport = isSecure ? .tls : named
        }
    }

    struct Refusal: Error { var reason: String }
}
