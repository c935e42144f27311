public import SIPCore

/// Hears what the network does. All calls come on the transport's event loop, never from inside a call of a
/// ``TransportLayer`` method: what happens meanwhile is told afterwards, in order.
public protocol TransportDelegate: AnyObject {
    /// A datagram, or one message framed out of a stream (RFC 3261 section 18.3). Keep-alives do not appear here.
    func received(_ bytes: [UInt8], on flow: Flow)

    /// The same for a message that came compressed: tells who it is from, and so whether its states may be kept (RFC 3320
    /// section 4.3).
    func receivedCompressed(_ bytes: [UInt8], on flow: Flow) -> CompressionAdmission

    /// No more calls for now: the time to hand out what they caused and to call ``TransportLayer/flush()``.
    /// Follows every run of calls, whatever they were.
    func readBurstEnded()

    /// A connection is up, its TLS handshake included. `target` is what it was opened for; `nil` when it was accepted.
    func flowOpened(_ flow: Flow, target: Target?)

    /// A connection that had been opened is gone.
    func flowClosed(_ flow: Flow)

    /// A transmission that carried a token (not 0) did not leave, or may not have arrived. `reason` is for logs.
    func transmissionFailed(token: UInt64, reason: String)
}
