import MessageStore

/// What a crash-child announced and what its store acknowledged, read from its lines:
///
///     ready <highest number>
///     try <kind> <number> ...      a group is about to be committed
///     did <kind> <number> ...      it was acknowledged
struct CrashJournal {
    enum Kind: String {
        case accept, claim, deliver, postpone, forget, subscribe, renew, unsubscribe, publish, unpublish
    }

    struct Group: Equatable {
        var kind: Kind
        var numbers: [Int64]
    }

    /// Acknowledged groups, in order.
    private(set) var acknowledged: [Group] = []
    /// Announced and not acknowledged: the one that was under way when the child died.
    private(set) var open: Group?
    /// Lines that make no sense.
    private(set) var unreadable: [String] = []
    private(set) var isReady = false
    private var rest: [UInt8] = []

    mutating func read(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte == UInt8(ascii: "\n") {
                read(line: String(decoding: rest, as: UTF8.self))
                rest.removeAll(keepingCapacity: true)
            } else {
                rest.append(byte)
            }
        }
    }

    private mutating func read(line: String) {
        let words = line.split(separator: " ")
        let numbers = words.dropFirst(2).compactMap { Int64($0) }
        switch (words.first, words.dropFirst().first.flatMap { Kind(rawValue: String($0)) }) {
        case ("ready", _): isReady = true
        case ("try", let kind?): open = Group(kind: kind, numbers: numbers)
        case ("did", let kind?) where open == Group(kind: kind, numbers: numbers):
            acknowledged.append(Group(kind: kind, numbers: numbers))
            open = nil
        default: unreadable.append(line)
        }
    }
}
