import COpenSSL

/// The dictionaries that SIP endpoints have without being sent them (RFC 3485; RFC 5112; RFC 5049, section 4.5).
public enum StaticDictionary: CaseIterable, Sendable {
    /// RFC 3485: phrases of SIP and SDP. Every SIP endpoint has it.
    case session
    /// RFC 5112: phrases of presence documents.
    case presence

    private static let sessionValue = decode(sessionDictionaryText)
    private static let presenceValue = decode(presenceDictionaryText)

    /// The state value.
    public var value: [UInt8] {
        switch self {
        case .session: Self.sessionValue
        case .presence: Self.presenceValue
        }
    }

    /// The state: address 0, instruction 0, 6 bytes of the identifier suffice. nil when libcrypto has no SHA-1.
    public func item(hash: StateHash) -> StateItem? {
        let value = value
        let minimum = UInt8(PartialStateIdentifier.lengths.lowerBound)
        return hash.identifier(address: 0, instruction: 0, minimumAccessLength: minimum, value: value[...]).map {
            StateItem(identifier: $0, address: 0, instruction: 0, minimumAccessLength: minimum, value: value)
        }
    }

    private static func decode(_ text: StaticString) -> [UInt8] {
        text.withUTF8Buffer { text in
            // Decoding writes whole groups of 3 bytes, zeros for the padding at the end.
            var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3)
            let decoded = bytes.withUnsafeMutableBufferPointer { buffer in
                EVP_DecodeBlock(buffer.baseAddress, text.baseAddress, Int32(text.count))
            }
            let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
            return Array(bytes.prefix(max(0, Int(decoded) - padding)))
        }
    }
}
