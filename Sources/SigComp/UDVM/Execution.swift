extension UDVM {
    /// Executes one instruction.
    public mutating func step() throws(DecompressionFailureReason) {
        instructionAddress = cursor
        currentOpcode = 0
        let opcode = try fetch()
        currentOpcode = opcode
        switch opcode {
        case 0: try decompressionFailure()
        case 1: try and()
        case 2: try or()
        case 3: try not()
        case 4: try lshift()
        case 5: try rshift()
        case 6: try add()
        case 7: try subtract()
        case 8: try multiply()
        case 9: try divide()
        case 10: try remainder()
        case 11: try sortAscending()
        case 12: try sortDescending()
        case 13: try sha1()
        case 14: try load()
        case 15: try multiload()
        case 16: try push()
        case 17: try pop()
        case 18: try copy()
        case 19: try copyLiteral()
        case 20: try copyOffset()
        case 21: try memset()
        case 22: try jump()
        case 23: try compare()
        case 24: try call()
        case 25: try returnFromCall()
        case 26: try switchBranch()
        case 27: try crc()
        case 28: try inputBytes()
        case 29: try inputBits()
        case 30: try inputHuffman()
        case 31: try stateAccess()
        case 32: try stateCreate()
        case 33: try stateFree()
        case 34: try outputBytes()
        case 35: try endMessage()
        default: throw .invalidOpcode
        }
    }
}
