/// Why a patch cannot be applied (RFC 5261, section 5). The document to patch stays as it was.
public struct PatchError: Error, Hashable, Sendable {
    /// The error elements of section 5.1.
    public enum Condition: String, Hashable, Sendable, CaseIterable {
        case invalidAttributeValue = "invalid-attribute-value"
        case invalidCharacterSet = "invalid-character-set"
        case invalidDiffFormat = "invalid-diff-format"
        case invalidEntityDeclaration = "invalid-entity-declaration"
        case invalidNamespacePrefix = "invalid-namespace-prefix"
        case invalidNamespaceURI = "invalid-namespace-uri"
        case invalidNodeTypes = "invalid-node-types"
        case invalidPatchDirective = "invalid-patch-directive"
        case invalidRootElementOperation = "invalid-root-element-operation"
        case invalidXMLPrologOperation = "invalid-xml-prolog-operation"
        case invalidWhitespaceDirective = "invalid-whitespace-directive"
        case unlocatedNode = "unlocated-node"
        case unsupportedIDFunction = "unsupported-id-function"
        case unsupportedXMLID = "unsupported-xml-id"
    }

    public let condition: Condition
    /// For people: what was wrong.
    public let phrase: String
    /// The patch operation as it was written, where it is to blame.
    public var operation: XMLElement?

    public init(_ condition: Condition, _ phrase: String, operation: XMLElement? = nil) {
        self.condition = condition
        self.phrase = phrase
        self.operation = operation
    }

    /// The `application/patch-ops-error+xml` document for it. The operation is named where the schema has a place for it.
    public var document: XMLDocument {
        let takesOperation = condition != .invalidCharacterSet && condition != .invalidDiffFormat
        let element = XMLElement(
            ExpandedName(.patchError, condition.rawValue), attributes: [XMLAttribute("phrase", phrase)],
            children: takesOperation ? operation.map { [.element($0)] } ?? [] : [])
        let root = XMLElement(ExpandedName(.patchError, "patch-ops-error"), children: [.element(element)])
        return XMLDocument(root: root.declaringNamespacesHere())
    }

    /// The MIME type of `document`.
    public static let contentType = "application/patch-ops-error+xml"
}

extension PatchError: CustomStringConvertible {
    public var description: String { "\(condition.rawValue): \(phrase)" }
}
