import Foundation
import Glibc
import LinkProfiles
import Logging
import MessageStore
import MessageStoreSQLite
import SIPCore
import Testing
import Transport

@testable import GodwitServer

/// A directory that vanishes with it, and a configuration that serves example.com there without credentials.
final class Site {
    let directory: String

    init() {
        directory = FileManager.default.temporaryDirectory.appending(path: "godwit-\(UUID().uuidString.prefix(8))").path
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    func configuration(_ more: String = "") throws -> ServerConfiguration {
        let listen = more.contains("listen:") ? "" : "listen: [\"udp:127.0.0.1:0\"]"
        let authentication = more.contains("authentication:") ? "" : "authentication: {required: false}"
        return try ServerConfiguration.parse(
            """
            domains: [example.com]
            \(listen)
            \(authentication)
            drain-timeout: 5s
            \(more)
            """, directory: directory)
    }

    func start(_ more: String = "") async throws -> (server: Server, port: UInt16) {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = try await Server.start(try configuration(more), logger: logger)
        let port = try #require(server.points.first?.split(separator: ":").last.flatMap { UInt16($0) })
        return (server, port)
    }

    func ask(_ request: AdminRequest) throws -> AdminResponse {
        try AdminClient(path: directory + "/data/admin.sock").ask(request)
    }
}

@Suite("The server with real sockets", .serialized)
struct ServerTests {
    @Test func storesForwardsAndFlushesInOrder() async throws {
        let site = Site()
        let (server, port) = try await site.start()
        let alice = try LoopbackPeer(server: port)
        let bob = try LoopbackPeer(server: port)

        for number in 1...3 {
            alice.message(from: "alice", to: "bob", "text \(number)", id: "a\(number)")
            #expect(try alice.receiveFinal().statusCode == 202)
        }
        #expect(try site.ask(AdminRequest(.stats)).counters?["messages_queued"] == 3)

        bob.register("bob", sequence: 1)
        #expect(try bob.receiveFinal().statusCode == 200)
        for number in 1...3 {
            let message = try bob.receiveMessage()
            #expect(message.text(message.body) == "text \(number)")
            #expect(message.text(message.callID) == "message-a\(number)")
            #expect(message.contains(.date))
            bob.answer(message, 200)
        }

        alice.message(from: "alice", to: "bob", "live", id: "live")
        let live = try bob.receiveMessage()
        #expect(live.text(live.body) == "live")
        bob.answer(live, 200)
        #expect(try alice.receiveFinal().statusCode == 200)
        #expect(await server.stop())
    }

    @Test func whatWasAcceptedOutlivesARestart() async throws {
        let site = Site()
        let (first, firstPort) = try await site.start()
        let alice = try LoopbackPeer(server: firstPort)
        alice.message(from: "alice", to: "bob", "kept", id: "k")
        #expect(try alice.receiveFinal().statusCode == 202)
        await first.stop()

        let (second, secondPort) = try await site.start()
        let bob = try LoopbackPeer(server: secondPort)
        bob.register("bob", sequence: 1)
        #expect(try bob.receiveFinal().statusCode == 200)
        let message = try bob.receiveMessage()
        #expect(message.text(message.body) == "kept")
        bob.answer(message, 200)
        await second.stop()
        #expect(FileManager.default.fileExists(atPath: site.directory + "/data/secret"))
        #expect(!FileManager.default.fileExists(atPath: site.directory + "/data/admin.sock"))
    }

    @Test func operatorsChangeTheQueueThroughTheSocket() async throws {
        let site = Site()
        let (server, port) = try await site.start()
        let alice = try LoopbackPeer(server: port)
        for number in 1...3 {
            alice.message(from: "alice", to: "bob", "text", id: "o\(number)")
            #expect(try alice.receiveFinal().statusCode == 202)
        }
        let inspector = try QueueInspector(path: site.directory + "/data/godwit.sqlite")
        let numbers = try inspector.records(QueueQuery(states: QueueQuery.live)).map(\.number.rawValue)
        #expect(numbers.count == 3)
        #expect(try site.ask(AdminRequest(.drop, numbers: [numbers[0]])).affected == 1)
        #expect(try site.ask(AdminRequest(.expire, numbers: [numbers[1], 999])).affected == 1)
        #expect(try site.ask(AdminRequest(.drop, numbers: [numbers[0]])).affected == 0)
        #expect(try site.ask(AdminRequest(.retry, numbers: [numbers[2]])).affected == 1)
        #expect(try site.ask(AdminRequest(.retry)).ok == false)
        #expect(try site.ask(AdminRequest(.drop, numbers: Array(repeating: 1, count: 1_001))).ok == false)
        await server.stop()
        let states = try inspector.records().map(\.state)
        #expect(states == [.refused, .expired, .queued])
    }

