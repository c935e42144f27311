/// The assembled program of one layout, and where things lie in the UDVM's memory.
struct AlignedRangeProgram {
    let layout: AlignedRangeLayout
    /// What is uploaded.
    let program: AssembledProgram
    /// Where a head is placed, and where it begins execution.
    let block: Int
    let instruction: Int
    /// The code, the same in every head.
    let code: ArraySlice<UInt8>
    let table: Int
    let lengths: Int
    let models: Int
    let modelCount: Int
    let recent: Int
    let tail: Int
    /// The memory that the program needs at most.
    let memorySize: Int

    /// Indices of the models.
    let kind: Int
    let high: Int
    let low: Int
    let source: Int
    let distance: Int
    let recentNumber: Int
    let hit: Int
    let length: Int
    let lengthLow: Int
    let end: Int

    init?(layout: AlignedRangeLayout) {
        guard let program = try? Assembler.assemble(AlignedRangeSource.text(layout)) else { return nil }
        let symbol = { (name: String) in program.symbols[name] ?? 0 }
        self.layout = layout
        self.program = program
        block = symbol("block")
        instruction = symbol("start")
        table = symbol("table")
        lengths = symbol("lengths")
        models = symbol("models")
        modelCount = (symbol("models_end") - symbol("models")) / 2
        recent = symbol("recent")
        tail = symbol("tail")
        memorySize = symbol("announcement") + Self.announcementRoom
        code = program.image[Self.codeStart..<table]
        let models = models
        let index = { (name: String) in (symbol(name) - models) / 2 }
        kind = index("kind_model")
        high = index("high_model")
        low = index("low_model")
        source = index("source_model")
        distance = index("distance_model")
        recentNumber = index("recent_model")
        hit = index("hit_model")
        length = index("length_model")
        lengthLow = index("length_low")
        end = index("end_model")
    }

    static let codeStart = 128
    static let identifierLength = 6

    /// What is uploaded, with the state that lies in the slot before the history's first; nil for none.
    func bytecode(introduction: StateIdentifier?) -> [UInt8] {
        guard let introduction else { return program.bytecode }
        return program.bytecode.dropLast(Self.identifierLength) + introduction.bytes.prefix(Self.identifierLength)
    }

    /// The end of an upload, which names that state; nil when it uploads something else.
    func introduction(of bytecode: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let own = program.bytecode
        guard bytecode.count == own.count,
            bytecode.dropLast(Self.identifierLength).elementsEqual(own.dropLast(Self.identifierLength))
        else { return nil }
        return bytecode.suffix(Self.identifierLength)
    }
    /// The bytes of an announcement, and of the number that ends it.
    private static let announcementRoom = 64

    /// The bytes of a head without its tail.
    var fixedLength: Int { tail - block }
    /// The bytes of the table of slots, and of those behind it that writing an entry may touch.
    var tableLength: Int { lengths - table }
}
