import Policy
import Testing

@Suite struct QuotaTests {
    let policy = QuotaPolicy(
        perRecipient: Quota(messages: 10, bytes: 1_000), perSender: Quota(messages: 20, bytes: 2_000),
        messagesInAll: 100)

    private func refusal(
        _ size: Int, recipient: (Int, Int) = (0, 0), sender: (Int, Int) = (0, 0), waiting: Int = 0
    ) -> QuotaRefusal? {
        policy.refusal(
            size: size, recipient: QuotaUsage(messages: recipient.0, bytes: recipient.1),
            sender: QuotaUsage(messages: sender.0, bytes: sender.1), messagesInAll: waiting)
    }

    @Test func admitsUpToTheLimitAndNoFurther() {
        #expect(refusal(1_000) == nil)
        #expect(refusal(1_001) == .tooLarge)
        #expect(refusal(100, recipient: (9, 900)) == nil)
        #expect(refusal(100, recipient: (10, 500)) == .recipientMessages)
        #expect(refusal(100, recipient: (5, 901)) == .recipientBytes)
        #expect(refusal(100, sender: (19, 1_900)) == nil)
        #expect(refusal(100, sender: (20, 0)) == .senderMessages)
        #expect(refusal(100, sender: (3, 1_901)) == .senderBytes)
        #expect(refusal(100, waiting: 99) == nil)
        #expect(refusal(100, waiting: 100) == .serverFull)
    }

    @Test func zeroMeansNoLimit() {
        let free = QuotaPolicy()
        let much = QuotaUsage(messages: 1 << 40, bytes: 1 << 50)
        #expect(free.refusal(size: 1 << 30, recipient: much, sender: much, messagesInAll: 1 << 40) == nil)
    }

    @Test func everyRefusalSaysWhatToDo() {
        for refusal in QuotaRefusal.allCases {
            #expect([413, 480, 503].contains(refusal.statusCode))
            #expect(!refusal.reason.description.isEmpty && !refusal.warning.description.contains("\""))
            #expect((refusal.retryAfter == 0) == (refusal == .tooLarge))
        }
    }

    @Test func theLedgerReturnsToNothing() {
        var ledger = SenderLedger()
        for n in 0..<1_000 { ledger.add(100 + n, of: UInt32(n % 10)) }
        #expect(ledger.count == 10)
        #expect(ledger.usage(of: 3).messages == 100)
        #expect(ledger.usage(of: 3).bytes == (0..<100).reduce(0) { $0 + 100 + $1 * 10 + 3 })
        for n in 0..<1_000 { ledger.remove(100 + n, of: UInt32(n % 10)) }
        #expect(ledger.count == 0)
        ledger.remove(5, of: 77)
        #expect(ledger.usage(of: 77) == QuotaUsage())
    }
}
