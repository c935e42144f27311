import Foundation
import Testing

/// Certificates made with the `openssl` command in a directory of their own, which goes with the object.
final class CertificateAuthority: Sendable {
    let directory: URL

    init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj",
            "/CN=Test authority", "-keyout", path("ca.key"), "-out", path("ca.pem"))
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func path(_ name: String) -> String { directory.appendingPathComponent(name).path }
    var roots: String { path("ca.pem") }

    /// Issues a certificate; `names` in the notation of openssl's subjectAltName, empty for none.
    func issue(_ name: String, commonName: String, names: String) throws -> (chain: String, key: String) {
        let extensions = path("\(name).ext")
        try Data((names.isEmpty ? "basicConstraints=CA:FALSE\n" : "subjectAltName=\(names)\n").utf8)
            .write(to: URL(fileURLWithPath: extensions))
        try openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=\(commonName)",
            "-keyout", path("\(name).key"), "-out", path("\(name).csr"))
        try openssl(
            "x509", "-req", "-in", path("\(name).csr"), "-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-days", "1",
            "-set_serial", "\(UInt32.random(in: 1 ... .max))", "-extfile", extensions, "-out", path("\(name).pem"))
        return (path("\(name).pem"), path("\(name).key"))
    }

    private func openssl(_ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
    }
}
