/// Why a well-formed document is not of the format that it should be.
public enum DocumentFormatError: Error, Hashable, Sendable {
    case wrongRoot(expected: ExpandedName)
    case missingElement(String, in: String)
    case missingAttribute(String, element: String)
    case invalidAttribute(String, element: String)
}

extension DocumentFormatError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongRoot(let expected): "the root element is not \(expected.local)"
        case .missingElement(let name, let parent): "\(parent) without \(name)"
        case .missingAttribute(let name, let element): "\(element) without attribute \(name)"
        case .invalidAttribute(let name, let element): "invalid attribute \(name) of \(element)"
        }
    }
}

extension XMLElement {
    /// The value of an attribute that has to be there.
    func required(_ attribute: String) throws(DocumentFormatError) -> String {
        guard let value = self[attribute: attribute] else {
            throw .missingAttribute(attribute, element: name.local)
        }
        return value
    }

    /// An attribute that has one of certain values and has to be there.
    func required<Value: RawRepresentable<String>>(
        _ attribute: String, as type: Value.Type
    ) throws(DocumentFormatError) -> Value {
        guard let value = Value(rawValue: try required(attribute)) else {
            throw .invalidAttribute(attribute, element: name.local)
        }
        return value
    }

    /// An `xs:unsignedLong` that may be absent.
    func unsigned(_ attribute: String) throws(DocumentFormatError) -> UInt64? {
        guard let text = self[attribute: attribute] else { return nil }
        guard let value = XMLSchemaValue.unsigned(text) else {
            throw .invalidAttribute(attribute, element: name.local)
        }
        return value
    }

    /// The version of a document in a row of documents: 32 bits (RFC 3680, section 5.1 and RFC 3858, section 3).
    func version() throws(DocumentFormatError) -> UInt32 {
        guard let version = UInt32((try required("version")).trimmingXMLWhitespace()) else {
            throw .invalidAttribute("version", element: name.local)
        }
        return version
    }
}
