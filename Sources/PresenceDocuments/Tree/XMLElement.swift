/// An element of a document, a value: a copy costs one reference count, changing it copies only this element's own fields, and what
/// is below is shared. So documents that differ little share almost everything, and comparing shared parts costs nothing.
///
/// Names are resolved. Prefixes and namespace declarations are kept because RFC 5261 patches them, but do not count when elements
/// are compared.
public struct XMLElement: Sendable {
    private var storage: Storage

    /// Changed only by `storageForWriting`, so only while nobody else sees it.
    private final class Storage: @unchecked Sendable {
        var name: ExpandedName
        var prefix: String
        var declarations: [NamespaceDeclaration]
        var attributes: [XMLAttribute]
        var children: [XMLNode]

        init(
            name: ExpandedName, prefix: String, declarations: [NamespaceDeclaration], attributes: [XMLAttribute],
            children: [XMLNode]
        ) {
            self.name = name
            self.prefix = prefix
            self.declarations = declarations
            self.attributes = attributes
            self.children = children
        }
    }

    public init(
        _ name: ExpandedName, prefix: String = "", declarations: [NamespaceDeclaration] = [],
        attributes: [XMLAttribute] = [], children: [XMLNode] = []
    ) {
        storage = Storage(
            name: name, prefix: prefix, declarations: declarations, attributes: attributes, children: children)
    }

    /// An element with nothing but text in it.
    public init(_ name: ExpandedName, attributes: [XMLAttribute] = [], text: String) {
        self.init(name, attributes: attributes, children: text.isEmpty ? [] : [.text(text)])
    }

    private var storageForWriting: Storage {
        mutating get {
            if !isKnownUniquelyReferenced(&storage) {
                storage = Storage(
                    name: storage.name, prefix: storage.prefix, declarations: storage.declarations,
                    attributes: storage.attributes, children: storage.children)
            }
            return storage
        }
    }

    public var name: ExpandedName {
        get { storage.name }
        set { storageForWriting.name = newValue }
    }

    /// The prefix that it was, or is to be, written with; the writer takes another where this one means something else.
    public var prefix: String {
        get { storage.prefix }
        set { storageForWriting.prefix = newValue }
    }

    /// The namespace declarations that stand on this very element.
    public var declarations: [NamespaceDeclaration] {
        get { storage.declarations }
        _modify { yield &storageForWriting.declarations }
    }

    /// In document order, without namespace declarations.
    public var attributes: [XMLAttribute] {
        get { storage.attributes }
        _modify { yield &storageForWriting.attributes }
    }

    public var children: [XMLNode] {
        get { storage.children }
        _modify { yield &storageForWriting.children }
    }

    /// Whether both are one and the same value in memory; where they are not they may still be equal.
    public func isIdentical(to other: XMLElement) -> Bool { storage === other.storage }
}

extension XMLElement: Hashable {
    /// Equal in names, attributes in any order, and children in order. Prefixes and declarations do not count.
    public static func == (one: XMLElement, other: XMLElement) -> Bool {
        one.isIdentical(to: other)
            || one.name == other.name && one.hasAttributes(equalTo: other) && one.children == other.children
    }

    /// Whether the attributes are the same, in whatever order.
    func hasAttributes(equalTo other: XMLElement) -> Bool {
        guard attributes.count == other.attributes.count else { return false }
        return attributes.elementsEqual(other.attributes)
            || attributes.allSatisfy { other.attributeValue($0.name) == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(attributes.count)
        hasher.combine(children)
    }
}
