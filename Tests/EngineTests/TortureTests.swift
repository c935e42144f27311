import Foundation
import LinkProfiles
import SIPCore
import Testing

@testable import Engine

/// What RFC 4475 and RFC 5118 expect of a proxy and registrar that gets their messages in a datagram.
@Suite("Torture messages answered")
struct TortureTests {
    struct Case: Sendable, CustomStringConvertible {
        let name: String
        let bytes: [UInt8]
        let category: String
        let isRequest: Bool
        let expected: [UInt16]
        var description: String { name }
    }

    private struct Index: Decodable {
        struct Entry: Decodable {
            let file: String
            let kind: String
            let category: String
            let expected_response: [UInt16]?
            /// The same message with the Content-Length the RFC meant.
            let fixed_length_file: String?
        }
        let messages: [Entry]
    }

    static let cases: [Case] = {
        let vectors = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("../shared/vectors/sip")
        return ["rfc4475", "rfc5118"].flatMap { folder -> [Case] in
            let place = vectors.appendingPathComponent(folder)
            guard let data = try? Data(contentsOf: place.appendingPathComponent("index.json")),
                let index = try? JSONDecoder().decode(Index.self, from: data)
            else { return [] }
            return index.messages.compactMap { entry in
                guard
                    let bytes = try? Data(
                        contentsOf: place.appendingPathComponent(entry.fixed_length_file ?? entry.file))
                else { return nil }
                return Case(
                    name: "\(folder)/\(entry.file)", bytes: Array(bytes), category: entry.category,
                    isRequest: entry.kind == "request", expected: entry.expected_response ?? [])
            }
        }
    }()

    @Test func theVectorsAreThere() { #expect(Self.cases.count >= 60) }

    /// Codes of a proxy that has nobody registered: the index lists endpoints' answers too, and where it says an endpoint accepts,
    /// a proxy forwards, or says that the user is not here.
    @Test(arguments: cases)
    func outcome(_ sample: Case) throws {
        let scene = try EngineScene {
            $0.domains = ["example.com", "registrar.example.com", "company.com", "biloxi.com"]
        }
        scene.receive(sample.bytes, on: EngineScene.udp(5060))
        scene.settle()
        let answers = scene.sent.filter { !$0.message.isRequest && $0.status >= 200 }.map(\.status)
        guard sample.isRequest else {
            #expect(scene.sent.isEmpty, "a response nobody asked for was answered or forwarded")
            return
        }
        if sample.category == "undocumented" {
            #expect(answers.isEmpty, "it has no Via, so there is nowhere to answer")
            return
        }
        let syntaxErrors: Set<UInt16> = [400, 505, 513]
        let wanted = Set(sample.expected)
        if sample.expected.isEmpty || !wanted.isDisjoint(with: [200, 404, 406, 415, 481, 501]) {
            #expect(
                answers.allSatisfy { !syntaxErrors.contains($0) || wanted.contains($0) },
                "well-formed, but answered \(answers)")
        } else {
            #expect(
                answers.count == 1 && wanted.contains(answers[0]), "expected \(sample.expected), answered \(answers)")
        }
        // Whatever it was, the next request is served.
        _ = scene.take()
        scene.receive(EngineScene.message(to: "alice", id: "after"))
        scene.settle()
        #expect(scene.statuses.last == 202)
    }
}
