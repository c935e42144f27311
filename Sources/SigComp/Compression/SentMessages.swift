/// The messages of one compartment of which it is not known yet whether the peer has decompressed them: found by the number
/// that comes back as feedback, or by the hash that a NACK has (RFC 4077, section 2.1).
struct SentMessages {
    struct Record {
        let sequence: UInt64
        let hash: StateIdentifier
        /// nil when there was no room to keep it.
        var plain: [UInt8]?
        let transport: DecompressorDispatcher.Transport
        /// The number that it asks to have returned; 0 for none.
        let feedbackNumber: UInt8
        let announces: Bool
        /// Which of the peer's compressors made it; nil for a message that was passed through.
        let generation: Int?
        /// How often the message was refused before.
        let refusals: Int
        /// The messages that came from the peer since, without a sign that this one was decompressed.
        var silence = 0
    }

    /// How many records are kept, with or without the message.
    static let recordLimit = 16
    /// After so many messages from the peer without a sign, a message is taken for lost: those that crossed it on the way, or
    /// were reordered, are fewer.
    static let silenceLimit = 4

    private(set) var records: [Record] = []
    private(set) var plainBytes = 0
    /// The item that the peer returned last; it returns it again and again.
    private var lastReturned: UInt8 = 0
    private var lastNumber: UInt8 = 0

    /// A feedback number that no record has and that the peer does not return already.
    mutating func nextFeedbackNumber() -> UInt8 {
        repeat {
            lastNumber = lastNumber % 127 + 1
        } while lastNumber == lastReturned || records.contains { $0.feedbackNumber == lastNumber }
        return lastNumber
    }

    /// Adds a record, and tells which were given up for it.
    mutating func append(_ record: Record, keeping messages: Int, bytes: Int) -> [Record] {
        // The same bytes once more: a NACK could not tell them apart.
        _ = remove(hash: record.hash)
        records.append(record)
        plainBytes += record.plain?.count ?? 0
        var kept = records.count { $0.plain != nil }
        for index in records.indices where plainBytes > bytes || kept > messages {
            if index == records.count - 1, record.transport == .stream { break }
            guard let plain = records[index].plain else { continue }
            records[index].plain = nil
            plainBytes -= plain.count
            kept -= 1
        }
        guard records.count > Self.recordLimit else { return [] }
        return [removeRecord(at: 0)]
    }

    /// Takes out the message whose number the peer returns.
    mutating func returned(_ number: UInt8) -> Record? {
        lastReturned = number
        guard number != 0 else { return nil }
        return records.firstIndex { $0.feedbackNumber == number }.map { removeRecord(at: $0) }
    }

    mutating func remove(sequence: UInt64) -> Record? {
        records.firstIndex { $0.sequence == sequence }.map { removeRecord(at: $0) }
    }

    mutating func remove(hash: StateIdentifier) -> Record? {
        records.lastIndex { $0.hash == hash }.map { removeRecord(at: $0) }
    }

    /// Notes that another message came from the peer; gives the records that are taken for lost by now.
    mutating func silence() -> [Record] {
        for index in records.indices { records[index].silence += 1 }
        var lost: [Record] = []
        while let index = records.firstIndex(where: { $0.silence >= Self.silenceLimit }) {
            lost.append(removeRecord(at: index))
        }
        return lost
    }

    private mutating func removeRecord(at index: Int) -> Record {
        let record = records.remove(at: index)
        plainBytes -= record.plain?.count ?? 0
        return record
    }
}
