/// What the sender of a message has proved. A driver keeps SigComp states for those who are known, and for nobody else
/// (RFC 3320 section 4.3).
public enum SenderStanding: Hashable, Sendable {
    case unknown
    /// An account's user, as a hash that tells users apart; 0 for a neighbour, for who answers a request of ours, and where nobody
    /// has to prove anything.
    case known(user: UInt64)
}