    @Test func accountsAreTakenUpOnReload() async throws {
        let site = Site()
        let (server, _) = try await site.start()
        let inspector = try QueueInspector(path: site.directory + "/data/godwit.sqlite", access: .accounts)
        try inspector.putAccount(
            AccountRecord(
                account: Account(
                    username: "bob", domain: "example.com", realm: "example.com",
                    digests: ["MD5": String(repeating: "0", count: 32)])))
        #expect(try site.ask(AdminRequest(.reload)).affected == 1)
        await server.stop()
    }

    @Test func backupIsADatabase() async throws {
        let site = Site()
        let (server, port) = try await site.start()
        let alice = try LoopbackPeer(server: port)
        alice.message(from: "alice", to: "bob", "copied", id: "b")
        #expect(try alice.receiveFinal().statusCode == 202)
        let copy = site.directory + "/copy.sqlite"
        #expect(try site.ask(AdminRequest(.backup, path: copy)).ok)
        #expect(try site.ask(AdminRequest(.backup, path: "relative")).ok == false)
        #expect(try site.ask(AdminRequest(.backup, path: copy)).ok == false)
        await server.stop()
        #expect(try QueueInspector(path: copy).records().count == 1)
    }

    @Test func operatorsSocketIsForItsOwnerAlone() async throws {
        let site = Site()
        let (server, _) = try await site.start()
        var status = stat()
        #expect(stat(site.directory + "/data/admin.sock", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o600)
        await server.stop()
    }

    @Test func drainByOperatorIsSignalled() async throws {
        let site = Site()
        let (server, _) = try await site.start()
        #expect(try site.ask(AdminRequest(.drain)).ok)
        var stops = server.operatorStops.makeAsyncIterator()
        #expect(await stops.next() != nil)
        await server.stop()
    }

    @Test func secondServerOnOneDatabaseIsRefused() async throws {
        let site = Site()
        let (server, _) = try await site.start()
        let failure = await #expect(throws: ServerFailure.self) { _ = try await site.start() }
        guard case .store(.locked) = failure else {
            Issue.record("refused for another reason: \(String(describing: failure))")
            return
        }
        await server.stop()
    }

    @Test func portInUseIsNamed() async throws {
        let site = Site()
        let (server, port) = try await site.start()
        let other = Site()
        var configuration = try other.configuration()
        configuration.listeningPoints[0].address.port = port
        let failure = await #expect(throws: ServerFailure.self) {
            _ = try await Server.start(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        #expect(failure?.description.contains("127.0.0.1:\(port)") == true)
        await server.stop()
    }
}

@Suite("The admin protocol")
struct AdminProtocolTests {
    @Test func nobodyThereIsSaid() {
        let path = FileManager.default.temporaryDirectory.appending(path: "godwit-nobody.sock").path
        let failure = #expect(throws: AdminClient.Failure.self) { _ = try AdminClient(path: path) }
        #expect(failure == .noServer(path: path))
    }

    @Test func requestsAndAnswersAreOneLine() throws {
        let request = AdminRequest(.drop, numbers: [1, 2])
        let line = JSONText.line(request)
        #expect(line == #"{"command":"drop","numbers":[1,2]}"#)
        #expect(try JSONDecoder().decode(AdminRequest.self, from: Data(line.utf8)) == request)
        #expect(JSONText.line(AdminResponse.failure("a\nb")) == #"{"error":"a\nb","ok":false}"#)
    }

    @Test func countersAreNamedInSnakeCase() {
        struct Sample { var messagesQueued = 3; var unreadable: UInt64 = 4; var text = "no" }
        #expect(MetricsPublisher.values(of: Sample()) == ["messages_queued": 3, "unreadable": 4])
    }
}

@Suite("Log lines")
struct LogFormatTests {
    @Test func nothingAPeerSendsStartsALine() {
        let text = StandardErrorLog.text(.info, "bad\nREQUEST", [("from", "\"x\"\r\ny"), ("empty", "")])
        #expect(!text.contains("\n") && !text.contains("\r"))
        #expect(text.contains(#"info bad\xaREQUEST from='x'\xd\xay empty="""#))
    }

    @Test func jsonIsOneObject() throws {
        let text = StandardErrorLog.json(.error, "godwit", "a \"b\"\nc", [("key", "value")])
        let object = try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        #expect(object["message"] == "a \"b\"\nc")
        #expect(object["level"] == "error")
        #expect(object["key"] == "value")
        #expect(!text.contains("\n"))
    }
}
