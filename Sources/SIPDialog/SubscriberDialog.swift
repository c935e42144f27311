public import SIPCore

/// The dialog of a subscription that this side keeps elsewhere: what its NOTIFYs are told by, before and after the first of
/// them has made the dialog (RFC 6665 sections 4.1.3, 4.4.1).
///
/// The presence and reg packages allow one dialog for a SUBSCRIBE (RFC 3856 section 6.9, RFC 3680 section 4.9): where a request
/// forked, the first NOTIFY has it.
public struct SubscriberDialog: Hashable, Sendable {
    public let callID: [UInt8]
    /// The From tag of our SUBSCRIBEs.
    public let localTag: [UInt8]
    /// Event package with its templates.
    public let event: [UInt8]
    /// The `id` parameter; empty for none.
    public let eventID: [UInt8]
    /// nil until the first NOTIFY. Refreshes are sent in it.
    public private(set) var dialog: Dialog?
    /// CSeq of our last SUBSCRIBE.
    public private(set) var localSequence: UInt32 = 0
    private var remoteSequence = RemoteSequence()

    /// How a NOTIFY is taken.
    public enum Verdict: Hashable, Sendable {
        /// It belongs to the subscription and comes in its turn: 200, unless the subscription is over.
        case accepted(SubscriptionStateHeader)
        case refused(status: UInt16)
    }

    public init(callID: [UInt8], localTag: [UInt8], event: [UInt8], eventID: [UInt8] = []) {
        self.callID = callID
        self.localTag = localTag
        self.event = event
        self.eventID = eventID
    }

    /// CSeq of the SUBSCRIBE to be sent now.
    public mutating func nextSequence() -> UInt32 {
        localSequence = min(localSequence + 1, SequenceReservation.last)
        return localSequence
    }

    /// Whether a NOTIFY answers our SUBSCRIBE, in whichever dialog.
    public func isAddressed(by notify: SIPMessage) -> Bool {
        notify[notify.callID].elementsEqual(callID) && notify[notify.to.tag].elementsEqual(localTag)
    }

    /// Checks a NOTIFY and takes over what it changes in the dialog: the dialog itself, its remote target, its sequence number.
    /// One that is refused changes nothing.
    public mutating func received(_ notify: SIPMessage) -> Verdict {
        guard isAddressed(by: notify) else { return .refused(status: 481) }
        guard notify.contains(.event) else { return .refused(status: 400) }
        guard let event = EventHeader(of: notify) else { return .refused(status: 400) }
        guard notify.names(event, type: self.event, id: eventID) else {
            // Another package than was asked for is unknown here; another id is another subscription.
            return .refused(status: notify[event.type].elementsEqual(self.event) ? 481 : 489)
        }
        guard let header = SubscriptionStateHeader(of: notify) else { return .refused(status: 400) }
        if let status = remoteSequence.check(notify.cseqNumber).statusCode { return .refused(status: status) }
        if let status = adopt(notify) { return .refused(status: status) }
        remoteSequence.accept(notify.cseqNumber)
        return .accepted(header)
    }

    /// Makes the dialog, or checks that it is this one and refreshes its target. Returns the status of a refusal.
    private mutating func adopt(_ notify: SIPMessage) -> UInt16? {
        do throws(DialogFailure) {
            if dialog == nil {
                dialog = try Dialog(accepting: notify, localTag: localTag)
            } else {
                guard dialog?.matches(notify) == true else { return 481 }
                try dialog?.refreshTarget(from: notify)
            }
            return nil
        } catch {
            return error.statusCode
        }
    }
}
