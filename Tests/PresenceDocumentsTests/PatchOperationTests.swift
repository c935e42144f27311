import PresenceDocuments
import Testing

/// What RFC 5261 says beyond its examples, and each of its errors.
struct PatchOperationTests {
    func apply(_ operations: String, to document: String, declarations: String = "") throws -> String {
        let reader = DocumentReader()
        let patch = try Patch(operationsIn: try reader.read("<d \(declarations)>\(operations)</d>").root)
        let patched = try patch.apply(to: try reader.read(document))
        return String(decoding: DocumentWriter(writesDeclaration: false).write(patched), as: UTF8.self)
    }

    @Test(arguments: [
        // Positions (4.3)
        ("<add sel='a'><n/></add>", "<a>x<b/>y</a>", "<a>x<b/>y<n/></a>"),
        ("<add sel='a' pos='prepend'><n/>z</add>", "<a>x<b/>y</a>", "<a><n/>zx<b/>y</a>"),
        ("<add sel='a/b' pos='before'><n/></add>", "<a>x<b/>y</a>", "<a>x<n/><b/>y</a>"),
        ("<add sel='a/b' pos='after'>z</add>", "<a>x<b/>y</a>", "<a>x<b/>zy</a>"),
        (
            "<add sel='*/b/text()[2]' pos='after'>new<bar/>elem</add>", "<a><b>1<c/>2</b></a>",
            "<a><b>1<c/>2new<bar/>elem</b></a>"
        ),
        (
            "<add sel='*/b/text()[2]' pos='before'>new<bar/>elem</add>", "<a><b>1<c/>2</b></a>",
            "<a><b>1<c/>new<bar/>elem2</b></a>"
        ),
        ("<add sel='a'/>", "<a/>", "<a/>"),
        // Beside the root element
        ("<add sel='a' pos='before'> <!--1--><?p?></add>", "<a/>", "<!--1--><?p?><a/>"),
        ("<add sel='comment()[1]' pos='after'><!--2--></add>", "<!--1--><a/>", "<!--1--><!--2--><a/>"),
        ("<remove sel='/processing-instruction()'/>", "<a/><?p?>", "<a/>"),
        ("<replace sel='comment()'><!--2--></replace>", "<a/><!--1-->", "<a/><!--2-->"),
        // Attributes
        ("<add sel='a' type='@k'/>", "<a/>", "<a k=\"\"/>"),
        ("<replace sel='a/@k'/>", "<a k='v'/>", "<a k=\"\"/>"),
        ("<remove sel=\"a/b[@k='2']/@k\"/>", "<a><b k='1'/><b k='2'/></a>", "<a><b k=\"1\"/><b/></a>"),
        // Selectors (4.1)
        ("<remove sel='/*/*[2]'/>", "<a><b/><c/><d/></a>", "<a><b/><d/></a>"),
        ("<remove sel='a/b[2]'/>", "<a><b k='1'/><c/><b/></a>", "<a><b k=\"1\"/><c/></a>"),
        ("<remove sel=\"a/b[.='x']\"/>", "<a><b>y</b><b><c>x</c></b></a>", "<a><b>y</b></a>"),
        (
            "<remove sel='a/b[c=\"x\"][2]'/>", "<a><b><c>x</c></b><b/><b><c>y</c><c>x</c></b></a>",
            "<a><b><c>x</c></b><b/></a>"
        ),
        ("<remove sel=\"a/b[2][@k='1']\"/>", "<a><b k='1'/><b k='1'/></a>", "<a><b k=\"1\"/></a>"),
        ("<remove sel='id(\"x\")'/>", "<a><b xml:id='x'/></a>", "<a/>"),
        ("<remove sel=\"id('x')/c/text()\"/>", "<a><b id='x'><c>1</c></b></a>", "<a><b id=\"x\"><c/></b></a>"),
        // Removing (4.5)
        ("<remove sel='a/b'/>", "<a>1<b/>2</a>", "<a>12</a>"),
        ("<remove sel='a/b' ws='both'/>", "<a>1<c/> <b/> <d/></a>", "<a>1<c/><d/></a>"),
        ("<remove sel='a/b' ws='before'/>", "<a> <b/>2</a>", "<a>2</a>"),
        ("<replace sel='a/text()'/>", "<a>1</a>", "<a/>"),
        ("<replace sel='a'><z/></replace>", "<!--c--><a>1</a>", "<!--c--><z/>"),
        // One after the other
        ("<remove sel='a/*[1]'/><remove sel='a/*[1]'/>", "<a><b/><c/><d/></a>", "<a><d/></a>"),
    ])
    func operation(_ operations: String, _ document: String, _ expected: String) throws {
        #expect(try apply(operations, to: document) == expected)
    }

