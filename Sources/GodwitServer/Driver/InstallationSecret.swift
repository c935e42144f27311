import Engine
import Foundation

/// The installation's 32 secret bytes: made at the first start, kept beside the database, readable by the server's user only.
enum InstallationSecret {
    /// - Throws: ``ServerFailure/cannotUse(path:reason:)``
    static func load(path: String) throws(ServerFailure) -> EngineSecret {
        if let data = FileManager.default.contents(atPath: path) {
            guard data.count == 32 else {
                throw .cannotUse(
                    path: path, reason: "holds \(data.count) bytes, not 32; restore it from a backup or remove it")
            }
            return EngineSecret(bytes: [UInt8](data))
        }
        guard !FileManager.default.fileExists(atPath: path) else {
            throw .cannotUse(path: path, reason: "cannot be read; check its owner and permissions")
        }
        var random = SystemRandomNumberGenerator()
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let isWritten = FileManager.default.createFile(
            atPath: path, contents: Data(bytes), attributes: [.posixPermissions: 0o600])
        guard isWritten else { throw .cannotUse(path: path, reason: "cannot be written; check the directory's owner") }
        return EngineSecret(bytes: bytes)
    }
}
