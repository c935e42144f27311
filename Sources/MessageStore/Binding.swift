public import LinkProfiles

/// A registration as it is kept durably (RFC 3261 section 10, RFC 5626 section 6): one row of table `binding`.
public struct StoredBinding: Hashable, Sendable {
    public var number: BindingNumber
    public var address: AddressNumber
    /// The contact's URI as it was registered, byte for byte.
    public var contact: String
    /// Contact parameters other than q and expires, as registered, beginning with `;` when there are any.
    public var parameters: String
    public var callID: String
    public var cseq: UInt32
    /// q in thousandths, 0 to 1000 (RFC 3261 section 20.10).
    public var q: UInt16
    public var expiresAt: Instant
    /// Path header values, one string, comma separated (RFC 3327); empty when there are none.
    public var path: String
    /// `+sip.instance` without quotes and brackets; empty when there is none (RFC 5626).
    public var instance: String
    /// `reg-id`; 0 when there is none.
    public var regID: UInt32
    /// The flow the registration came by, as text the engine writes and reads; empty when it is not to be reused.
    public var flow: String

    public init(
        number: BindingNumber, address: AddressNumber, contact: String, parameters: String, callID: String,
        cseq: UInt32, q: UInt16, expiresAt: Instant, path: String, instance: String, regID: UInt32, flow: String
    ) {
        self.number = number
        self.address = address
        self.contact = contact
        self.parameters = parameters
        self.callID = callID
        self.cseq = cseq
        self.q = q
        self.expiresAt = expiresAt
        self.path = path
        self.instance = instance
        self.regID = regID
        self.flow = flow
    }
}
