/// Cuts a header value at its commas (RFC 3261 section 7.3.1), those in quoted strings and angle brackets aside.
struct ListScanner {
    private var position: Int
    private let end: Int
    private var isDone = false

    init(_ value: ByteRange) {
        position = value.lower
        end = value.upper
    }

    /// The next part, trimmed and perhaps empty; nil behind the last one.
    mutating func next(_ bytes: Span<UInt8>) -> ByteRange? {
        let end = min(end, bytes.count)
        guard !isDone, position < end else { return nil }
        let start = bytes.skipSpace(position, end)
        var index = start
        var inBrackets = false
        scan: while index < end {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = bytes.skipQuoted(index, end) ?? end
                continue scan
            case UInt8(ascii: "<"): inBrackets = true
            case UInt8(ascii: ">"): inBrackets = false
            case UInt8(ascii: ",") where !inBrackets: break scan
            default: break
            }
            index += 1
        }
        index = min(index, end)
        position = index + 1
        isDone = index >= end
        return ByteRange(start, bytes.trimEnd(start, index))
    }
}

/// Walks a `;name=value;name` list (RFC 3261 `generic-param`). Stops at the first thing that is none.
struct ParameterScanner {
    struct Parameter {
        var name: ByteRange
        /// Empty when there is none; a quoted string keeps its quotes.
        var value: ByteRange
    }

    private(set) var position: Int
    private let end: Int
    /// Whether the list ended in something that is no parameter.
    private(set) var isMalformed = false

    init(_ parameters: ByteRange) {
        position = parameters.lower
        end = parameters.upper
    }

    /// The next parameter; nil behind the last one, at a comma, or where the list is malformed.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>) -> Parameter? {
        let end = min(end, bytes.count)
        var index = bytes.skipSpace(position, end)
        guard index < end, bytes[index] == UInt8(ascii: ";") else {
            position = index
            return nil
        }
        index = bytes.skipSpace(index + 1, end)
        let nameEnd = bytes.skip(.token, index, end)
        guard nameEnd > index else {
            isMalformed = true
            return nil
        }
        var parameter = Parameter(name: ByteRange(index, nameEnd), value: .empty)
        position = nameEnd
        index = bytes.skipSpace(nameEnd, end)
        guard index < end, bytes[index] == UInt8(ascii: "=") else { return parameter }
        index = bytes.skipSpace(index + 1, end)
        let valueEnd: Int
        if index < end, bytes[index] == UInt8(ascii: "\"") {
            guard let close = bytes.skipQuoted(index, end), close <= end else {
                isMalformed = true
                return nil
            }
            valueEnd = close
        } else {
            valueEnd = bytes.skip(.parameterValue, index, end)
        }
        guard valueEnd > index else {
            isMalformed = true
            return nil
        }
        parameter.value = ByteRange(index, valueEnd)
        position = valueEnd
        return parameter
    }
}
