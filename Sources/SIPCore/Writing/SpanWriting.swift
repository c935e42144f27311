extension MessageWriter {
    /// Writes borrowed bytes; nothing is retained for it.
    public mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }
}
