import LinkProfiles
import Presence
import PresenceDocuments
import Testing

/// RFC 3680.
@Suite struct RegistrationInformationTests {
    private func contact(_ number: UInt64, expires: Double = 3_600, cseq: UInt32 = 1) -> BoundContact {
        BoundContact(
            number: number, uri: Array("sip:alice@192.0.2.\(number)".utf8), expires: at(expires), q: 500,
            callID: Array("c\(number)".utf8), cseq: cseq)
    }

    private func document(_ scene: Scene, _ version: inout ReportVersion, full: Bool = false, at now: Instant = at(0))
        throws -> XMLElement?
    {
        let presentity = scene.agent.presentity(for: alice)
        return try scene.agent.registrationInformation(of: presentity, for: &version, full: full, at: now).map(parsed)
    }

    private func events(_ document: XMLElement?) -> [String] {
        document?.all("contact").map {
            "\($0[attribute: "id"] ?? "") \($0[attribute: "state"] ?? "") \($0[attribute: "event"] ?? "")"
        } ?? []
    }

    @Test func contactsComeAreRefreshedAndGo() throws {
        let scene = Scene()
        var version = ReportVersion()
        _ = scene.setRegistration([])
        let first = try document(scene, &version, full: true)
        #expect(first?[attribute: "version"] == "0")
        #expect(first?[attribute: "state"] == "full")
        #expect(first?.first("registration")?[attribute: "state"] == "init")

        #expect(scene.setRegistration([contact(1), contact(2)]).registration.count == 1)
        let second = try document(scene, &version)
        #expect(second?[attribute: "version"] == "1")
        #expect(second?[attribute: "state"] == "partial")
        #expect(second?.first("registration")?[attribute: "aor"] == "sip:alice@example.com")
        #expect(second?.first("registration")?[attribute: "state"] == "active")
        #expect(events(second) == ["c1 active registered", "c2 active registered"])
        #expect(second?.first("contact")?[attribute: "q"] == "0.5")
        #expect(second?.first("uri")?.trimmedText == "sip:alice@192.0.2.1")

        #expect(scene.setRegistration([contact(1), contact(2)], at: at(1)).isEmpty)
        _ = scene.setRegistration([contact(1, expires: 7_200, cseq: 2), contact(2, expires: 60)], at: at(2))
        #expect(events(try document(scene, &version, at: at(2))) == ["c1 active refreshed", "c2 active shortened"])
        _ = scene.setRegistration([contact(1, expires: 7_200, cseq: 2)], at: at(60))
        #expect(events(try document(scene, &version, at: at(60))) == ["c2 terminated expired"])
        _ = scene.setRegistration([], at: at(61))
        let last = try document(scene, &version, at: at(61))
        #expect(events(last) == ["c1 terminated unregistered"])
        #expect(last?.first("registration")?[attribute: "state"] == "terminated")
        #expect(try document(scene, &version, at: at(62)) == nil)
    }

    @Test func whatWasMissedComesInFull() throws {
        let scene = Scene()
        var version = ReportVersion(next: 7)
        _ = scene.setRegistration([contact(1)])
        let document = try document(scene, &version)
        #expect(document?[attribute: "version"] == "7")
        #expect(document?[attribute: "state"] == "full")
        #expect(version.next == 8)
    }
}
