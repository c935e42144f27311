import LinkProfiles
import MessageStore
import Testing

@Suite("Groups, numbering and recovery")
struct GroupTests {
    @Test("a group that breaks the protocol leaves nothing behind and the store usable", arguments: StoreKind.allCases)
    func atomic(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names + [.enqueue(sample(1)), .bind(sampleBinding(1))])
        let before = try subject.content()
        let offences: [StoreCommand] = [
            .enqueue(sample(1)), .enqueue(sample(9, state: .waiting)), .enqueue(sample(9, state: .delivered)),
            .enqueue(sample(9, to: AddressNumber(3))), .bind(sampleBinding(9, of: AddressNumber(3))),
            .name(alice, addressOfRecord: "sip:mallory@example.org"),
        ]
        for offence in offences {
            let group: [StoreCommand] = [
                .enqueue(sample(2)), .claim(MessageNumber(1), attempts: 1, at: moment(1)),
                .bind(sampleBinding(2)), .unbind(BindingNumber(1)), offence,
            ]
            #expect(failureKind { try subject.store.commit(group) } == "misuse")
            #expect(try subject.content() == before)
        }
        try subject.commit(.enqueue(sample(2)), .name(alice, addressOfRecord: "sip:alice@example.org"))
        #expect(try subject.content().messages.map(\.number.rawValue) == [1, 2])
    }

    @Test("an empty group is committed", arguments: StoreKind.allCases)
    func empty(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        #expect(try subject.commit().isEmpty)
        #expect(try subject.content().messages.isEmpty)
    }

    @Test("addresses come first, then bindings, then messages by number", arguments: StoreKind.allCases)
    func order(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(
            names + [.enqueue(sample(30)), .enqueue(sample(7)), .bind(sampleBinding(4)), .enqueue(sample(12))]
                + [.bind(sampleBinding(2))])
        try subject.reopen()
        let content = try subject.content()
        #expect(content.order == "aabbmmm")
        #expect(content.addresses == [alice: "sip:alice@example.org", bob: "sip:bob@example.org"])
        #expect(content.messages.map(\.number.rawValue) == [7, 12, 30])
        #expect(content.bindings == [sampleBinding(2), sampleBinding(4)])
    }

    @Test("a binding is replaced under its number and removed", arguments: StoreKind.allCases)
    func bindings(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names + [.bind(sampleBinding(1)), .bind(sampleBinding(2))])
        var changed = sampleBinding(1, of: alice, cseq: .max)
        changed.path = ""
        changed.instance = ""
        changed.flow = ""
        changed.contact = "sip:bøb@127.0.0.1"
        try subject.commit(.bind(changed), .unbind(BindingNumber(2)))
        try subject.reopen()
        #expect(try subject.content().bindings == [changed])
    }

    @Test("only settled identities accepted at or after the moment asked for come back", arguments: StoreKind.allCases)
    func settled(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names)
        for number in 1...6 as ClosedRange<Int64> {
            try subject.commit(
                .enqueue(sample(number, acceptedAt: moment(number))),
                .refuse(MessageNumber(number), at: moment(100), cause: .dropped))
        }
        let content = try subject.content(duplicatesSince: moment(4))
        #expect(content.settled == Dictionary(uniqueKeysWithValues: (4...6).map { (sample($0).identity, moment($0)) }))
        #expect(content.messages.isEmpty)
    }

    @Test(
        "forget takes ended rows before the moment, as many as allowed, and never a live one",
        arguments: StoreKind.allCases)
    func forget(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(names)
        for number in 1...10 as ClosedRange<Int64> {
            try subject.commit(.enqueue(sample(number, acceptedAt: moment(number))))
            if number <= 8 {
                try subject.commit(.expire(MessageNumber(number), at: moment(100 + number), cause: .none))
            }
        }
        try subject.commit(.forget(before: moment(107), limit: 4))
        #expect(try subject.content().settled.count == 4)
        try subject.commit(.forget(before: moment(107), limit: 100))
        #expect(Set(try subject.content().settled.values) == [moment(7), moment(8)])
        try subject.commit(.forget(before: moment(1_000), limit: 0))
        #expect(try subject.content().settled.count == 2)
        try subject.commit(.forget(before: .distantFuture, limit: 100))
        #expect(try subject.content().settled.isEmpty)
        #expect(try subject.content().messages.map(\.number.rawValue) == [9, 10])
    }

    @Test("numbers of rows that are gone are not given out again", arguments: StoreKind.allCases)
    func numbering(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        #expect(try subject.content().numbering.lastMessage == MessageNumber(0))
        _ = try subject.store.commit(
            names + [.enqueue(sample(5)), .enqueue(sample(41)), .bind(sampleBinding(17)), .bind(sampleBinding(3))])
        try subject.commit(
            .expire(MessageNumber(41), at: moment(1), cause: .none),
            .expire(MessageNumber(5), at: moment(1), cause: .none),
            .unbind(BindingNumber(17)))
        try subject.commit(.forget(before: moment(2), limit: 10))
        try subject.reopen()
        let expected = StoreNumbering(
            lastMessage: MessageNumber(41), lastAddress: bob, lastBinding: BindingNumber(17))
        #expect(try subject.content().numbering == expected)
        try subject.commit(.unbind(BindingNumber(3)), .enqueue(sample(42)), .bind(sampleBinding(18)))
        try subject.reopen()
        #expect(try subject.content().numbering.lastMessage == MessageNumber(42))
        #expect(try subject.content().numbering.lastBinding == BindingNumber(18))
    }

    @Test("a row that came and went within one group still counts", arguments: StoreKind.allCases)
    func numberingWithinOneGroup(_ kind: StoreKind) throws {
        let subject = try StoreUnderTest(kind)
        _ = try subject.store.commit(
            names + [
                .enqueue(sample(8)), .expire(MessageNumber(8), at: moment(1), cause: .none),
                .forget(before: moment(2), limit: 1), .bind(sampleBinding(6)), .unbind(BindingNumber(6)),
            ])
        try subject.reopen()
        #expect(try subject.content().numbering.lastMessage == MessageNumber(8))
        #expect(try subject.content().numbering.lastBinding == BindingNumber(6))
    }
}
