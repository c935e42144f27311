import SIPCore

/// Rewrites header names to their one-letter forms (RFC 3261 section 7.3.3) for links that count bytes.
enum HeaderCompaction {
    /// The same message with every name that has a short form in it; bytes that are no message stay as they are.
    static func compact(_ bytes: [UInt8]) -> [UInt8] {
        guard case .message(let message) = SIPMessage.parse(bytes), let first = message.fields.first else {
            return bytes
        }
        var writer = MessageWriter(capacity: bytes.count, compact: true)
        writer.append(ByteRange(start: 0, end: first.line.start), of: message)
        for field in message.fields {
            if field.name != .other, field.name.compactForm.utf8CodeUnitCount == 1 {
                writer.append(field.name.compactForm)
                writer.append(field.value.isEmpty ? ":" : ": ")
                writer.append(field.value, of: message)
                writer.appendLineEnd()
            } else {
                writer.append(field, of: message)
            }
        }
        writer.appendLineEnd()
        writer.append(message.body, of: message)
        return writer.bytes
    }
}
