import LinkProfiles
import Presence
import Testing

/// What the deferred queue waits for: open, and willing.
@Suite struct ReceptionTests {
    private func person(_ activities: String, _ period: String = "") -> String {
        #"<dm:person id="p"><r:activities \#(period)>\#(activities)</r:activities></dm:person>"#
    }

    @Test func nothingKnownIsNeitherOpenNorClosed() {
        let scene = Scene()
        #expect(scene.agent.reception(of: scene.presentity).isAvailable == nil)
        #expect(!scene.agent.reception(of: scene.presentity).accepts(isUrgent: true))
    }

    @Test(arguments: [
        ("open", "", true, true), ("open", "<r:away/>", true, true), ("open", "<r:busy/>", false, true),
        ("open", "<r:meal/><r:meeting/>", false, true), ("open", #"<x:dnd xmlns:x="urn:x"/>"#, false, true),
        ("closed", "", false, false), ("closed", "<r:busy/>", false, false),
    ])
    func openAndWilling(basic: String, activities: String, accepts: Bool, acceptsUrgent: Bool) throws {
        let scene = Scene()
        let changes = try scene.publish(pidf(tuple("a", basic) + person(activities))).changes
        #expect(changes.reception == [scene.presentity])
        let reception = scene.agent.reception(of: scene.presentity)
        #expect(reception.accepts(isUrgent: false) == accepts)
        #expect(reception.accepts(isUrgent: true) == acceptsUrgent)
    }

    @Test func oneOpenServiceIsEnoughAndChangesAreTold() throws {
        let scene = Scene()
        var publication = try scene.publish(pidf(tuple("a", "closed") + tuple("b")))
        #expect(scene.agent.reception(of: scene.presentity).isAvailable == true)
        publication = try scene.publish(
            pidf(tuple("a", "closed") + tuple("b") + "<note>x</note>"), ifMatch: publication.tag, at: at(1))
        #expect(publication.changes.reception.isEmpty)
        publication = try scene.publish(pidf(tuple("a", "closed")), ifMatch: publication.tag, at: at(2))
        #expect(publication.changes.reception == [scene.presentity])
    }

    /// The scene begins at 2027-01-15T08:00:00Z.
    @Test func anActivityThatEndsLetsTheQueueFlow() throws {
        let scene = Scene()
        let period = #"from="2027-01-15T08:00:10Z" until="2027-01-15T08:00:20Z""#
        try scene.publish(pidf(tuple("a") + person("<r:busy/>", period)))
        #expect(scene.agent.reception(of: scene.presentity).accepts(isUrgent: false))
        #expect(scene.agent.nextDeadline == at(10))
        #expect(scene.advance(to: at(10)).reception == [scene.presentity])
        #expect(!scene.agent.reception(of: scene.presentity).accepts(isUrgent: false))
        #expect(scene.advance(to: at(20)).reception == [scene.presentity])
        #expect(scene.agent.reception(of: scene.presentity).accepts(isUrgent: false))
    }

    @Test func registrationAloneIsAvailability() {
        let scene = Scene()
        let contact = BoundContact(number: 1, uri: Array("sip:alice@192.0.2.1".utf8), expires: at(60))
        #expect(scene.setRegistration([contact]).reception.count == 1)
        #expect(scene.agent.reception(of: scene.presentity).accepts(isUrgent: false))
        #expect(scene.setRegistration([], at: at(1)).reception.count == 1)
        #expect(scene.agent.reception(of: scene.presentity).isAvailable == false)
    }
}
