import MessageStore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The advisory lock that keeps a database to one writing process: an `flock` on a file beside it, held while this
/// object lives. The kernel releases it when the process ends, however it ends.
final class StoreLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock or says who has it.
    ///
    /// - Throws: ``StoreFailure/locked(_:)`` when another store has it, ``StoreFailure/io(_:)`` when the lock file cannot
    ///   be made.
    init(database path: String) throws(StoreFailure) {
        let lockPath = path + "-lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .io(
                "cannot open the lock file \(lockPath) (\(String(cString: strerror(errno)))): "
                    + "check that its directory exists and is writable for this user")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = StoreLock.holder(descriptor)
            close(descriptor)
            throw .locked(
                "\(path) is in use by another server or operator command\(holder): "
                    + "two must not share it; end that one, or choose another database")
        }
        self.descriptor = descriptor
        note()
    }

    deinit { close(descriptor) }

    /// Leaves the process number in the file, for people only.
    private func note() {
        ftruncate(descriptor, 0)
        let text = "\(getpid())\n"
        _ = text.utf8.withContiguousStorageIfAvailable { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private static func holder(_ descriptor: Int32) -> String {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        let digits = bytes.prefix(max(0, count)).prefix { $0 >= 0x30 && $0 <= 0x39 }
        return digits.isEmpty ? "" : " (process \(String(decoding: digits, as: UTF8.self)))"
    }
}
