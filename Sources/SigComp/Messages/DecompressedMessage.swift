/// What came out of a SigComp message, and what the message asks of the state handler. Nothing of that is done before the
/// application has named the compartment, see ``DecompressorDispatcher/accept(_:for:at:)``.
public struct DecompressedMessage: Sendable {
    /// The application's message; nil when the bytecode gave out none, which is not the same as an empty one.
    public var output: [UInt8]?
    /// What the decompression cost.
    public var cycles: Int
    /// The bytes of the SigComp message.
    public var compressedLength: Int
    /// States to create and free, in this order.
    public var requests: [StateRequest]
    /// The returned feedback item of the header, its length byte included.
    public var returnedFeedbackItem: [UInt8]?
    public var requestedFeedback: RequestedFeedback?
    public var returnedParameters: ReturnedParameters?
    /// The state that the header names, if it names one.
    public var programState: PartialStateIdentifier?
}

/// A message that came with SigComp.
public enum ReceivedSigComp: Sendable {
    case message(DecompressedMessage)
    case negativeAcknowledgement(NegativeAcknowledgement)
}
