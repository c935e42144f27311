/// Says which flows get a link profile: every condition that is given must hold. The first rule that matches wins;
/// an account's own profile goes before every rule, and a flow that nothing matches gets `lan`.
public struct ProfileRule: Hashable, Sendable {
    /// Name of the profile.
    public var profile: String
    /// The far end's address lies in here.
    public var network: NetworkPrefix?
    /// Transport in lower case, as in a URI's `transport` parameter: `udp`, `tcp` or `tls`.
    public var transport: String?
    /// Address-of-record, `user@domain` in lower-case domain, that is registered over the flow.
    public var account: String?

    public init(
        profile: String, network: NetworkPrefix? = nil, transport: String? = nil, account: String? = nil
    ) {
        self.profile = profile
        self.network = network
        self.transport = transport
        self.account = account
    }

    /// Whether a flow from this address (halves of the IPv6 form), over this transport, falls under the rule.
    /// `account` is empty while nobody is known to be behind the flow; rules that name an account do not match then.
    public func matches(high: UInt64, low: UInt64, transport: String, account: String = "") -> Bool {
        if let network, !network.contains(high: high, low: low) { return false }
        if let wanted = self.transport, wanted != transport { return false }
        if let wanted = self.account, wanted != account { return false }
        return true
    }
}
