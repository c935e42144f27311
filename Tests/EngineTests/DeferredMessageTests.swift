import LinkProfiles
import MessageStore
import Policy
import SIPCore
import Simulation
import Testing

@testable import Engine

@Suite("Store, forward, flush")
struct DeferredMessageTests {
    let scene: EngineScene

    init() throws { scene = try EngineScene() }

    @Test func aMessageToNobodyIsAnsweredOnlyOnceItIsDurable() throws {
        scene.receive(EngineScene.message(to: "alice", body: "later", id: "m1"))
        #expect(scene.sent.isEmpty)
        scene.settle()
        #expect(scene.statuses == [202])
        let row = try #require(scene.store.messages.first)
        #expect(row.state == .queued)
        #expect(String(decoding: row.message.payload, as: UTF8.self).hasSuffix("\r\n\r\nlater"))
        #expect(row.message.sender == "sip:bob@example.com")
    }

    @Test func aRegistrationFlushesInOrderOneAtATime() throws {
        for n in 1...3 { scene.receive(EngineScene.message(to: "alice", from: "bob\(n)", body: "n\(n)", id: "m\(n)")) }
        scene.settle()
        _ = scene.take()
        scene.register("alice", port: 6001)
        for n in 1...3 {
            let request = try #require(scene.requests(.message).last)
            #expect(scene.requests(.message).count == n)
            #expect(request.body == "n\(n)")
            #expect(request.port == 6001)
            scene.answer(200, to: request)
            scene.settle()
        }
        #expect(scene.store.messages.allSatisfy { $0.state == .delivered && $0.message.payload.isEmpty })
        #expect(scene.engine.counters.messagesQueued == 0)
        #expect(scene.engine.counters.openContexts == 0)
    }

    @Test func headersAndBodySurviveTheStore() throws {
        let extra = "Subject: Lunch?\r\nX-Trace: abc\r\nExpires: 7200\r\nDate: Mon, 23 Nov 2026 10:00:00 GMT\r\n"
        scene.receive(EngineScene.message(to: "alice", body: "café 🚂", id: "m1", extra: extra))
        scene.settle()
        scene.register("alice", port: 6001)
        let request = try #require(scene.requests(.message).last)
        #expect(request.header(.subject) == "Lunch?")
        #expect(request.header(.date) == "Mon, 23 Nov 2026 10:00:00 GMT")
        #expect(request.header(.expires) == "7200")
        #expect(request.header(.callID) == "m1@198.51.100.7")
        #expect(request.header(.cseq) == "1 MESSAGE")
        #expect(request.header(.from) == "<sip:bob@example.com>;tag=fm1")
        #expect(request.text.contains("X-Trace: abc\r\n"))
        #expect(request.body == "café 🚂")
        #expect(request.message.viaCount == 1)
    }

