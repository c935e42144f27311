import PresenceDocuments
import Testing

struct FilterSetTests {
    func filterSet(_ text: String) throws -> FilterSet {
        try FilterSet(
            try DocumentReader().read(
                "<filter-set xmlns='urn:ietf:params:xml:ns:simple-filter' xmlns:x='urn:x'>\(text)</filter-set>"))
    }

    /// All but the one whose expression uses a prefix that it does not bind, and the one in a namespace of its own.
    @Test(arguments: XMLVectors.names.filter { $0.hasPrefix("466") && $0.contains("filter-set") })
    func filtersOfTheRFCs(_ name: String) throws {
        let document = try DocumentReader().read(try XMLVectors.bytes(name))
        if name.hasPrefix("4661-5") {
            #expect(throws: FilterError.unboundPrefix("pidf")) { try FilterSet(document) }
        } else if document.root.name.namespace != .simpleFilter {
            #expect(throws: FilterError.notAFilterSet) { try FilterSet(document) }
        } else {
            let set = try FilterSet(document)
            #expect(set.filters.allSatisfy { $0.isComplete })
        }
    }

    @Test func everythingIsRead() throws {
        let set = try filterSet(
            """
            <ns-bindings><ns-binding prefix="p" urn="urn:ietf:params:xml:ns:pidf"/></ns-bindings>
            <filter id="1"><what><include>//p:tuple</include><include type="namespace"> urn:y </include>
            <exclude type="xpath">//@id</exclude><x:other/></what>
            <trigger><changed from="1" to="3" by="2">/p:a</changed><added>//p:tuple</added><removed>//p:note</removed></trigger>
            <trigger x:k=""><changed>//@id</changed></trigger><x:other/></filter>
            <filter id="2" uri=" sip:a@example.com" enabled="0"/><filter id="3" domain="example.com" remove="true"/>
            """)
        let bindings: [String: Namespace] = ["p": .pidf]
        let first = try #require(set.filters.first)
        #expect(
            first.content
                == FilterContent(
                    included: [.path(try FilterPath("//p:tuple", bindings: bindings)), .namespace("urn:y")],
                    excluded: [.path(try FilterPath("//@id", bindings: [:]))]))
        #expect(
            first.triggers.map(\.conditions) == [
                [
                    .changed(try FilterPath("/p:a", bindings: bindings), from: "1", to: "3", by: 2),
                    .added(try FilterPath("//p:tuple", bindings: bindings)),
                    .removed(try FilterPath("//p:note", bindings: bindings)),
                ],
                [.changed(try FilterPath("//@id", bindings: [:]), from: nil, to: nil, by: nil)],
            ])
        #expect(set.filters.map(\.resource) == [.subscription, .uri("sip:a@example.com"), .domain("example.com")])
        #expect(set.filters.map(\.isEnabled) == [true, false, true])
        #expect(set.filters.map(\.isRemoval) == [false, false, true])
        #expect(set.filters.map(\.isComplete) == [true, false, false])
    }

    @Test(arguments: [
        ("", FilterError.empty(element: "filter-set")),
        ("<ns-bindings/><filter id='1'/>", .empty(element: "ns-bindings")),
        (
            "<ns-bindings><ns-binding prefix='a'/></ns-bindings>",
            .missingAttribute(element: "ns-binding", attribute: "urn")
        ),
        (
            "<ns-bindings><ns-binding prefix='a' urn='u'/><ns-binding prefix='a' urn='v'/></ns-bindings>",
            .invalidAttribute(element: "ns-binding", attribute: "prefix")
        ),
        ("<filter/>", .missingAttribute(element: "filter", attribute: "id")),
        ("<filter id='1'/><filter id='1'/>", .repeatedIdentifier("1")),
        ("<filter id='1' uri='u' domain='d'/>", .ambiguousResource(filter: "1")),
        ("<filter id='1' enabled='yes'/>", .invalidAttribute(element: "filter", attribute: "enabled")),
        ("<filter id='1'><where/></filter>", .unexpectedElement("where")),
        ("<filter id='1'><trigger><added>//a</added></trigger><what/></filter>", .unexpectedElement("what")),
        (
            "<filter id='1'><what><exclude>//a</exclude><include>//a</include></what></filter>",
            .unexpectedElement("include")
        ),
        (
            "<filter id='1'><what><include type='regex'>a</include></what></filter>",
            .invalidAttribute(element: "include", attribute: "type")
        ),
        ("<filter id='1'><what><include type='namespace'> </include></what></filter>", .empty(element: "include")),
        ("<filter id='1'><trigger/></filter>", .empty(element: "trigger")),
        (
            "<filter id='1'><trigger><changed by='much'>//a</changed></trigger></filter>",
            .invalidAttribute(element: "changed", attribute: "by")
        ),
        (
            "<filter id='1'><trigger><changed by='1' to='x'>//a</changed></trigger></filter>",
            .invalidAttribute(element: "changed", attribute: "to")
        ),
        (
            "<filter id='1'><trigger><added>//a[b=\"c\"]</added></trigger></filter>",
            .invalidExpression("//a[b=\"c\"]", position: 0)
        ),
        ("<filter id='1'><what><include>//p:a</include></what></filter>", .unboundPrefix("p")),
    ])
    func refused(_ text: String, _ error: FilterError) {
        #expect(throws: error) { try filterSet(text) }
    }

    @Test func limitsHold() throws {
        let document = try DocumentReader().read(
            "<filter-set xmlns='urn:ietf:params:xml:ns:simple-filter'><filter id='1'><what><include>//a/b</include>"
                + "<include>//c</include></what></filter><filter id='2'/></filter-set>")
        #expect(throws: Never.self) {
            try FilterSet(document, limits: FilterLimits(filters: 2, expressions: 2, parts: 2))
        }
        for limits in [FilterLimits(filters: 1), FilterLimits(expressions: 1), FilterLimits(parts: 1)] {
            #expect(throws: FilterError.tooComplex) { try FilterSet(document, limits: limits) }
        }
    }
}

