public enum AlignedRangeDebug {
    public static func describe() -> String {
        guard let layout = AlignedRangeLayout.large else { return "no layout" }
        do { let p = try Assembler.assemble(AlignedRangeSource.text(layout)); return "\(p.bytecode.count) \(p.symbols["tail"]!) \(p.symbols["announcement"]!)" } catch { return "\(error)\n" + AlignedRangeSource.text(layout).split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { "\($0.offset + 1) \($0.element)" }[50..<60].joined(separator: "\n") }
    }
}
