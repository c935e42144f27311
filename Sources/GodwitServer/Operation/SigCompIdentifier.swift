import Engine
import SIPCore

/// The server's SIP/SigComp identifier where none is configured: a UUID that follows from the installation's secret, so that
/// it is the same after a restart (RFC 5049 section 9.1).
enum SigCompIdentifier {
    static func make(from secret: EngineSecret) -> String {
        var hash = KeyedHash(key: (secret.words.2, secret.words.0), wide: true)
        hash.combine(Array("sigcomp-id".utf8)[...])
        let (high, low) = hash.finalize128()
        // Version 4 and the variant of RFC 4122 section 4.4.
        let digits =
            hexadecimal(high & 0xffff_ffff_ffff_0fff | 0x4000) + hexadecimal(low & 0x3fff_ffff_ffff_ffff | 1 << 63)
        var text = "urn:uuid:"
        for (index, digit) in digits.enumerated() {
            if [8, 12, 16, 20].contains(index) { text += "-" }
            text.append(digit)
        }
        return text
    }

    private static func hexadecimal(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
