/// Values of the simple types of XML Schema, part 2.
enum XMLSchemaValue {
    /// `xs:boolean`
    static func boolean(_ text: String) -> Bool? {
        switch text.trimmingXMLWhitespace() {
        case "true", "1": true
        case "false", "0": false
        default: nil
        }
    }

    /// `xs:decimal`
    static func decimal(_ text: String) -> Double? {
        let trimmed = text.trimmingXMLWhitespace()
        let isNegative = trimmed.hasPrefix("-")
        let digits = isNegative || trimmed.hasPrefix("+") ? trimmed.dropFirst() : trimmed[...]
        var hasDigit = false
        var points = 0
        for byte in digits.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): hasDigit = true
            case UInt8(ascii: "."): points += 1
            default: return nil
            }
        }
        guard hasDigit, points <= 1, let value = Double(digits.hasPrefix(".") ? "0" + digits : String(digits)) else {
            return nil
        }
        return isNegative ? -value : value
    }

    /// `xs:unsignedLong`, and the unsigned part of the other whole numbers.
    static func unsigned(_ text: String) -> UInt64? {
        let trimmed = text.trimmingXMLWhitespace()
        return UInt64(trimmed.hasPrefix("+") ? String(trimmed.dropFirst()) : trimmed)
    }
}
