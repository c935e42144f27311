import SIPDialog

extension SequenceReservation {
    /// The store holds the dialog no more, so that no restart can bring it back: numbers need no reservation.
    mutating func useFreely() { stored(used + Subscription.block) }
}
