import Foundation
import Glibc

/// Talks to a running server over its admin socket; blocks while it waits for answers.
public final class AdminClient {
    /// Why there was no answer.
    public enum Failure: Error, Hashable, CustomStringConvertible {
        /// No server listens at the path.
        case noServer(path: String)
        /// The socket may not be opened.
        case notPermitted(path: String)
        /// The connection broke or the answer made no sense.
        case broken(String)

        public var description: String {
            switch self {
            case .noServer(let path): "no server is running (nothing listens at \(path))"
            case .notPermitted(let path): "\(path) may only be used by the server's user"
            case .broken(let reason): "the server did not answer: \(reason)"
            }
        }
    }

    private let descriptor: Int32
    private var received: [UInt8] = []

    public init(path: String) throws(Failure) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .broken(Self.systemError()) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            Glibc.close(descriptor)
            throw .broken("\(path) is too long for a socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let outcome = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard outcome == 0 else {
            let code = errno
            Glibc.close(descriptor)
            switch code {
            case ENOENT, ECONNREFUSED: throw .noServer(path: path)
            case EACCES, EPERM: throw .notPermitted(path: path)
            default: throw .broken(String(cString: strerror(code)))
            }
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Sends a request and waits for its answer.
    public func ask(_ request: AdminRequest) throws(Failure) -> AdminResponse {
        try write(Array((JSONText.line(request) + "\n").utf8))
        let line = try readLine()
        guard let response = try? JSONDecoder().decode(AdminResponse.self, from: Data(line)) else {
            throw .broken("its answer was not understood")
        }
        return response
    }

    private func write(_ bytes: [UInt8]) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .broken(Self.systemError()) }
            sent += count
        }
    }

    private func readLine() throws(Failure) -> [UInt8] {
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(received[..<end])
                received.removeFirst(end + 1)
                return line
            }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = chunk.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .broken(count == 0 ? "it closed the connection" : Self.systemError()) }
            received += chunk[..<count]
        }
    }

    private static func systemError() -> String { String(cString: strerror(errno)) }
}
