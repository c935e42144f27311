import Foundation

/// The documents printed in the RFCs, from the shared folder beside the repository.
enum Vectors {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "shared/vectors/xml")

    static func document(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appending(path: name + ".xml")))
    }

    static func text(_ name: String) throws -> String { String(decoding: try document(name), as: UTF8.self) }
}