    @Test(arguments: [
        // Rule 1: the same prefix
        ("<add sel='*'><q:n/></add>", "<a xmlns:p='urn:x' xmlns:q='urn:x'/>", #"<q:n/>"#),
        // Rule 2: that of the context
        ("<add sel='*'><q:n/></add>", "<p:a xmlns:p='urn:x' xmlns:r='urn:x'/>", #"<p:n/>"#),
        // Rule 3: the nearest in the alphabet
        ("<add sel='*'><q:n/></add>", "<a xmlns:r='urn:x' xmlns:p='urn:x' xmlns:o='urn:x'/>", #"<p:n/>"#),
        ("<add sel='*'><q:n/></add>", "<a xmlns:s='urn:x' xmlns:r='urn:x'/>", #"<r:n/>"#),
        // Nothing declared
        ("<add sel='*'><q:n/></add>", "<a/>", #"<q:n xmlns:q="urn:x"/>"#),
        // Local declarations stay
        ("<add sel='*'><t:n xmlns:t='urn:x'/></add>", "<a xmlns:p='urn:x'/>", #"<t:n xmlns:t="urn:x"/>"#),
        // A name without namespace below a default namespace
        ("<add sel='*'><n/></add>", "<a xmlns='urn:y'/>", #"<n xmlns=""/>"#),
    ])
    func prefixesFollowTheTarget(_ operations: String, _ document: String, _ added: String) throws {
        let patched = try apply(operations, to: document, declarations: "xmlns:q='urn:x'")
        #expect(patched.contains(">\(added)</"))
    }

    @Test func qualifiedAttributesNeverTakeTheDefaultNamespace() throws {
        let patched = try apply(
            "<add sel='*' type='@q:k'>v</add><add sel='*' type='@xml:lang'>de</add>",
            to: "<a xmlns='urn:x' xmlns:b='urn:x'/>", declarations: "xmlns:q='urn:x'")
        #expect(patched == #"<a xmlns="urn:x" xmlns:b="urn:x" b:k="v" xml:lang="de"/>"#)
        let declared = try apply(
            "<add sel='*' type='@q:k'>v</add>", to: "<a xmlns='urn:x'/>", declarations: "xmlns:q='urn:x'")
        #expect(declared == #"<a xmlns="urn:x" xmlns:q="urn:x" q:k="v"/>"#)
    }

    @Test func replacedNamespacesTakeTheirNamesAlong() throws {
        let patched = try apply(
            "<replace sel='*/namespace::p'>urn:new</replace>",
            to: "<a xmlns:p='urn:old'><p:b p:k='1'/><c xmlns:p='urn:other'><p:d/></c></a>")
        #expect(
            patched == #"<a xmlns:p="urn:new"><p:b p:k="1"/><c xmlns:p="urn:other"><p:d/></c></a>"#)
    }

    @Test func namesWithoutPrefixAreInTheDefaultNamespaceOfTheDiff() throws {
        let document = "<p:a xmlns:p='urn:x'><b/><p:b/></p:a>"
        let patched = try apply("<remove xmlns='' sel='*/b'/>", to: document, declarations: "")
        #expect(patched == #"<p:a xmlns:p="urn:x"><p:b/></p:a>"#)
        let reader = DocumentReader()
        let diff = try reader.read("<o:d xmlns='urn:x' xmlns:o='urn:o'><o:remove sel='a/b'/></o:d>")
        let result = try Patch(operationsIn: diff.root).apply(to: try reader.read(document))
        #expect(result.root.children == [.element(XMLElement(ExpandedName("b")))])
    }

    @Test(arguments: [
        ("<add sel='a' pos='first'/>", PatchError.Condition.invalidAttributeValue),
        ("<add sel='a' type='k'>v</add>", .invalidAttributeValue),
        ("<add sel='a' type='@xmlns'>v</add>", .invalidAttributeValue),
        ("<add sel='a' type='@n'><b/></add>", .invalidAttributeValue),
        ("<add sel='a/@k'>v</add>", .invalidAttributeValue),
        ("<add sel='a//b'/>", .invalidAttributeValue),
        ("<remove sel='a/b[@k=1]'/>", .invalidAttributeValue),
        ("<remove sel='a/b[last()]'/>", .invalidAttributeValue),
        ("<remove sel='a/b['/>", .invalidAttributeValue),
        ("<remove sel='//b'/>", .invalidAttributeValue),
        ("<remove sel=''/>", .invalidAttributeValue),
        ("<remove sel='a/b' ws='all'/>", .invalidAttributeValue),
        ("<remove sel='a/@k' ws='after'/>", .invalidAttributeValue),
        ("<remove/>", .invalidDiffFormat),
        ("text", .invalidDiffFormat),
        ("<remove sel='a/b'>x</remove>", .invalidDiffFormat),
        ("<add sel='u:a'/>", .invalidNamespacePrefix),
        ("<add sel='a' type='@u:k'>v</add>", .invalidNamespacePrefix),
        ("<add sel='a' type='namespace::xml'>urn:z</add>", .invalidNamespacePrefix),
        ("<add sel='a' type='namespace::p'>urn:z</add>", .invalidNamespacePrefix),
        ("<remove sel='a/namespace::p'/>", .invalidNamespacePrefix),
        ("<add sel='a' type='namespace::n'/>", .invalidNamespaceURI),
        ("<replace sel='a/namespace::p'/>", .invalidNamespaceURI),
        ("<add sel='a' type='namespace::n'>:no uri</add>", .invalidNamespaceURI),
        ("<replace sel='a/namespace::unknown'>urn:z</replace>", .invalidNamespaceURI),
        ("<remove sel='a/b/namespace::p'/>", .invalidNamespaceURI),
        ("<replace sel='a/b'>text</replace>", .invalidNodeTypes),
        ("<replace sel='a/b'><b/><b/></replace>", .invalidNodeTypes),
        ("<replace sel='a/b'/>", .invalidNodeTypes),
        ("<replace sel='a/@k'><b/></replace>", .invalidNodeTypes),
        ("<replace sel='a/comment()'><?p?></replace>", .invalidNodeTypes),
        ("<move sel='a'/>", .invalidPatchDirective),
        ("<add sel='a' how='well'/>", .invalidPatchDirective),
        ("<add sel='a' type='@k'>v</add>", .invalidPatchDirective),
        ("<add sel='a/comment()'>v</add>", .invalidPatchDirective),
        ("<add sel='a' pos='after'><b/></add>", .invalidRootElementOperation),
        ("<remove sel='a'/>", .invalidRootElementOperation),
        ("<add sel='a' pos='after'>text</add>", .invalidXMLPrologOperation),
        ("<remove sel='a/b' ws='after'/>", .invalidWhitespaceDirective),
        ("<remove sel='a/b' ws='before'/>", .invalidWhitespaceDirective),
        ("<remove sel='a/c'/>", .unlocatedNode),
        ("<remove sel='a/text()'/>", .unlocatedNode),
        ("<remove sel='a/*'/>", .unlocatedNode),
        ("<remove sel='a/b[0]'/>", .unlocatedNode),
        ("<remove sel='id(\"none\")'/>", .unlocatedNode),
        ("<remove sel='text()'/>", .unlocatedNode),
    ])
    func errors(_ operations: String, _ condition: PatchError.Condition) throws {
        let document = "<a k='1' xmlns:p='urn:x'>x<b id='i'/>y<p:b/><!--c--></a>"
        let failure = #expect(throws: PatchError.self) { try apply(operations, to: document) }
        #expect(failure?.condition == condition)
        let error = try #require(failure).document
        #expect(try DocumentReader().read(DocumentWriter().write(error)) == error)
    }

    @Test func withoutIdentifiersTheFunctionIsNotSupported() throws {
        let reader = DocumentReader()
        let patch = try Patch(operationsIn: try reader.read("<d><remove sel='id(\"x\")'/></d>").root)
        let failure = #expect(throws: PatchError.self) {
            try patch.apply(to: try reader.read("<a><b id='x'/></a>"), identifiers: [])
        }
        #expect(failure?.condition == .unsupportedIDFunction)
    }

    @Test func aPatchCannotDeepenADocumentWithoutBound() throws {
        let reader = DocumentReader()
        let adding = "<add sel=\"id('x')\"><b><c/></b></add>"
        let patch = try Patch(operationsIn: try reader.read("<d>\(adding)</d>").root)
        #expect(try patch.apply(to: try reader.read("<b id='x'/>"), limits: DocumentLimits(depth: 3)).root.depth == 3)
        let limits = DocumentLimits(depth: 3)
        let failure = #expect(throws: PatchError.self) {
            try patch.apply(to: try reader.read("<a><b id='x'/></a>"), limits: limits)
        }
        #expect(failure?.condition == .invalidPatchDirective)
    }

    @Test func theWorkOfAPatchIsBounded() throws {
        let reader = DocumentReader(limits: DocumentLimits(bytes: 1 << 20))
        let operations = String(repeating: "<replace sel=\"a/b[.='x'][.='x'][1]/text()\">x</replace>", count: 4000)
        let patch = try Patch(operationsIn: try reader.read("<d>\(operations)</d>").root)
        let document = try reader.read("<a>\(String(repeating: "<b>x</b>", count: 8000))</a>")
        let failure = #expect(throws: PatchError.self) { try patch.apply(to: document) }
        #expect(failure?.condition == .invalidPatchDirective)
    }
}
