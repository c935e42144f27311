import Foundation
import LinkProfiles
import MessageStore
import MessageStoreSQLite
import Simulation
import Testing

/// The stores that the conformance suite runs on. A new store is one more case here.
enum StoreKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite
    case simulated

    var testDescription: String { rawValue }
}

/// A store that can be closed and opened again over the same content.
final class StoreUnderTest {
    private let kind: StoreKind
    private let directory: TemporaryDirectory
    private(set) var store: any MessageStore

    init(_ kind: StoreKind) throws {
        self.kind = kind
        directory = try TemporaryDirectory()
        switch kind {
        case .sqlite: store = try SQLiteMessageStore(path: directory.path("store.db"))
        case .simulated: store = SimulatedStore()
        }
    }

    func reopen() throws {
        switch kind {
        case .sqlite:
            store = SimulatedStore()
            store = try SQLiteMessageStore(path: directory.path("store.db"))
        case .simulated:
            (store as? SimulatedStore)?.crash()
        }
    }

    @discardableResult
    func commit(_ commands: StoreCommand...) throws -> [ClaimedMessage] { try store.commit(commands) }

    func content(duplicatesSince: Instant = Instant(microseconds: 0)) throws -> StoreContent {
        try StoreContent(of: store, duplicatesSince: duplicatesSince)
    }
}

/// Everything a recovery reports.
struct StoreContent: RecoveryVisitor, Equatable {
    var addresses: [AddressNumber: String] = [:]
    var bindings: [StoredBinding] = []
    var messages: [RecoveredMessage] = []
    var settled: [MessageIdentity: Instant] = [:]
    var documents: [StoredDocument] = []
    var publications: [StoredPublication] = []
    var subscriptions: [StoredSubscription] = []
    var numbering = StoreNumbering(
        lastMessage: MessageNumber(0), lastAddress: AddressNumber(0), lastBinding: BindingNumber(0))
    /// A letter for each call, to see the order of the kinds.
    var order = ""

    init(of store: any MessageStore, duplicatesSince: Instant = Instant(microseconds: 0)) throws {
        numbering = try store.recover(duplicatesSince: duplicatesSince, into: &self)
    }

    mutating func address(_ number: AddressNumber, addressOfRecord: String) {
        addresses[number] = addressOfRecord
        order += "a"
    }
    mutating func binding(_ binding: StoredBinding) {
        bindings.append(binding)
        order += "b"
    }
    mutating func message(_ message: RecoveredMessage) {
        messages.append(message)
        order += "m"
    }
    mutating func settled(_ identity: MessageIdentity, acceptedAt: Instant) { settled[identity] = acceptedAt }
    mutating func document(_ document: StoredDocument) {
        documents.append(document)
        order += "d"
    }
    mutating func publication(_ publication: StoredPublication) {
        publications.append(publication)
        order += "p"
    }
    mutating func subscription(_ subscription: StoredSubscription) {
        subscriptions.append(subscription)
        order += "s"
    }

    func message(_ number: Int64) -> RecoveredMessage? { messages.first { $0.number.rawValue == number } }
}

/// A directory that goes with the test.
final class TemporaryDirectory: Sendable {
    private let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("godwit-store-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }
}

// MARK: Samples

/// A moment in the year 2026 and so many seconds.
func moment(_ seconds: Int64) -> Instant { Instant(microseconds: 1_790_000_000_000_000 + seconds * 1_000_000) }

let alice = AddressNumber(1)
let bob = AddressNumber(2)
let names: [StoreCommand] = [
    .name(alice, addressOfRecord: "sip:alice@example.org"), .name(bob, addressOfRecord: "sip:bob@example.org"),
]

func sample(
    _ number: Int64, to recipient: AddressNumber = bob, from sender: String = "sip:alice@example.org",
    acceptedAt: Instant = moment(0), urgent: Bool = false, state: DeferredState = .queued, attempts: UInt32 = 0,
    payload: [UInt8]? = nil
) -> DeferredMessage {
    DeferredMessage(
        number: MessageNumber(number), recipient: recipient, sender: sender,
        identity: MessageIdentity(high: UInt64(number) &* 0x9e37_79b9_7f4a_7c15, low: .max - UInt64(number)),
        acceptedAt: acceptedAt, expiresAt: acceptedAt + .seconds(3_600 as Int64), isUrgent: urgent, state: state,
        attempts: attempts, payload: payload ?? Array("From: <\(sender)>\r\n\r\nmessage \(number)".utf8))
}

func sampleBinding(_ number: Int64, of address: AddressNumber = bob, cseq: UInt32 = 1) -> StoredBinding {
    StoredBinding(
        number: BindingNumber(number), address: address, contact: "sip:bob@127.0.0.1:50\(number)",
        parameters: ";methods=\"MESSAGE\"", callID: "call-\(number)", cseq: cseq, q: 700, expiresAt: moment(3_600),
        path: "<sip:edge.example.org;lr>", instance: "urn:uuid:00000000-0000-1000-8000-000A95A0E128", regID: 1,
        flow: "udp 127.0.0.1:50\(number)")
}

extension StoreFailure {
    /// Its case, without the message.
    var kind: String {
        switch self {
        case .full: "full"
        case .locked: "locked"
        case .damaged: "damaged"
        case .io: "io"
        case .misuse: "misuse"
        }
    }
}

/// The case of the failure that `body` throws; "nothing" when it throws none, "other" when it is no ``StoreFailure``.
func failureKind<T>(_ body: () throws -> T) -> String {
    do {
        _ = try body()
        return "nothing"
    } catch {
        return (error as? StoreFailure)?.kind ?? "other"
    }
}
