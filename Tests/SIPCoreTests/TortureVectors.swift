import Foundation

/// The vectors of RFC 4475 and RFC 5118, which live next to the repository.
enum TortureVectors {
    struct Message: Decodable, Sendable, CustomStringConvertible {
        let file: String
        let kind: String
        let category: String
        let method: String?
        let expected_response: [UInt16]?
        let expected_action: String?
        let header_end_offset: Int?
        let fixed_length_file: String?

        var description: String { file }
    }

    private struct Index: Decodable { let messages: [Message] }

    static let directory = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "shared/vectors/sip")

    static func index(_ folder: String) throws -> [Message] {
        let data = try Data(contentsOf: directory.appending(path: "\(folder)/index.json"))
        return try JSONDecoder().decode(Index.self, from: data).messages
    }

    static func bytes(_ folder: String, _ file: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: directory.appending(path: "\(folder)/\(file)")))
    }

    /// A named message; a missing file is a test failure at the caller.
    static func torture(_ name: String) throws -> [UInt8] { try bytes("rfc4475", name + ".dat") }

    static var all: [[UInt8]] {
        get throws {
            try ["rfc4475", "rfc5118"].flatMap { folder in
                try index(folder).flatMap { message in
                    try [message.file, message.fixed_length_file].compactMap { $0 }.map { try bytes(folder, $0) }
                }
            }
        }
    }
}
