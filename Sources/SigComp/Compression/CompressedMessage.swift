/// What to send for a message.
public struct CompressedMessage: Sendable {
    public enum Form: Equatable, Sendable {
        case compressed(CompressionAlgorithm)
        /// A SigComp message that holds the plain one (RFC 4896, section 11); only over streams, which must not mix plain and
        /// SigComp messages (RFC 5049, section 5).
        case passedThrough
        /// The message as it was.
        case plain
    }

    /// What goes into the datagram, or, if ``isSigComp``, into the stream with record marking.
    public var bytes: [UInt8]
    public var form: Form
    /// The bytes of the message before.
    public var plainLength: Int

    public var isSigComp: Bool { form != .plain }
}

/// What a NACK has led to.
public struct NegativeAcknowledgementOutcome: Sendable {
    /// The peer that sent it.
    public var compartment: CompartmentIdentifier
    /// How the refused message was sent.
    public var transport: DecompressorDispatcher.Transport
    /// The refused message; nil when it is not kept any more, or is already known to have arrived in another way.
    public var plain: [UInt8]?
    /// The same message without what the peer lacks, to be sent in its place; nil when ``plain`` is, or when the message was
    /// refused too often.
    public var again: CompressedMessage?
}
