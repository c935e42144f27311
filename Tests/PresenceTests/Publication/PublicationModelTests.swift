import LinkProfiles
import Presence
import Testing

/// Random publications, refreshes, changes, removals, failed commits and restarts against the simplest model there is: a dictionary.
@Suite struct PublicationModelTests {
    private struct Model {
        var id: String
        var expires: Instant
        var record: PublicationRecord
    }

    @Test(arguments: 0..<16 as Range<UInt64>) func theCompositorDoesWhatTheModelDoes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var scene = Scene(firstEntityTag: seed << 40)
        var model: [EntityTag: Model] = [:]
        var everGivenOut: Set<EntityTag> = []
        var clock = 0.0
        for step in 0..<400 {
            clock += Double.random(in: 0..<40, using: &random)
            let now = at(clock)
            let ended = scene.advance(to: now).durable
            #expect(Set(ended.map(\.number)) == Set(model.values.filter { $0.expires <= now }.map(\.record.number)))
            model = model.filter { $0.value.expires > now }

            if Int.random(in: 0..<40, using: &random) == 0 {
                scene = Scene(firstEntityTag: (seed << 40) + UInt64(step + 1) << 20)
                for entry in model.values.shuffled(using: &random) { #expect(scene.restore(entry.record, at: now)) }
                continue
            }
            let known = model.keys.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random)
            let stale = everGivenOut.subtracting(model.keys).min { $0.rawValue < $1.rawValue }
            let tag =
                Int.random(in: 0..<10, using: &random) == 0
                ? stale : Int.random(in: 0..<4, using: &random) == 0 ? nil : known
            let body = tag == nil || Bool.random(using: &random) ? pidf(tuple("t\(step)")) : []
            let expires: UInt32 =
                Int.random(in: 0..<5, using: &random) == 0 ? 0 : UInt32.random(in: 60..<600, using: &random)
            let request = PublishRequest(format: .pidf, body: body, ifMatch: tag?.text, expires: expires)

            let old = tag.flatMap { model[$0] }
            let prepared: PreparedPublication
            do {
                prepared = try scene.prepare(request, at: now)
            } catch {
                if error == .conditionFailed { #expect(tag != nil && old == nil) } else { #expect(model.count >= 16) }
                continue
            }
            #expect(tag == nil || old != nil)
            #expect(everGivenOut.insert(prepared.entityTag).inserted)
            if Int.random(in: 0..<8, using: &random) == 0 {
                scene.agent.abandon(prepared, at: now)
                continue
            }
            _ = scene.agent.apply(prepared, at: now)
            if let tag { model[tag] = nil }
            switch prepared.change {
            case .store(let record):
                let id = body.isEmpty ? old?.id ?? "" : "t\(step)"
                model[prepared.entityTag] = Model(id: id, expires: record.expires, record: record)
            case .refresh(let number, let newTag, let end):
                var entry = try #require(old)
                #expect(entry.record.number == number)
                entry.record.entityTag = newTag
                entry.record.expires = end
                entry.expires = end
                model[newTag] = entry
            case .remove: break
            }
            let published = try #require(try scene.seen(at: now)).tupleIDs
            #expect(published.sorted() == model.values.map(\.id).sorted())
        }
    }
}
