import Presence
import PresenceDocuments
import Testing

/// RFC 5264.
@Suite struct PartialPublicationTests {
    /// The documents of RFC 5262 section 6, which RFC 5264 section 6 uses too: published, and what is left after the difference.
    private let full = """
        <?xml version="1.0" encoding="UTF-8"?>
        <p:pidf-full xmlns="urn:ietf:params:xml:ns:pidf" xmlns:p="urn:ietf:params:xml:ns:pidf-diff"
               xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
               entity="pres:someone@example.com" version="567">
         <tuple id="sg89ae">
          <status>
           <basic>open</basic>
          </status>
          <contact priority="0.8">tel:09012345678</contact>
         </tuple>
         <tuple id="r1230d">
          <status>
           <basic>closed</basic>
          </status>
          <contact priority="0.9">sip:pep@example.com</contact>
         </tuple>
         <note xml:lang="en">Full state presence document</note>
         <dm:person id="p123">
          <r:activities>
           <r:on-the-phone/>
           <r:busy/>
          </r:activities>
         </dm:person>
        </p:pidf-full>
        """

    private func difference(_ operations: String) -> [UInt8] {
        Array(
            """
            <p:pidf-diff xmlns="urn:ietf:params:xml:ns:pidf" xmlns:p="urn:ietf:params:xml:ns:pidf-diff"
                 xmlns:r="urn:ietf:params:xml:ns:pidf:rpid" xmlns:d="urn:ietf:params:xml:ns:pidf:data-model"
                 entity="pres:someone@example.com" version="568">\(operations)</p:pidf-diff>
            """.utf8)
    }

    @Test func differencesApplyToWhatWasPublished() throws {
        let scene = Scene()
        var tag = try scene.publish(Array(full.utf8), format: .pidfDiff).tag
        let before = try #require(try scene.seen())
        #expect(Set(before.tupleIDs) == ["sg89ae", "r1230d"])
        #expect(before.first("note")?.trimmedText == "Full state presence document")

        // The white space directive only works on the document as it was published.
        let patch = difference(
            """
            <p:add sel="presence/note" pos="before"><tuple id="ert4773"><status><basic>open</basic></status>\
            <contact priority="0.4">mailto:pep@example.com</contact></tuple></p:add>
            <p:replace sel="*/tuple[@id='r1230d']/status/basic/text()">open</p:replace>
            <p:remove sel="*/d:person/r:activities/r:busy" ws="after"/>
            <p:replace sel="*/tuple[@id='sg89ae']/contact/@priority">0.7</p:replace>
            """)
        tag = try scene.publish(patch, format: .pidfDiff, ifMatch: tag, at: at(1)).tag
        let after = try #require(try scene.seen(at: at(1)))
        #expect(Set(after.tupleIDs) == ["sg89ae", "r1230d", "ert4773"])
        #expect(after.all("basic").map(\.trimmedText) == ["open", "open", "open"])
        #expect(after.first("busy") == nil)
        #expect(after.first("on-the-phone") != nil)
        #expect(after.all("contact").compactMap { $0[attribute: "priority"] }.sorted() == ["0.4", "0.7", "0.9"])

        let again = difference(#"<p:remove sel="*/tuple[@id='ert4773']"/>"#)
        try scene.publish(again, format: .pidfDiff, ifMatch: tag, at: at(2))
        #expect(Set(try #require(try scene.seen(at: at(2))).tupleIDs) == ["sg89ae", "r1230d"])
    }

    @Test func aFirstPublicationIsFull() throws {
        let scene = Scene()
        #expect(throws: PublicationRefusal.partialWithoutBase) {
            try scene.publish(difference(#"<p:remove sel="*/note"/>"#), format: .pidfDiff)
        }
        #expect(PublicationRefusal.partialWithoutBase.statusCode == 400)
    }

    @Test(arguments: [
        #"<p:remove sel="*/tuple[@id='nobody']"/>"#, #"<p:remove sel="*/tuple["/>"#, #"<p:remove/>"#,
        #"<p:remove sel="*/note"/><p:remove sel="*/note"/>"#,
        #"<p:replace sel="*/tuple[1]/status/basic/text()">ajar</p:replace>"#,
        #"<p:remove sel="*/tuple[1]/status"/>"#, #"<p:turn sel="*/note"/>"#,
    ])
    func aPatchThatDoesNotFitLeavesAllAsItWas(operations: String) throws {
        let scene = Scene()
        let tag = try scene.publish(Array(full.utf8), format: .pidfDiff).tag
        let before = try scene.seen()
        let error = #expect(throws: PublicationRefusal.self) {
            try scene.publish(difference(operations), format: .pidfDiff, ifMatch: tag, at: at(1))
        }
        #expect(error?.statusCode == 400)
        if case .patchFailed? = error { #expect(error?.errorDocument?.isEmpty == false) }
        #expect(try scene.seen() == before)
        #expect(throws: Never.self) { try scene.publish([], ifMatch: tag, at: at(2)) }
    }
}
