extension IPAddress {
    /// From text: dotted IPv4, or IPv6 with or without brackets (RFC 4291 section 2.2). Zone identifiers are refused.
    public init?(parsing text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes.span)
    }

    /// From the bytes of a text, such as the host of a Via.
    public init?(parsing bytes: ArraySlice<UInt8>) {
        self.init(bytes.span)
    }

    private init?(_ span: Span<UInt8>) {
        let isBracketed = span.count > 2 && span[0] == UInt8(ascii: "[") && span[span.count - 1] == UInt8(ascii: "]")
        self.init(span, isBracketed ? 1 : 0, isBracketed ? span.count - 1 : span.count)
    }

    /// From a stretch of bytes without brackets.
    init?(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        guard start < end, end <= bytes.count else { return nil }
        if let bits = Self.readV4(bytes, start, end) {
            self.init(v4: bits)
            return
        }
        guard let (high, low) = Self.readV6(bytes, start, end) else { return nil }
        self.init(high: high, low: low)
    }

    private static func readV4(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> UInt32? {
        guard start < end, end - start <= 15, bytes[start].isDigit else { return nil }
        var bits: UInt32 = 0
        var index = start
        for part in 0..<4 {
            var value: UInt32 = 0
            let first = index
            while index < end, index - first < 3, bytes[index].isDigit {
                value = value * 10 + UInt32(bytes[index] &- 0x30)
                index += 1
            }
            guard index > first, value <= 255 else { return nil }
            bits = bits << 8 | value
            if part < 3 {
                guard index < end, bytes[index] == UInt8(ascii: ".") else { return nil }
                index += 1
            }
        }
        return index == end ? bits : nil
    }

    private static func readV6(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> (UInt64, UInt64)? {
        var value: UInt128 = 0
        var groups = 0
        var gap: Int?
        var index = start
        if end - start >= 2, bytes[start] == UInt8(ascii: ":") {
            guard bytes[start + 1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            index += 2
        }
        while index < end {
            // ":::" before an IPv4 part comes of a slip in RFC 3261's grammar (RFC 5118 section 4.10).
            if gap == groups, bytes[index] == UInt8(ascii: ":"), readV4(bytes, index + 1, end) != nil { index += 1 }
            if groups <= 6, let v4 = readV4(bytes, index, end) {
                value = value << 32 | UInt128(v4)
                groups += 2
                index = end
                break
            }
            guard groups < 8 else { return nil }
            var group: UInt128 = 0
            let first = index
            while index < end, index - first < 4, let digit = bytes[index].hexValue {
                group = group << 4 | UInt128(digit)
                index += 1
            }
            guard index > first else { return nil }
            value = value << 16 | group
            groups += 1
            guard index < end else { break }
            guard bytes[index] == UInt8(ascii: ":"), index + 1 < end else { return nil }
            index += 1
            if bytes[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = groups
                index += 1
            }
        }
        if let gap {
            guard groups < 8 else { return nil }
            // The groups behind the gap are at the low end already; those before it move up.
            let behind = UInt128((groups - gap) * 16)
            let low = behind == 0 ? 0 : value & (UInt128.max >> (128 - behind))
            let high = gap == 0 ? 0 : (value >> behind) << UInt128((8 - gap) * 16)
            value = high | low
        } else {
            guard groups == 8 else { return nil }
        }
        return (UInt64(truncatingIfNeeded: value >> 64), UInt64(truncatingIfNeeded: value))
    }

    /// Appends the text: dotted IPv4, or IPv6 as RFC 5952 wants it.
    public func write(to bytes: inout [UInt8], isBracketed: Bool = false) {
        if isV4 {
            for shift in stride(from: 24, through: 0, by: -8) {
                let part = UInt8(truncatingIfNeeded: v4Bits >> UInt32(shift))
                if part >= 100 { bytes.append(0x30 + part / 100) }
                if part >= 10 { bytes.append(0x30 + part / 10 % 10) }
                bytes.append(0x30 + part % 10)
                if shift > 0 { bytes.append(UInt8(ascii: ".")) }
            }
            return
        }
        if isBracketed { bytes.append(UInt8(ascii: "[")) }
        writeV6(to: &bytes)
        if isBracketed { bytes.append(UInt8(ascii: "]")) }
    }

    private func group(_ index: Int) -> UInt16 {
        let half = index < 4 ? high : low
        return UInt16(truncatingIfNeeded: half >> UInt64((3 - index % 4) * 16))
    }

    private func writeV6(to bytes: inout [UInt8]) {
        var best = (start: 8, count: 1)
        var start = 0
        while start < 8 {
            var count = 0
            while start + count < 8, group(start + count) == 0 { count += 1 }
            if count > best.count { best = (start, count) }
            start += count + 1
        }
        var index = 0
        while index < 8 {
            if index == best.start {
                bytes.append(UInt8(ascii: ":"))
                bytes.append(UInt8(ascii: ":"))
                index += best.count
                continue
            }
            if index > 0, index != best.start + best.count { bytes.append(UInt8(ascii: ":")) }
            let value = group(index)
            var isLeading = true
            for shift in stride(from: 12, through: 0, by: -4) {
                let digit = UInt8(truncatingIfNeeded: value >> UInt16(shift)) & 15
                if isLeading, digit == 0, shift > 0 { continue }
                isLeading = false
                bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
            }
            index += 1
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The address in text, IPv6 without brackets.
    public var description: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension TransportAddress: CustomStringConvertible {
    /// `192.0.2.1:5060` or `[2001:db8::1]:5060`.
    public var description: String {
        var writer = MessageWriter(capacity: 48)
        writer.append(ip)
        writer.append(":")
        writer.append(decimal: port)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// From `address:port`, IPv6 in brackets.
    public init?(parsing text: some StringProtocol) {
        let bytes = Array(text.utf8)
        var index = 0
        var host = ByteRange.empty
        var port: UInt16 = 0
        guard
            HostGrammar.read(bytes.span, &index, bytes.count, host: &host, port: &port, allowsSpace: false),
            index == bytes.count, port != 0, let ip = IPAddress(parsing: bytes[host.lower..<host.upper])
        else { return nil }
        self.init(ip: ip, port: port)
    }
}
