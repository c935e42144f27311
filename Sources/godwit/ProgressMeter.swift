import Foundation
import Glibc

/// Progress of long work on standard error: one line that is written over on a terminal, a line every ten seconds elsewhere,
/// and nothing for work that ends within a second.
final class ProgressMeter {
    private let unit: String
    private let began = Date()
    private var shownAt: Date
    private var hasShown = false
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(_ unit: String) {
        self.unit = unit
        shownAt = began
    }

    /// - Parameter all: the whole of the work; nil when it is not known.
    func show(_ done: Int, of all: Int? = nil) {
        let now = Date()
        guard now.timeIntervalSince(shownAt) >= (isTerminal ? 1 : 10) else { return }
        shownAt = now
        hasShown = true
        let share = all.map { $0 > 0 ? " of \($0) (\(done * 100 / $0) %)" : "" } ?? ""
        write(isTerminal ? "\r\u{1b}[K\(done)\(share) \(unit)" : "\(done)\(share) \(unit)\n")
    }

    func finish() { if hasShown, isTerminal { write("\r\u{1b}[K") } }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
