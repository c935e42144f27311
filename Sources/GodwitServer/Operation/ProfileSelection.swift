import LinkProfiles
import SIPCore

/// Finds the profile of a connection before anybody is known to be behind it.
struct ProfileSelection: Sendable {
    let profiles: [String: LinkProfile]
    let rules: [ProfileRule]

    func profile(_ transport: SIPTransport, _ remote: TransportAddress) -> LinkProfile {
        let rule = rules.first { $0.matches(high: remote.ip.high, low: remote.ip.low, transport: transport.uriToken) }
        return rule.flatMap { profiles[$0.profile] } ?? profiles["lan"] ?? LinkProfile()
    }
}
