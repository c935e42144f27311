import COpenSSL

/// Computes the hashes of digest authentication with the system's libcrypto. Holds a working context: one thread at a time.
public final class DigestHash {
    private let context: OpaquePointer?
    private let md5: OpaquePointer?
    private let sha256: OpaquePointer?
    private let sha512_256: OpaquePointer?

    public init() {
        context = EVP_MD_CTX_new()
        md5 = EVP_MD_fetch(nil, "MD5", nil)
        sha256 = EVP_MD_fetch(nil, "SHA256", nil)
        sha512_256 = EVP_MD_fetch(nil, "SHA512-256", nil)
    }

    deinit {
        EVP_MD_CTX_free(context)
        for kind in [md5, sha256, sha512_256] { EVP_MD_free(kind) }
    }

    /// Whether this machine's libcrypto offers the algorithm; a FIPS configuration has no MD5.
    public func offers(_ algorithm: DigestAlgorithm) -> Bool { context != nil && kind(algorithm) != nil }

    /// Appends the hash in lower-case hex; false when the algorithm is not available.
    @discardableResult
    public func appendHex(_ algorithm: DigestAlgorithm, of bytes: some ContiguousBytesSource, to text: inout [UInt8])
        -> Bool
    {
        withHash(algorithm, of: bytes) { (hash: UnsafeBufferPointer<UInt8>) -> Void in
            for byte in hash {
                text.append(Hex.digit(byte >> 4))
                text.append(Hex.digit(byte & 15))
            }
        } != nil
    }

    /// The hash in lower-case hex; nil when the algorithm is not available.
    public func hex(_ algorithm: DigestAlgorithm, of bytes: some ContiguousBytesSource) -> String? {
        var text: [UInt8] = []
        guard appendHex(algorithm, of: bytes, to: &text) else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    func withHash<Result>(
        _ algorithm: DigestAlgorithm, of bytes: some ContiguousBytesSource,
        _ body: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result? {
        guard let context, let kind = kind(algorithm) else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Int(EVP_MAX_MD_SIZE)) { hash in
            var length: UInt32 = 0
            let isDone = bytes.withContiguousBytes { input in
                EVP_DigestInit_ex2(context, kind, nil) == 1
                    && EVP_DigestUpdate(context, input.baseAddress, input.count) == 1
                    && EVP_DigestFinal_ex(context, hash.baseAddress, &length) == 1
            }
            guard isDone, Int(length) == algorithm.length else { return nil }
            return body(UnsafeBufferPointer(rebasing: hash[..<Int(length)]))
        }
    }

    private func kind(_ algorithm: DigestAlgorithm) -> OpaquePointer? {
        switch algorithm {
        case .md5: md5
        case .sha256: sha256
        case .sha512_256: sha512_256
        }
    }
}

/// Bytes that lie in one piece.
public protocol ContiguousBytesSource {
    func withContiguousBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result
}

extension [UInt8]: ContiguousBytesSource {
    public func withContiguousBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(body)
    }
}

extension ArraySlice<UInt8>: ContiguousBytesSource {
    public func withContiguousBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(body)
    }
}

enum Hex {
    @inline(__always)
    static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

    @inline(__always)
    static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// The bytes a text of hex digits stands for; nil when it is not one.
    static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count / 2)
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[at]), let low = value(digits[at + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }
}
