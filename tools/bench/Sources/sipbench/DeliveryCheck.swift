/// Compares what arrives at the endpoints with what was sent.
struct DeliveryCheck {
    let run: UInt32
    private var branches: [UInt32] = []
    private var latest: [Int]
    private let space = UnsafeMutablePointer<UInt8>.allocate(capacity: DatagramSocket.slotSize)

    private(set) var firstCopies = 0
    /// A copy with the branch of the first: any endpoint absorbs it.
    private(set) var retransmissions = 0
    /// A copy with another branch.
    private(set) var duplicates = 0
    private(set) var reordered = 0
    private(set) var altered = 0
    /// Content-Type with other bytes than were sent.
    private(set) var retyped = 0
    private(set) var misrouted = 0
    /// Not of this run.
    private(set) var foreign = 0

    init(run: UInt32, users: Int) {
        self.run = run
        latest = [Int](repeating: -1, count: users)
    }

    /// The place of a message that arrived for the first time.
    mutating func take(_ message: SIPReader, expectedSocket: (Int) -> Int, socket: Int, ledger: Ledger, bodies: Bodies)
        -> Int?
    {
        guard let reference = Bodies.reference(in: message.body), reference.run == run,
            let place = ledger.place(user: reference.user, sequence: reference.sequence)
        else {
            foreign += 1
            return nil
        }
        guard expectedSocket(reference.user) == socket, addressed(message) == reference.user else {
            misrouted += 1
            return nil
        }
        while branches.count <= place { branches.append(0) }
        let branch = Self.digest(message.branch)
        guard branches[place] == 0 else {
            if branches[place] == branch { retransmissions += 1 } else { duplicates += 1 }
            return nil
        }
        branches[place] = branch
        firstCopies += 1
        let index = reference.user - ledger.first
        if reference.sequence < latest[index] { reordered += 1 } else { latest[index] = reference.sequence }
        var expected = SIPWriter(start: space)
        bodies.write(run: run, user: reference.user, sequence: reference.sequence, to: &expected)
        if !expected.written.elementsEqual(message.body) { altered += 1 }
        if !message.contentType.equals("text/plain;charset=UTF-8") { retyped += 1 }
        return place
    }

    /// Acknowledged messages that never came.
    func lost(_ ledger: Ledger) -> Int {
        ledger.outcomes.indices.reduce(0) {
            $0 + (ledger.isAcknowledged($1) && ($1 >= branches.count || branches[$1] == 0) ? 1 : 0)
        }
    }

    private func addressed(_ message: SIPReader) -> Int? {
        guard let found = message.start.index(of: "sip:u") else { return nil }
        return message.start.decimal(at: found + 5)?.value
    }

    private static func digest(_ bytes: Bytes) -> UInt32 {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return UInt32(truncatingIfNeeded: value ^ value >> 32) | 1
    }
}
