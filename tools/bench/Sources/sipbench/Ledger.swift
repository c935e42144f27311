import Glibc

/// Outcomes of all messages of a run, by place: message `sequence` to user `index` has place `sequence * users + index`.
/// 0 is unanswered, 1 given up, else the status.
struct Ledger {
    var run: UInt32
    var first: Int
    var users: Int
    private(set) var outcomes: [UInt16] = []

    init(run: UInt32, first: Int, users: Int) {
        self.run = run
        self.first = first
        self.users = users
    }

    var acknowledged: Int { outcomes.reduce(0) { $0 + ((200..<300).contains($1) ? 1 : 0) } }

    mutating func open(_ place: Int) {
        while outcomes.count <= place { outcomes.append(0) }
    }

    mutating func close(_ place: Int, status: Int) { outcomes[place] = UInt16(status) }

    func place(user: Int, sequence: Int) -> Int? {
        guard user >= first, user < first + users else { return nil }
        let place = sequence * users + user - first
        return place < outcomes.count ? place : nil
    }

    func isAcknowledged(_ place: Int) -> Bool { (200..<300).contains(outcomes[place]) }

    func write(to path: String) {
        guard let file = fopen(path, "w") else { fail("cannot write \(path)") }
        defer { fclose(file) }
        fputs("\(run) \(first) \(users)\n", file)
        for outcome in outcomes { fputs("\(outcome)\n", file) }
    }

    init(reading path: String) {
        guard let file = fopen(path, "r") else { fail("cannot read \(path)") }
        defer { fclose(file) }
        var lines: [Substring] = []
        var buffer = [CChar](repeating: 0, count: 64)
        while fgets(&buffer, 64, file) != nil {
            let bytes = buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
            lines.append(Substring(decoding: bytes, as: UTF8.self))
        }
        let head = lines.first?.split(separator: " ").compactMap { Int($0) } ?? []
        guard head.count == 3 else { fail("\(path) is not a ledger") }
        self.init(run: UInt32(head[0]), first: head[1], users: head[2])
        outcomes = lines.dropFirst().compactMap { UInt16($0) }
    }
}
