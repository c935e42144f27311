import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A crash-child that is killed once it has said so much.
struct CrashingProcess {
    let database: String
    let seed: UInt64

    struct NotBuilt: Error, CustomStringConvertible {
        let path: String
        var description: String { "\(path) is not there: build the product crash-child" }
    }

    /// Reads `bytes` bytes of the child's journal, sends SIGKILL wherever it then is, and reads what is left in the pipe.
    func journal(killedAfter bytes: Int) throws -> CrashJournal {
        let executable = try CrashingProcess.executable()
        let pipe = Pipe()
        let process = Process()
        process.executableURL = executable
        process.arguments = [database, String(seed)]
        process.standardOutput = pipe
        try process.run()
        defer {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }
        var journal = CrashJournal()
        var count = 0
        while count < bytes || !journal.isReady {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { break }
            journal.read(data)
            count += data.count
        }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        journal.read(pipe.fileHandleForReading.readDataToEndOfFile())
        return journal
    }

    /// SwiftPM puts executables beside the test bundle.
    private static func executable() throws -> URL {
        let beside = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let url = beside.appendingPathComponent("crash-child")
        guard FileManager.default.isExecutableFile(atPath: url.path) else { throw NotBuilt(path: url.path) }
        return url
    }
}
