import Presence
import PresenceDocuments
import Testing

/// Bad documents are refused with the right status and leave the publication as it was (RFC 3903 section 6 step 5).
@Suite struct RefusedDocumentTests {
    struct Refused: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let body: [UInt8]
        var format = PublishedFormat.pidf
        let status: UInt16
    }

    static let refused: [Refused] = [
        Refused(testDescription: "not XML", body: Array("open".utf8), status: 400),
        Refused(testDescription: "cut off", body: Array(pidf(tuple("a")).dropLast(4)), status: 400),
        Refused(testDescription: "another root", body: Array("<presence/>".utf8), status: 400),
        Refused(
            testDescription: "entity bomb", body: Array("<!DOCTYPE p [<!ENTITY a 'aa'>]><p>&a;</p>".utf8), status: 400),
        Refused(
            testDescription: "no id", body: pidf("<tuple><status><basic>open</basic></status></tuple>"), status: 400),
        Refused(testDescription: "one id twice", body: pidf(tuple("a") + tuple("a")), status: 400),
        Refused(testDescription: "no status", body: pidf(#"<tuple id="a"/>"#), status: 400),
        Refused(testDescription: "empty status", body: pidf(#"<tuple id="a"><status/></tuple>"#), status: 400),
        Refused(testDescription: "neither open nor closed", body: pidf(tuple("a", "ajar")), status: 400),
        Refused(testDescription: "no deviceID", body: pidf(#"<dm:device id="d"/>"#), status: 400),
        Refused(testDescription: "too many tuples", body: pidf((0..<65).map { tuple("t\($0)") }.joined()), status: 400),
        Refused(
            testDescription: "too deep",
            body: pidf(String(repeating: "<a>", count: 40) + String(repeating: "</a>", count: 40)), status: 400),
        Refused(
            testDescription: "too long", body: pidf("<note>" + String(repeating: "x", count: 70_000) + "</note>"),
            status: 413),
        Refused(testDescription: "PIDF as partial", body: pidf(tuple("a")), format: .pidfDiff, status: 400),
    ]

    @Test(arguments: refused) func isRefusedAndNothingChanges(_ refused: Refused) throws {
        let scene = Scene()
        let tag = try scene.publish(pidf(tuple("kept"))).tag
        let before = try scene.seen()
        for ifMatch in [nil, tag.text] {
            let request = PublishRequest(format: refused.format, body: refused.body, ifMatch: ifMatch)
            let error = #expect(throws: PublicationRefusal.self) {
                try scene.prepare(request, at: at(1))
            }
            #expect(error?.statusCode == refused.status)
        }
        #expect(try scene.seen() == before)
        #expect(throws: Never.self) { try scene.publish([], ifMatch: tag, at: at(2)) }
    }

    @Test func anUnknownTypeIsRefused() throws {
        let scene = Scene()
        let request = PublishRequest(format: PublishedFormat(mediaType: "text/plain".utf8), body: pidf(tuple("a")))
        #expect(throws: PublicationRefusal.unsupportedMediaType) {
            try scene.prepare(request, at: at(0))
        }
        #expect(PublicationRefusal.unsupportedMediaType.statusCode == 415)
        #expect(scene.agent.existingPresentity(for: alice) == nil)
    }

    @Test func nothingAtAllIsRefused() throws {
        let scene = Scene()
        let request = PublishRequest(format: nil, body: [])
        #expect(throws: PublicationRefusal.nothingPublished) {
            try scene.prepare(request, at: at(0))
        }
    }

    @Test(
        arguments: [
            ("application/pidf+xml", .pidf), ("Application/PIDF-diff+XML", .pidfDiff), ("application/pidf", nil),
        ] as [(String, PublishedFormat?)])
    func mediaTypesAreRecognized(text: String, format: PublishedFormat?) {
        #expect(PublishedFormat(mediaType: text.utf8) == format)
    }
}
