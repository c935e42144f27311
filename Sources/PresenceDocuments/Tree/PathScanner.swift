/// Reads the small tokens of the XPath subsets of RFC 5261 and RFC 4661.
struct PathScanner {
    private let bytes: [UInt8]
    private(set) var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position == bytes.count }

    func isNext(_ token: StaticString) -> Bool {
        let length = token.utf8CodeUnitCount
        guard bytes.count - position >= length else { return false }
        return (0..<length).allSatisfy { bytes[position + $0] == token.utf8Start[$0] }
    }

    /// Moves behind the token if it is next.
    mutating func skip(_ token: StaticString) -> Bool {
        guard isNext(token) else { return false }
        position += token.utf8CodeUnitCount
        return true
    }

    /// Moves behind the keyword if it is next and no name goes on behind it.
    mutating func skipKeyword(_ keyword: StaticString) -> Bool {
        let end = position + keyword.utf8CodeUnitCount
        guard isNext(keyword), end == bytes.count || !bytes[end].isNameByte else { return false }
        position = end
        return true
    }

    mutating func skipWhitespace() {
        while position < bytes.count, bytes[position].isXMLWhitespace { position += 1 }
    }

    /// A name without colon (Namespaces in XML 1.0, production 4).
    mutating func unqualifiedName() -> String? {
        let start = position
        guard position < bytes.count, bytes[position].isNameStart else { return nil }
        while position < bytes.count, bytes[position].isNameByte { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// `local` or `prefix:local`. Nothing is consumed where there is none.
    mutating func qualifiedName() -> (prefix: String, local: String)? {
        let start = position
        guard let first = unqualifiedName() else { return nil }
        guard isNext(":"), !isNext("::") else { return ("", first) }
        position += 1
        guard let local = unqualifiedName() else {
            position = start
            return nil
        }
        return (first, local)
    }

    /// What is between two apostrophes or two quotation marks.
    mutating func literal() -> String? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "'") || bytes[position] == UInt8(ascii: "\"")
        else { return nil }
        guard let end = bytes[(position + 1)...].firstIndex(of: bytes[position]) else { return nil }
        defer { position = end + 1 }
        return String(decoding: bytes[(position + 1)..<end], as: UTF8.self)
    }

    /// A number of digits only, at most nine.
    mutating func number() -> Int? {
        let start = position
        var value = 0
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            value = value * 10 + Int(bytes[position] - UInt8(ascii: "0"))
            position += 1
            if position - start > 9 { break }
        }
        guard position > start, position - start <= 9 else {
            position = start
            return nil
        }
        return value
    }

    /// The digits behind a decimal point; may be none.
    mutating func fractionDigits() -> String {
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }
}

extension UInt8 {
    /// Bytes of a name's first character. Those above ASCII are taken without a look at which character they are.
    fileprivate var isNameStart: Bool {
        self >= 0x80 || self == UInt8(ascii: "_")
            || (self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "z")
    }

    fileprivate var isNameByte: Bool {
        isNameStart || self == UInt8(ascii: "-") || self == UInt8(ascii: ".")
            || self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9")
    }
}
