import LinkProfiles
import MessageStore

func sampleSubscription(_ number: Int64, of resource: AddressNumber = bob) -> StoredSubscription {
    StoredSubscription(
        number: SubscriptionNumber(number), resource: resource, event: number % 3 == 0 ? "presence.winfo" : "presence",
        watcher: "sip:watcher\(number)@example.org", createdAt: moment(number), accept: UInt32(number % 7),
        rates: StoredRates(maximum: 50_000, minimum: 0, adaptiveMinimum: .max), flow: "tcp 192.0.2.1:40\(number)",
        dialog: Array("call-\(number)\0local\0remote\0<sip:edge.example.org;lr>".utf8),
        filter: number % 2 == 0 ? Array("<filter-set/>".utf8) : [], progress: sampleProgress(number))
}

func sampleProgress(_ number: Int64, state: StoredSubscriptionState = .active) -> SubscriptionProgress {
    SubscriptionProgress(
        state: state, remoteSequence: UInt32(truncatingIfNeeded: number &* 0x9e37_79b9) >> 1,
        sequenceCeiling: 0x7fff_ffff, version: UInt32.max, expiresAt: moment(3_600 + number))
}

func samplePublication(
    _ number: Int64, of resource: AddressNumber = bob, tag: String? = nil, body: [UInt8]? = nil
) -> StoredPublication {
    StoredPublication(
        number: PublicationNumber(number), resource: resource, event: "presence", entityTag: tag ?? "tag-\(number)",
        source: "sip:bob@example.org", createdAt: moment(number), modifiedAt: moment(number + 1),
        expiresAt: moment(number + 3_600), contentType: "application/pidf+xml",
        body: body ?? Array("<presence entity=\"pres:bob@example.org\"/>".utf8))
}

func sampleDocument(_ owner: String, name: String = "index", body: String = "<ruleset/>") -> StoredDocument {
    StoredDocument(
        name: DocumentName(application: "pres-rules", owner: owner, name: name), modifiedAt: moment(0),
        body: Array(body.utf8))
}
