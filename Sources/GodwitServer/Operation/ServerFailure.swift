public import MessageStore
public import Transport

/// Why the server could not start, or could not do what an operator asked for.
public enum ServerFailure: Error, Hashable, CustomStringConvertible {
    /// A file or directory the server needs.
    case cannotUse(path: String, reason: String)
    /// The Message Store could not be opened or read.
    case store(StoreFailure)
    /// Sockets, certificates or DNS.
    case transport(TransportFailure)
    /// The admin socket.
    case adminSocket(path: String, reason: String)

    public var description: String {
        switch self {
        case .cannotUse(let path, let reason): "\(path): \(reason)"
        case .store(let failure): failure.text
        case .transport(let failure): failure.description
        case .adminSocket(let path, let reason): "admin socket \(path): \(reason)"
        }
    }
}

extension StoreFailure {
    /// The failure in words, with what to do about it.
    public var text: String {
        switch self {
        case .full(let text): "the database cannot grow (\(text)); free space on its file system"
        case .locked(let text): "the database is in use (\(text))"
        case .damaged(let text): "the database is damaged (\(text)); restore a backup"
        case .io(let text): "the database cannot be read or written (\(text)); check the disk and permissions"
        case .misuse(let text): "the database refused a step (\(text)); please report this"
        }
    }
}
