// rooms: Yams LinkProfiles SIPCore SIPDialog
// seeds: sip/rfc4475/*.dat
// dictionary: sip.dict
import LinkProfiles
import SIPCore
import SIPDialog

/// Reads the input as a request of a subscription: what its headers say must print as it reads, and the dialog it makes must
/// write requests that are its own.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSubscriptions(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    if let dialog = Dialog(bytes: bytes) {
        precondition(dialog.bytes == bytes, "a dialog that is not what the store has")
        _ = written(dialog)
    }
    guard case .message(let message) = SIPMessage.parse(bytes), message.isRequest else { return 0 }
    checkHeaders(message)
    checkDialog(message)
    checkSubscriber(message)
    return 0
}

func checkHeaders(_ message: SIPMessage) {
    if let state = SubscriptionStateHeader(of: message), state.substate != .other {
        var writer = MessageWriter()
        writer.append("NOTIFY sip:a SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a>\r\nTo: <sip:a>\r\nCall-ID: a\r\n")
        writer.append("CSeq: 1 NOTIFY\r\nSubscription-State: ")
        writer.append(state)
        writer.appendLineEnd()
        guard case .message(let again) = SIPMessage.parse(writer.finish()) else {
            preconditionFailure("a Subscription-State that breaks its message")
        }
        var expected = state
        if state.reason == .other { expected.reason = nil }
        precondition(SubscriptionStateHeader(of: again) == expected, "a Subscription-State that does not print as it reads")
    }
    if let event = EventHeader(of: message) {
        precondition(message.names(event, type: message[event.type], id: message[event.id]), "an event that is not itself")
    }
    if case .tag(let tag) = SuppressIfMatch(of: message) { precondition(!tag.isEmpty, "an empty entity-tag") }
}

func checkDialog(_ message: SIPMessage) {
    guard var dialog = try? Dialog(accepting: message, localTag: Array("ours".utf8)) else { return }
    precondition(dialog.bytes.count <= Dialog.maximumLength, "a dialog that is too long")
    precondition(Dialog(bytes: dialog.bytes) == dialog, "a dialog that the store changes")
    guard case .message(let request) = SIPMessage.parse(written(dialog)) else {
        preconditionFailure("a request in a dialog that is none")
    }
    precondition(request[request.callID] == dialog.callID, "another Call-ID")
    precondition(request[request.from.tag] == dialog.localTag && request[request.to.tag] == dialog.remoteTag, "other tags")
    precondition(request.values(.route).count <= message.values(.recordRoute).count, "invented routes")
    precondition(request.fields.count <= 9, "invented headers")
    precondition((try? dialog.refreshTarget(from: message)) == false, "a target that changes by itself")
}

func written(_ dialog: Dialog) -> [UInt8] {
    var writer = MessageWriter()
    dialog.appendRequest(
        .notify, sequence: 1, via: Array("SIP/2.0/UDP 192.0.2.1".utf8), contact: Array("<sip:192.0.2.1>".utf8), to: &writer)
    return writer.finish()
}

func checkSubscriber(_ message: SIPMessage) {
    var subscriber = SubscriberDialog(
        callID: Array(message[message.callID]), localTag: Array(message[message.to.tag]), event: Array("presence".utf8))
    let before = subscriber
    let policy = SubscriberPolicy()
    var subscription = OutgoingSubscription(policy: policy, notBefore: Instant(microseconds: 0))
    _ = subscription.begin(at: Instant(microseconds: 0), random: 0)
    subscription.ended(.accepted(status: 200, expires: nil), at: Instant(microseconds: 0), random: 0)
    switch subscriber.received(message) {
    case .refused(let status):
        precondition((400...599).contains(status), "a refusal that is none")
        precondition(subscriber == before, "a refused NOTIFY that changes the dialog")
    case .accepted(let header):
        precondition(subscriber.dialog != nil, "no dialog")
        _ = subscription.notified(header, at: Instant(microseconds: 1), random: 0)
        precondition(subscription.state == .ended || subscription.nextMoment != nil, "a subscription that stands still")
    }
}
