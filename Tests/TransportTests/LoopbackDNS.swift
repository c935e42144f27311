import NIOCore
import NIOPosix
import SIPCore
import Synchronization

@testable import Transport

/// A name server on loopback for the resolver's tests. It answers from a table, and counts what it is asked.
final class LoopbackDNS: ChannelInboundHandler, Sendable {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    struct Zone {
        var records: [DNSQuestion: [RecordData]] = [:]
        var ttl: UInt32 = 300
        /// Names about which nothing is said at all.
        var silent: Set<String> = []
        var asked: [DNSQuestion] = []
    }

    let zone: Mutex<Zone>

    init(_ records: [DNSQuestion: [RecordData]], ttl: UInt32 = 300, silent: Set<String> = []) {
        zone = Mutex(Zone(records: records, ttl: ttl, silent: silent))
    }

    var asked: [DNSQuestion] { zone.withLock { $0.asked } }

    /// Runs `body` with the server's address.
    static func run(
        _ server: LoopbackDNS, _ body: (TransportAddress) async throws -> Void
    ) async throws {
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(server) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(TransportAddress(ip: .loopback4, port: UInt16(channel.localAddress?.port ?? 0)))
        } catch {
            try await channel.close()
            throw error
        }
        try await channel.close()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = Self.unwrapInboundIn(data)
        guard let response = response(to: Array(envelope.data.readableBytesView)) else { return }
        context.writeAndFlush(
            Self.wrapOutboundOut(
                AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: response))),
            promise: nil)
    }

    private func response(to query: [UInt8]) -> [UInt8]? {
        var at = 12
        var labels: [String] = []
        while at < query.count, query[at] != 0 {
            labels.append(String(decoding: query[at + 1...at + Int(query[at])], as: UTF8.self))
            at += 1 + Int(query[at])
        }
        at += 5
        guard at <= query.count, let type = RecordType(rawValue: UInt16(query[at - 4]) << 8 | UInt16(query[at - 3]))
        else {
            return nil
        }
        let question = DNSQuestion(labels.joined(separator: "."), type)
        return zone.withLock { zone in
            zone.asked.append(question)
            guard !zone.silent.contains(question.name) else { return nil }
            let records = zone.records[question] ?? []
            let exists = zone.records.keys.contains { $0.name == question.name }
            return DNSWriter.response(
                id: query[0..<2], question: query[12..<at], isNameError: !exists, records: records, type: type,
                ttl: zone.ttl)
        }
    }
}

/// Writes DNS responses for tests.
enum DNSWriter {
    static func response(
        id: ArraySlice<UInt8>, question: ArraySlice<UInt8>, isNameError: Bool, records: [RecordData], type: RecordType,
        ttl: UInt32
    ) -> [UInt8] {
        var bytes = id + [0x85, isNameError ? 0x83 : 0x80, 0, 1] + number(records.count)
        bytes += records.isEmpty ? [0, 1, 0, 0] : [0, 0, 0, 0]
        bytes += question
        for record in records {
            let data = data(record)
            // The owner is the question's name, by a compression pointer.
            bytes +=
                [0xc0, 12] + number(Int(type.rawValue)) + [0, 1] + number(Int(ttl >> 16)) + number(Int(ttl & 0xffff))
            bytes += number(data.count) + data
        }
        if records.isEmpty {
            let data =
                name("ns") + name("host") + [UInt8](repeating: 0, count: 16) + number(Int(ttl >> 16))
                + number(Int(ttl & 0xffff))
            bytes += name("test") + [0, 6, 0, 1, 0, 1, 0, 0] + number(data.count) + data
        }
        return Array(bytes)
    }

    static func number(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xff), UInt8(value & 0xff)] }

    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func data(_ record: RecordData) -> [UInt8] {
        switch record {
        case .address(let ip):
            let all = withUnsafeBytes(of: (ip.high.bigEndian, ip.low.bigEndian)) { Array($0) }
            return ip.isV4 ? Array(all.suffix(4)) : all
        case .service(let service):
            return number(Int(service.priority)) + number(Int(service.weight)) + number(Int(service.port))
                + name(service.target)
        case .pointer(let pointer):
            let texts = [pointer.flags, pointer.service, pointer.regularExpression]
            return number(Int(pointer.order)) + number(Int(pointer.preference))
                + texts.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + name(pointer.replacement)
        }
    }
}