struct FilterPathTests {
    static let bindings: [String: Namespace] = ["p": .pidf, "r": .rpid]

    static let document = """
        <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" entity="e"><tuple id="1">\
        <status><basic>open</basic></status><r:class>IM</r:class><note>n1</note></tuple><tuple id="2"><status>\
        <basic>closed</basic></status><r:class>tel</r:class></tuple><tuple id="3"><status><basic>open</basic></status>\
        <duration n="600"/><plain xmlns=""><plain k="v">deep</plain></plain></tuple><note>n2</note></presence>
        """

    func values(_ text: String) throws -> [String] {
        try FilterPath(text, bindings: Self.bindings).values(in: try DocumentReader().read(Self.document).root)
    }

    static let selections: [(String, [String])] = [
        ("/p:presence/p:tuple/p:status/p:basic", ["open", "closed", "open"]),
        ("//p:basic", ["open", "closed", "open"]),
        ("//p:tuple/@id", ["1", "2", "3"]),
        ("//@id", ["1", "2", "3"]),
        ("/*/@entity", ["e"]),
        ("/p:presence//@id", ["1", "2", "3"]),
        ("//p:note", ["n1", "n2"]),
        ("/*/p:note", ["n2"]),
        ("/*/*/p:note", ["n1"]),
        ("//p:tuple[p:status/p:basic='open']/@id", ["1", "3"]),
        ("//p:tuple[*/p:basic=\"open\"]/@id", ["1", "3"]),
        ("//p:tuple[ r:class=\"IM\" or r:class=\"SMS\"\n or r:class=\"tel\" ] / @id", ["1", "2"]),
        ("//p:tuple[r:class='IM' and @id='2' or @id='3']/@id", ["3"]),
        ("//p:tuple[@id='3' or r:class='IM' and @id='2']/@id", ["3"]),
        ("//p:tuple[@id>1]/@id", ["2", "3"]),
        ("//p:tuple[@id<2.5]/@id", ["1", "2"]),
        ("//p:tuple[@id>-1][@id<3]/@id", ["1", "2"]),
        ("//p:tuple[p:duration/@n=600]/@id", ["3"]),
        ("//p:tuple[r:class>1]/@id", []),
        ("//p:basic[.='closed']", ["closed"]),
        ("//p:status[..='closedtel']", ["closed"]),
        ("//plain", ["deep", "deep"]),
        ("//plain/plain", ["deep"]),
        ("//plain//plain/@k", ["v"]),
        ("//plain//@k", ["v"]),
        ("//presence", []),
        ("/p:tuple", []),
        ("//*[p:basic=\"open\"]", ["open", "open"]),
    ]

    @Test(arguments: selections)
    func selects(_ expression: String, _ expected: [String]) throws {
        #expect(try values(expression) == expected)
    }

    @Test(arguments: [
        "", "/", "//", "p:presence", "presence/tuple", "/p:presence/", "///p:a", "/@id", "/p:a/@id/p:b", "//p:a[1]",
        "//p:a[p:b]", "//p:a[p:b=c]", "//p:a[last()]", "//p:a[p:b='c'", "//p:a[(p:b='c')]", "//p:a[p:b!='c']",
        "//p:a[p:b>='c']", "//p:a[//p:b='c']", "//p:a[p:b='c' xor p:d='e']", "/p:a|/p:b", "/p:a text", "/child::p:a",
        "/p:a/..", "/.", "/p:a[p:b='c]", "/p:a[p:b=.]", "/p:", "/:a", "/p:a[@id=+1]", "/1a", "//@*",
    ])
    func refused(_ expression: String) {
        #expect(throws: FilterError.self) { try FilterPath(expression, bindings: Self.bindings) }
    }

    @Test func matchesAreInDocumentOrderAndEachOnce() throws {
        let root = try DocumentReader().read("<a><b><b><c/></b><c/></b><b/></a>").root
        let path = try FilterPath("//b//c", bindings: [:])
        #expect(try path.evaluate(on: root).map(\.path) == [[0, 0, 0], [0, 1]])
        let children = try FilterPath("//b/*", bindings: [:])
        #expect(try children.evaluate(on: root).map(\.path) == [[0, 0], [0, 0, 0], [0, 1]])
        #expect(root.descendant(at: [0, 0, 0])?.name == ExpandedName("c"))
    }

    @Test func workIsBounded() throws {
        let root = XMLElement(
            ExpandedName("a"), children: (0..<2000).map { .element(XMLElement(ExpandedName("b"), text: "\($0)")) })
        let path = try FilterPath("//*[.='x' or .='y']", bindings: [:])
        #expect(throws: Never.self) { try path.evaluate(on: root) }
        #expect(throws: FilterError.tooLaborious) { try path.evaluate(on: root, budget: 3000) }
    }
}
