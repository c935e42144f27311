/// PUSH, POP, CALL and RETURN (RFC 3320, sections 8.3, 9.2.3 and 9.3.3).
extension UDVM {
    mutating func push() throws(DecompressionFailureReason) {
        let value = try multitype()
        try charge(1)
        try pushWord(value)
    }

    mutating func pop() throws(DecompressionFailureReason) {
        let address = try multitype()
        try charge(1)
        try memory.setWord(try popWord(), at: address)
    }

    mutating func call() throws(DecompressionFailureReason) {
        let target = try address()
        try charge(1)
        try pushWord(cursor)
        try continueExecution(at: target)
    }

    mutating func returnFromCall() throws(DecompressionFailureReason) {
        try charge(1)
        try continueExecution(at: try popWord())
    }

    /// The fill is written last: it wins where the value lies on it (RFC 4896, section 3.4).
    private mutating func pushWord(_ value: Int) throws(DecompressionFailureReason) {
        let location = try memory.word(at: Register.stackLocation)
        let fill = try memory.word(at: location)
        try memory.setWord(value, at: (location &+ 2 &* fill &+ 2) & 0xFFFF)
        try memory.setWord(fill &+ 1, at: location)
    }

    private mutating func popWord() throws(DecompressionFailureReason) -> Int {
        let location = try memory.word(at: Register.stackLocation)
        let fill = try memory.word(at: location)
        guard fill > 0 else { throw .stackUnderflow }
        try memory.setWord(fill &- 1, at: location)
        return try memory.word(at: (location &+ 2 &* fill) & 0xFFFF)
    }
}
