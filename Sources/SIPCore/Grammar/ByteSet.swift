/// A set of ASCII characters as two constant words, so that membership is a shift and no memory access.
struct ByteSet {
    let low: UInt64
    let high: UInt64

    @inline(__always)
    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word = byte < 64 ? low : high
        return byte < 128 && (word >> UInt64(byte & 63)) & 1 != 0
    }

    // The words are written out so that they are constants in the code; ByteSetTests derives them from the grammar.

    /// RFC 3261 `token`.
    static var token: ByteSet { ByteSet(low: 0x03ff_6ca2_0000_0000, high: 0x47ff_ffff_87ff_fffe) }
    /// RFC 3261 `word`, of which Call-ID is made, with "@".
    static var callID: ByteSet { ByteSet(low: 0xd7ff_efa6_0000_0000, high: 0x6fff_ffff_bfff_ffff) }
    /// RFC 3261 `user` without escapes: unreserved and user-unreserved.
    static var user: ByteSet { ByteSet(low: 0xabff_ffd2_0000_0000, high: 0x47ff_fffe_87ff_fffe) }
    /// RFC 3261 `unreserved`.
    static var unreserved: ByteSet { ByteSet(low: 0x03ff_6782_0000_0000, high: 0x47ff_fffe_87ff_fffe) }
    /// RFC 3261 `password` without escapes.
    static var password: ByteSet { ByteSet(low: 0x23ff_7fd2_0000_0000, high: 0x47ff_fffe_87ff_fffe) }
    /// RFC 3261 `paramchar` without escapes.
    static var parameter: ByteSet { ByteSet(low: 0x07ff_efd2_0000_0000, high: 0x47ff_fffe_afff_fffe) }
    /// RFC 3261 `hname` and `hvalue` without escapes.
    static var uriHeader: ByteSet { ByteSet(low: 0x87ff_ef92_0000_0000, high: 0x47ff_fffe_afff_fffe) }
    /// Letters, digits, "-", "." and (seen in the field) "_".
    static var hostname: ByteSet { ByteSet(low: 0x03ff_6000_0000_0000, high: 0x07ff_fffe_87ff_fffe) }
    /// What an IPv6 address is written with.
    static var ipv6: ByteSet { ByteSet(low: 0x07ff_4000_0000_0000, high: 0x0000_007e_0000_007e) }
    /// RFC 3986 characters of any URI, the percent sign included.
    static var anyURI: ByteSet { ByteSet(low: 0xafff_fffa_0000_0000, high: 0x47ff_fffe_afff_ffff) }
    /// A generic-param's value written without quotes: token, host, and the bare IPv6 address of `received`.
    static var parameterValue: ByteSet { ByteSet(low: 0x07ff_6ca2_0000_0000, high: 0x47ff_ffff_afff_fffe) }
    /// Letters, digits, "+", "-", ".".
    static var scheme: ByteSet { ByteSet(low: 0x03ff_6800_0000_0000, high: 0x07ff_fffe_07ff_fffe) }
}
