import LinkProfiles
import MessageStore
import SIPCore

/// What the registrar made of a REGISTER (RFC 3261 section 10.3).
///
/// A change is in force in the location service at once, so that the next REGISTER of the user meets it; `undo` takes it back if
/// the store refuses. The answer must wait for the commit of `commands`, and where `awaitsCommit` is set, of everything emitted
/// before: a fetch, or a rejected request whose answer lists bindings, does not tell of what may still be taken back.
struct RegistrarOutcome {
    var status: UInt16
    /// Reason phrase; nil for the status's usual one.
    var reason: StaticString?
    /// Header fields to add to the response, each with its CRLF.
    var tail: [UInt8] = []
    /// To commit before the answer, in this order.
    var commands: [StoreCommand] = []
    /// Takes the change back; nil when nothing was changed.
    var undo: RegistrationUndo?
    /// Whether the answer has to wait for the last command emitted so far, even if `commands` is empty.
    var awaitsCommit = false
    /// The address-of-record's user; -1 when there is none.
    var user: UserIndex = -1
    var effect: RegistrationEffect = []
}

/// What a registration, or its taking back, meant for the user.
struct RegistrationEffect: OptionSet, Hashable {
    let rawValue: UInt8
    /// A binding is there where none was, or a binding has a new flow or contact: deferred messages may go out.
    static let reachable = RegistrationEffect(rawValue: 1)
    /// The last binding is gone.
    static let unreachable = RegistrationEffect(rawValue: 2)
    /// A binding was refreshed or added.
    static let refreshed = RegistrationEffect(rawValue: 4)
}

/// Names a change to a user's bindings until it is known whether it was committed.
struct RegistrationUndo: Hashable {
    /// Grows with every change.
    let change: UInt64
    let user: UserIndex
}
