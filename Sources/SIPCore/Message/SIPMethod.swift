/// A request method (RFC 3261 section 7.1 and its extensions). Names are case-sensitive.
public enum SIPMethod: UInt8, Hashable, Sendable, CaseIterable {
    /// A method this server has no name for; its text stays readable in ``SIPMessage/methodText``.
    case other
    case register, message, options, invite, ack, cancel, bye
    case subscribe, notify, publish, info, update, prack, refer

    /// The method as written on the wire; empty for ``other``.
    public var text: StaticString {
        switch self {
        case .other: ""
        case .register: "REGISTER"
        case .message: "MESSAGE"
        case .options: "OPTIONS"
        case .invite: "INVITE"
        case .ack: "ACK"
        case .cancel: "CANCEL"
        case .bye: "BYE"
        case .subscribe: "SUBSCRIBE"
        case .notify: "NOTIFY"
        case .publish: "PUBLISH"
        case .info: "INFO"
        case .update: "UPDATE"
        case .prack: "PRACK"
        case .refer: "REFER"
        }
    }

    static func recognized(_ bytes: Span<UInt8>, _ range: ByteRange) -> SIPMethod {
        let candidate: SIPMethod
        guard !range.isEmpty, range.upper <= bytes.count else { return .other }
        switch (range.count, bytes[range.lower]) {
        case (8, UInt8(ascii: "R")): candidate = .register
        case (7, UInt8(ascii: "M")): candidate = .message
        case (7, UInt8(ascii: "O")): candidate = .options
        case (6, UInt8(ascii: "I")): candidate = .invite
        case (3, UInt8(ascii: "A")): candidate = .ack
        case (6, UInt8(ascii: "C")): candidate = .cancel
        case (3, UInt8(ascii: "B")): candidate = .bye
        case (9, UInt8(ascii: "S")): candidate = .subscribe
        case (6, UInt8(ascii: "N")): candidate = .notify
        case (7, UInt8(ascii: "P")): candidate = .publish
        case (4, UInt8(ascii: "I")): candidate = .info
        case (6, UInt8(ascii: "U")): candidate = .update
        case (5, UInt8(ascii: "P")): candidate = .prack
        case (5, UInt8(ascii: "R")): candidate = .refer
        default: return .other
        }
        return bytes.equals(candidate.text, at: range) ? candidate : .other
    }
}
