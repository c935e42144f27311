/// Computes and compares the `response` of digest credentials (RFC 7616 section 3.4.1). Reuses its buffers.
final class DigestResponse {
    let hash = DigestHash()
    private var text: [UInt8] = []
    private var wanted: [UInt8] = []

    struct Parts {
        var nonce: ArraySlice<UInt8>
        var count: ArraySlice<UInt8>
        var cnonce: ArraySlice<UInt8>
        var qop: ArraySlice<UInt8>
        var method: ArraySlice<UInt8>
        var uri: ArraySlice<UInt8>
        /// For `auth-int` only.
        var body: ArraySlice<UInt8>?
    }

    /// Whether `response` is what the parts and H(username:realm:password), appended in hex by `secret`, give. Takes the same
    /// time wherever they differ.
    func matches(
        _ response: ArraySlice<UInt8>, _ algorithm: DigestAlgorithm, _ parts: Parts, secret: (inout [UInt8]) -> Void
    ) -> Bool {
        guard compute(algorithm, parts, secret: secret), wanted.count == response.count else { return false }
        var difference: UInt8 = 0
        for (ours, theirs) in zip(wanted, response) {
            difference |= ours ^ (theirs >= 0x41 && theirs <= 0x46 ? theirs | 0x20 : theirs)
        }
        return difference == 0
    }

    /// The response in lower-case hex; nil when the algorithm is not available.
    func response(_ algorithm: DigestAlgorithm, _ parts: Parts, secret: (inout [UInt8]) -> Void) -> [UInt8]? {
        compute(algorithm, parts, secret: secret) ? wanted : nil
    }

    private func compute(_ algorithm: DigestAlgorithm, _ parts: Parts, secret: (inout [UInt8]) -> Void) -> Bool {
        wanted.removeAll(keepingCapacity: true)
        text.removeAll(keepingCapacity: true)
        text.append(contentsOf: parts.method)
        text.append(0x3A)
        text.append(contentsOf: parts.uri)
        if let body = parts.body {
            text.append(0x3A)
            guard hash.appendHex(algorithm, of: body, to: &text) else { return false }
        }
        guard hash.appendHex(algorithm, of: text, to: &wanted) else { return false }
        text.removeAll(keepingCapacity: true)
        secret(&text)
        for part in [parts.nonce, parts.count, parts.cnonce, parts.qop, wanted[...]] {
            text.append(0x3A)
            text.append(contentsOf: part)
        }
        wanted.removeAll(keepingCapacity: true)
        return hash.appendHex(algorithm, of: text, to: &wanted)
    }
}

/// The inside of a quoted string (RFC 3261 section 25.1).
enum QuotedText {
    /// The text a range between quotes stands for, its backslashes taken off.
    static func unescaped(_ inside: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard inside.contains(0x5C) else { return inside }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in inside {
            if byte == 0x5C, !isEscaped {
                isEscaped = true
            } else {
                result.append(byte)
                isEscaped = false
            }
        }
        return result[...]
    }

    static func equals(_ inside: ArraySlice<UInt8>, _ text: [UInt8]) -> Bool {
        inside.contains(0x5C) ? unescaped(inside) == text[...] : inside == text[...]
    }

    static func append(_ text: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output.append(0x22)
        for byte in text {
            if byte == 0x22 || byte == 0x5C { output.append(0x5C) }
            output.append(byte)
        }
        output.append(0x22)
    }
}
