/// Heads: what a message leaves for the next.
extension AlignedRangeMachine {
    /// What a message leaves behind.
    enum Ending {
        static let head = 0
        static let nothing = 1
        /// Added when returned parameters follow.
        static let announcing = 2
    }

    /// Begins a message that uploads the program.
    ///
    /// - Parameter introduction: what the upload ends with: the state in the slot before the history's first.
    func boot(introduction: ArraySlice<UInt8>) {
        for index in 0..<program.modelCount { models[index] = Self.initialModel }
        for index in 0..<256 { lengths[index] = 0 }
        let uploaded = program.program.image[program.table...].dropLast(introduction.count) + introduction
        for index in 0..<program.tableLength {
            setTable(index, index < uploaded.count ? uploaded[uploaded.startIndex + index] : 0)
        }
        tailPosition = layout.firstPosition
        (given, aligned, other) = (0, 0, 0)
        written = 0
        itemHeader = [UInt8](repeating: 0, count: 8)
        clearWindow()
        cycles = Cost.boot + 2 * program.modelCount
        begin()
    }

    /// Begins a message that starts a head; false when the state is none of this program's.
    func load(_ head: StateItem) -> Bool {
        let value = head.value
        guard Int(head.address) == program.block, Int(head.instruction) == program.instruction,
            value.count >= program.fixedLength, value.count - program.fixedLength <= layout.recentOffset,
            value[8] == 0, value[9] == 0,
            value[(AlignedRangeProgram.codeStart - program.block)..<(program.table - program.block)].elementsEqual(
                program.code)
        else { return false }
        value.withUnsafeBufferPointer { value in
            let word = { (address: Int) -> Int in
                Int(value[address - self.program.block]) << 8 | Int(value[address - self.program.block + 1])
            }
            tailPosition = word(program.block)
            given = word(program.block + 2)
            aligned = word(program.block + 4)
            other = word(program.block + 6)
            for index in 0..<program.tableLength { setTable(index, value[program.table - program.block + index]) }
            for index in 0..<256 { lengths[index] = UInt16(word(program.lengths + 2 * index)) }
            for index in 0..<program.modelCount { models[index] = UInt16(word(program.models + 2 * index)) }
            written = value.count - program.fixedLength
            clearWindow()
            put(value, from: program.fixedLength, at: tailPosition, written)
            put(value, from: program.recent - program.block, at: recentPosition, layout.recentLength)
            itemHeader = Array(value[(program.fixedLength - 8)..<program.fixedLength])
        }
        cycles = 0
        begin()
        // The program trusts these to be what it has made of them.
        return tailPosition & (layout.slotSize - 1) == 0
    }

    private func begin() {
        forgetVerification()
        initialTail = written
        context = 0
        remembered = 0
        recent.update(repeating: 0, count: layout.recentLength)
        cycles += Cost.start + layout.recentLength
    }

    /// Changes a byte of the table; the slot of an entry that changes is read again.
    private func setTable(_ index: Int, _ byte: UInt8) {
        guard table[index] != byte else { return }
        table[index] = byte
        if index >> 3 < slots.count { slots[index >> 3] = nil }
    }

    /// The memory behind the tail's first position is 0 when a message begins.
    private func clearWindow() {
        for offset in stride(from: 0, to: layout.reach, by: layout.slotSize) {
            let start = (tailPosition + offset) & 0xFFFF
            slots[start >> layout.slotShift] = nil
            (history + start).update(repeating: 0, count: layout.slotSize)
        }
    }

    private func put(_ value: UnsafeBufferPointer<UInt8>, from start: Int, at position: Int, _ count: Int) {
        let first = min(count, Self.positions - position)
        guard let base = value.baseAddress else { return }
        (history + position).update(from: base + start, count: first)
        history.update(from: base + start + first, count: count - first)
    }

