import SIPCore

/// Somebody whose presence changes in the course of a day, as a phone and a desk client would publish it (RFC 3863, 4479, 4480).
struct DayContact {
    let user: String
    private var services: [Service]
    private var activity: String
    private var mood: String
    private var place: String
    private var note: String
    private var isIdle = false
    private var random: SimulationRandom

    private struct Service {
        var id: String
        var isOpen: Bool
        var contact: String
        var priority: String
        var capabilities: [String]
    }

    private static let activities = [
        "away", "busy", "meeting", "on-the-phone", "lunch", "in-transit", "travel", "working", "appointment", "meal",
    ]
    private static let moods = ["happy", "calm", "stressed", "tired", "bored", "curious"]
    private static let places = ["office", "home", "street", "train", "restaurant", "airport", "hotel"]
    private static let words = [
        "back", "soon", "with", "the", "team", "until", "noon", "call", "me", "later", "reading", "on", "deck", "watch",
        "quarter", "past", "in", "port", "tomorrow", "review",
    ]

    init(number: Int, random: SimulationRandom) {
        var random = random
        user = "contact\(number)"
        activity = random.pick(Self.activities) ?? "working"
        mood = random.pick(Self.moods) ?? "calm"
        place = random.pick(Self.places) ?? "office"
        note = Self.sentence(&random)
        services = []
        for index in 0..<(2 + random.below(3)) {
            var letters = ""
            for _ in 0..<8 { letters.append(random.pick(Array("abcdefghijkmnpqrstuvwxyz23456789")) ?? "x") }
            services.append(
                Service(
                    id: "t\(letters)", isOpen: random.chance(0.7),
                    contact: "sip:\(user)@10.2.\(number / 250).\(number % 250 + 1):\(5_060 + index)",
                    priority: "0.\(1 + random.below(9))",
                    capabilities: ["message", "audio", "video", "text"].filter { _ in random.chance(0.6) }))
        }
        self.random = random
    }

    private static func sentence(_ random: inout SimulationRandom) -> String {
        (0..<(2 + random.below(5))).map { _ in random.pick(words) ?? "so" }.joined(separator: " ")
    }

    /// One thing about the contact becomes another.
    mutating func change() {
        switch random.below(20) {
        case 0..<7: activity = other(Self.activities, than: activity)
        case 7..<11:
            let index = random.below(services.count)
            services[index].isOpen.toggle()
        case 11..<14: note = Self.sentence(&random)
        case 14..<17: isIdle.toggle()
        case 17..<19: place = other(Self.places, than: place)
        default: mood = other(Self.moods, than: mood)
        }
    }

    private mutating func other(_ choices: [String], than present: String) -> String {
        random.pick(choices.filter { $0 != present }) ?? present
    }

    /// The document it publishes.
    var document: String {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" \
            xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" xmlns:caps="urn:ietf:params:xml:ns:pidf:caps" \
            entity="sip:\(user)@\(Scenario.domain)">

            """
        for service in services { text += element(of: service) }
        text += """
              <dm:person id="p\(user)">
                <rpid:activities><rpid:\(activity)/></rpid:activities>
                <rpid:mood><rpid:\(mood)/></rpid:mood>
                <rpid:place-type><rpid:other>\(place)</rpid:other></rpid:place-type>
                <rpid:user-input>\(isIdle ? "idle" : "active")</rpid:user-input>
                <dm:note>\(note)</dm:note>
              </dm:person>
            </presence>

            """
        return text
    }

    private func element(of service: Service) -> String {
        let capabilities = service.capabilities.map { "<caps:\($0)>true</caps:\($0)>" }.joined()
        return """
              <tuple id="\(service.id)">
                <status><basic>\(service.isOpen ? "open" : "closed")</basic></status>
                <rpid:class>service</rpid:class>
                <caps:servcaps>\(capabilities)</caps:servcaps>
                <contact priority="\(service.priority)">\(service.contact)</contact>
              </tuple>

            """
    }
}