    @Test func aDateIsAddedWhereThereIsNone() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        #expect(try #require(scene.requests(.message).last).header(.date) == "Fri, 15 Jan 2027 08:00:00 GMT")
    }

    @Test func retransmissionsAndReplaysAreStoredOnce() {
        let text = EngineScene.message(to: "alice", id: "m1")
        scene.receive(text)
        scene.receive(text)
        scene.settle()
        scene.receive(text)
        #expect(scene.statuses == [202, 202])
        scene.receive(EngineScene.message(to: "alice", id: "m1", branch: "other"))
        scene.settle()
        #expect(scene.statuses == [202, 202, 202])
        #expect(scene.store.messages.count == 1)
        #expect(scene.engine.counters.messagesAcceptedAgain == 1)
    }

    @Test func aReplayIsRecognisedAfterARestart() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        try scene.restart()
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1", branch: "other"))
        scene.settle()
        #expect(scene.statuses == [202])
        #expect(scene.store.messages.count == 1)
    }

    @Test func aReplayOfADeliveredMessageIsRecognisedAfterARestart() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.answer(200, to: try #require(scene.requests(.message).last))
        scene.settle()
        try scene.restart()
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1", branch: "other"))
        scene.settle()
        #expect(scene.store.messages.count == 1)
        #expect(scene.requests(.message).isEmpty)
    }

    @Test func cpimMessageIDsIdentifyAMessage() {
        let body =
            "From: <im:bob@example.com>\r\nNS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: 34jk324j\r\n\r\nContent-Type: text/plain\r\n\r\nHello"
        func text(_ id: String) -> String {
            EngineScene.message(to: "alice", body: body, id: id)
                .replacingText("text/plain\r\nContent-Length", with: "message/cpim\r\nContent-Length")
        }
        scene.receive(text("m1"))
        scene.receive(text("m2"))
        scene.settle()
        #expect(scene.statuses == [202, 202])
        #expect(scene.store.messages.count == 1)
    }

    @Test func expiredMessagesAreNotDelivered() {
        scene.receive(EngineScene.message(to: "alice", id: "m1", extra: "Expires: 2\r\n"))
        scene.receive(EngineScene.message(to: "alice", id: "m2", extra: "Expires: 200\r\n"))
        scene.settle()
        scene.advance(.seconds(3 as Int64))
        scene.register("alice", port: 6001)
        #expect(scene.requests(.message).map { $0.header(.callID) } == ["m2@198.51.100.7"])
        #expect(scene.store.messages.first?.state == .expired)
    }

    @Test func theSweepExpiresWithoutARegistration() {
        scene.receive(EngineScene.message(to: "alice", id: "m1", extra: "Expires: 2\r\n"))
        scene.settle()
        scene.advance(.seconds(120 as Int64))
        #expect(scene.store.messages.first?.state == .expired)
        #expect(scene.engine.counters.messagesQueued == 0)
    }

    @Test func aMessageThatMayNotWaitIsRefused() {
        scene.receive(EngineScene.message(to: "alice", id: "m1", extra: "Expires: 0\r\n"))
        scene.settle()
        #expect(scene.statuses == [480])
        #expect(scene.store.messages.isEmpty)
    }

    @Test func aPassingFailureIsTriedAgainAtTheNextRegistrationWithANewBranch() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        let first = try #require(scene.requests(.message).last)
        scene.answer(503, to: first)
        scene.settle()
        #expect(scene.store.messages.first?.state == .waiting)
        scene.register("alice", port: 6001, cseq: 2)
        let second = try #require(scene.requests(.message).last)
        #expect(second.branch != first.branch)
        #expect(second.header(.callID) == first.header(.callID))
        scene.answer(200, to: second)
        scene.settle()
        #expect(scene.store.messages.first?.state == .delivered)
        _ = scene.take()
        scene.register("alice", port: 6001, cseq: 3)
        #expect(scene.requests(.message).isEmpty)
    }

    @Test func backOffDoublesUntilTheMessageIsTaken() throws {
        let scene = try EngineScene { configuration in
            var profile = LinkProfile()
            profile.retryJitter = 0
            profile.registrationDefault = .seconds(86_400 as Int64)
            configuration.profiles["lan"] = profile
        }
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001, expires: 86_400)
        var offeredAt: [Instant] = []
        for _ in 0..<4 {
            let request = try #require(scene.take().last { $0.message.isRequest })
            offeredAt.append(scene.now)
            scene.answer(480, to: request)
            scene.settle()
            while scene.requests(.message).isEmpty { scene.advance(.seconds(1 as Int64)) }
        }
        let gaps = zip(offeredAt, offeredAt.dropFirst()).map { Int(($1 - $0).inSeconds.rounded()) }
        #expect(gaps == [20, 40, 80])
    }

    @Test func aLastingRefusalEndsTheMessageWithItsCause() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.answer(415, to: try #require(scene.requests(.message).last))
        scene.settle()
        let row = try #require(scene.store.messages.first)
        #expect(row.state == .refused)
        #expect(row.cause.code == 415)
    }

    @Test func deregistrationDoesNotFlush() {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001, expires: 0)
        #expect(scene.requests(.message).isEmpty)
    }

    @Test func anAttemptRepeatedAfterACrashIsARetransmission() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        let first = try #require(scene.take().last { $0.message.isRequest })
        try scene.restart()
        scene.advance(.seconds(1 as Int64))
        let again = try #require(scene.requests(.message).first)
        #expect(again.branch == first.branch)
        #expect(again.text == first.text)
        scene.answer(200, to: again)
        scene.settle()
        #expect(scene.store.messages.first?.state == .delivered)
    }

    @Test func longAfterACrashTheBranchIsNewAndTheIdentityTheSame() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        let first = try #require(scene.take().last { $0.message.isRequest })
        scene.now = scene.now + .seconds(60 as Int64)
        try scene.restart()
        scene.advance(.seconds(1 as Int64))
        let again = try #require(scene.requests(.message).first)
        #expect(again.branch != first.branch)
        #expect(again.header(.callID) == first.header(.callID))
        #expect(again.header(.cseq) == first.header(.cseq))
    }

    @Test func aStoreThatFailsIsAnsweredFor() {
        scene.store.failure = .full("no space")
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        #expect(scene.statuses == [503])
        #expect(scene.engine.counters.messagesQueued == 0)
        #expect(scene.notices.contains { $0.details.contains { $0.0 == "remedy" } })
        scene.store.failure = nil
        scene.advance(.seconds(1 as Int64))
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "m1", branch: "again"))
        scene.settle()
        #expect(scene.statuses == [202])
        #expect(scene.store.messages.count == 1)
    }

    @Test func quotasAnswerWithTheirCause() throws {
        let scene = try EngineScene { $0.limits.quotas.perRecipient.messages = 2 }
        for n in 1...3 { scene.receive(EngineScene.message(to: "alice", id: "m\(n)")) }
        scene.settle()
        #expect(scene.statuses.sorted() == [202, 202, 480])
        let refusal = try #require(scene.sent.first { $0.status == 480 })
        #expect(refusal.header(.warning)?.contains("limit") ?? false)
        #expect(scene.store.messages.count == 2)
    }

    @Test func manyDevicesGetOneMessageEachAndOneSuffices() throws {
        scene.receive(EngineScene.message(to: "alice", id: "m1"))
        scene.settle()
        scene.register("alice", port: 6001)
        scene.answer(503, to: try #require(scene.take().last { $0.message.isRequest }))
        scene.settle()
        scene.register("alice", port: 6002)
        let offers = scene.requests(.message)
        #expect(Set(offers.map(\.port)) == [6001, 6002])
        scene.answer(200, to: offers[0])
        scene.settle()
        #expect(scene.store.messages.first?.state == .delivered)
        _ = scene.take()
        scene.register("alice", port: 6003)
        #expect(scene.requests(.message).isEmpty)
    }
}

extension String {
    func replacingText(_ old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return replacingCharacters(range, with: new)
    }

    private func firstRange(of other: String) -> Range<String.Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
            start = index(after: start)
        }
        return nil
    }

    private func replacingCharacters(_ range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
