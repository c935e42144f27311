import MessageStore
import Presence
import SIPCore

extension BoundContact {
    /// A binding as registration information tells it (RFC 3680 section 5.1).
    init(_ binding: Binding) {
        self.init(
            number: UInt64(bitPattern: binding.number.rawValue), uri: Array(binding.contact),
            expires: binding.expiresAt, q: binding.q, callID: Array(binding.callID), cseq: binding.cseq)
    }
}