    /// Codes what the message leaves behind, and the returned parameters if there are any (RFC 3320, figure 13).
    func codeEnding<Coder: BitCoding>(_ ending: Int, announcement: [UInt8]?, _ coder: inout Coder)
        -> (ending: Int, announcement: [UInt8]?)
    {
        let wanted = ending + (announcement == nil ? 0 : Ending.announcing)
        let ending = codeTree(wanted, bits: 2, at: program.end, &coder)
        cycles += Cost.end
        guard ending & Ending.announcing != 0 else { return (ending, nil) }
        cycles += 4
        var bytes: [UInt8] = []
        let wantedBytes = announcement ?? []
        while bytes.count <= Self.announcementLimit {
            let byte = bytes.count < wantedBytes.count ? 256 + Int(wantedBytes[bytes.count]) : 512
            let number = codeNumber(byte, at: program.length, low: program.lengthLow, &coder)
            cycles += 6
            bytes.append(UInt8(truncatingIfNeeded: number))
            if number >= 512 { break }
        }
        return (ending & Ending.nothing, bytes)
    }

    static let announcementLimit = 31

    /// Ends a message that leaves nothing.
    func discard() { cycles += 1 }

    /// Makes the head, and a slot if the tail was long enough when the message began: what END-MESSAGE would request.
    func requests(hash: StateHash) -> [StateRequest]? {
        var requests: [StateRequest] = []
        cycles += 1
        if initialTail >= layout.slotSize {
            guard let sealing = seal(hash: hash) else { return nil }
            requests += sealing
        }
        let value = headValue()
        cycles += 3 + layout.recentLength + value.count
        requests.append(
            .create(
                StateCreation(
                    address: UInt16(program.block), instruction: UInt16(program.instruction), minimumAccessLength: 6,
                    priority: UInt16(AlignedRangeLayout.headPriority), value: value)))
        return requests
    }

    private func seal(hash: StateHash) -> [StateRequest]? {
        let size = layout.slotSize
        let value = Array(UnsafeBufferPointer(start: history + tailPosition, count: size))
        let address = UInt16(program.tail)
        guard
            let identifier = hash.identifier(
                address: address, instruction: 0, minimumAccessLength: 6, value: value[...])
        else { return nil }
        let slot = tailPosition >> layout.slotShift
        let entry = table + 8 * slot
        entry[0] = UInt8(tailPosition >> 8)
        entry[1] = UInt8(tailPosition & 0xFF)
        for (index, byte) in identifier.bytes.enumerated() { entry[2 + index] = byte }
        // SHA-1 writes 20 bytes, over the entries behind.
        for touched in slot...min(slot + 2, slots.count - 1) { slots[touched] = nil }
        let freed = ((tailPosition - layout.slotCount * size) & 0xFFFF) >> layout.slotShift
        let free = PartialStateIdentifier(UnsafeBufferPointer(start: table + 8 * freed + 2, count: 6))
        tailPosition = (tailPosition + size) & 0xFFFF
        aligned = (tailPosition - given) & 0xFFFF
        other = aligned
        written -= size
        itemHeader = [size, program.tail, 0, 6].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        cycles += Cost.seal + 2 * size
        guard let free else { return nil }
        return [
            .create(
                StateCreation(
                    address: address, instruction: 0, minimumAccessLength: 6,
                    priority: UInt16(AlignedRangeLayout.slotPriority), value: value)),
            .free(free),
        ]
    }

    private func headValue() -> [UInt8] {
        let count = program.fixedLength + written
        return [UInt8](unsafeUninitializedCapacity: count) { value, length in
            value.initialize(repeating: 0)
            func setWord(_ word: UInt16, _ address: Int) {
                value[address - program.block] = UInt8(word >> 8)
                value[address - program.block + 1] = UInt8(word & 0xFF)
            }
            for (index, word) in [tailPosition, given, aligned, other].enumerated() {
                setWord(UInt16(word), program.block + 2 * index)
            }
            for (index, byte) in program.code.enumerated() {
                value[AlignedRangeProgram.codeStart - program.block + index] = byte
            }
            for index in 0..<program.tableLength { value[program.table - program.block + index] = table[index] }
            for index in 0..<256 { setWord(lengths[index], program.lengths + 2 * index) }
            for index in 0..<program.modelCount { setWord(models[index], program.models + 2 * index) }
            for index in 0..<layout.recentLength { value[program.recent - program.block + index] = recent[index] }
            for (index, byte) in itemHeader.enumerated() { value[program.fixedLength - 8 + index] = byte }
            for index in 0..<written { value[program.fixedLength + index] = history[(tailPosition + index) & 0xFFFF] }
            length = count
        }
    }
}
