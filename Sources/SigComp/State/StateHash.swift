import COpenSSL

/// SHA-1 by the system's libcrypto, as SigComp uses it: to name states and messages (RFC 3320, section 9.4.9; RFC 4077).
/// Holds a working context: one thread at a time.
public final class StateHash {
    private let context: OpaquePointer?
    private let sha1: OpaquePointer?

    public init() {
        context = EVP_MD_CTX_new()
        sha1 = EVP_MD_fetch(nil, "SHA1", nil)
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_MD_free(sha1)
    }

    /// The hash of some bytes; nil when this machine's libcrypto has no SHA-1.
    public func identifier(of bytes: [UInt8]) -> StateIdentifier? {
        identifier(prefix: [], bytes: bytes[...])
    }

    /// The identifier of a state with these properties and this value.
    public func identifier(address: UInt16, instruction: UInt16, minimumAccessLength: UInt8, value: ArraySlice<UInt8>)
        -> StateIdentifier?
    {
        let length = UInt16(truncatingIfNeeded: value.count)
        let prefix = [length, address, instruction, UInt16(minimumAccessLength)].flatMap { word in
            [UInt8(word >> 8), UInt8(word & 0xFF)]
        }
        return identifier(prefix: prefix, bytes: value)
    }

    private func identifier(prefix: [UInt8], bytes: ArraySlice<UInt8>) -> StateIdentifier? {
        guard let context, let sha1 else { return nil }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: StateIdentifier.length) { hash in
            var length: UInt32 = 0
            let isDone =
                EVP_DigestInit_ex2(context, sha1, nil) == 1
                && prefix.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) } == 1
                && bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) } == 1
                && EVP_DigestFinal_ex(context, hash.baseAddress, &length) == 1
            return isDone && Int(length) == hash.count ? StateIdentifier(hash) : nil
        }
    }
}
