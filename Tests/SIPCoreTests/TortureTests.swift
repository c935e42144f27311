import SIPCore
import Testing

@Suite("RFC 4475 torture messages")
struct TortureTests {
    /// Application-level cases of RFC 4475 section 3.3 that break a rule of the grammar or of section 8.1.1.
    static let syntactic: Set<String> = ["insuf.dat", "multi01.dat", "mcl01.dat"]

    static var messages: [TortureVectors.Message] { (try? TortureVectors.index("rfc4475")) ?? [] }

    @Test func everyMessageIsThere() throws {
        #expect(try TortureVectors.index("rfc4475").count == 50)
    }

    @Test(arguments: messages)
    func outcome(_ vector: TortureVectors.Message) throws {
        var bytes = try TortureVectors.bytes("rfc4475", vector.file)
        // baddn lacks its empty line; the index says to append it.
        if vector.header_end_offset == nil { bytes += [0x0d, 0x0a] }
        let outcome = SIPMessage.parse(bytes)
        let isRefused = vector.category == "invalid" || Self.syntactic.contains(vector.file)
        switch outcome {
        case .message(let message):
            #expect(!isRefused && vector.category != "undocumented")
            #expect(message.isRequest == (vector.kind == "request"))
            if let method = vector.method, message.isRequest { #expect(message.text(message.methodText) == method) }
            if let end = vector.header_end_offset { #expect(Int(message.headerEnd) == end) }
        case .malformed(let message, let failure):
            #expect(isRefused, "refused: \(failure.reason)")
            #expect(message.isRequest == (vector.kind == "request"))
            if let codes = vector.expected_response { #expect(codes.contains(failure.statusCode)) }
            if !message.isRequest { #expect(vector.expected_action == "drop") }
        case .unreadable(let failure):
            #expect(vector.category == "undocumented", "unreadable: \(failure.reason)")
        }
    }
}

@Suite("RFC 5118 IPv6 messages")
struct IPv6TortureTests {
    static var messages: [TortureVectors.Message] { (try? TortureVectors.index("rfc5118")) ?? [] }

    @Test func everyMessageIsThere() throws {
        #expect(try TortureVectors.index("rfc5118").count == 12)
    }

    @Test(arguments: messages)
    func outcome(_ vector: TortureVectors.Message) throws {
        let outcome = SIPMessage.parse(try TortureVectors.bytes("rfc5118", vector.fixed_length_file ?? vector.file))
        switch outcome {
        case .message(let message):
            #expect(vector.category != "invalid")
            #expect(vector.method == message.text(message.methodText))
            #expect(Int(message.body.end) == message.bytes.count)
        case .malformed(_, let failure):
            #expect(vector.category == "invalid", "refused: \(failure.reason)")
            #expect(vector.expected_response?.contains(failure.statusCode) == true)
        case .unreadable(let failure): Issue.record("unreadable: \(failure.reason)")
        }
    }

    /// The files as published: a Content-Length below the body cuts it, one above it is refused.
    @Test(arguments: messages.filter { $0.fixed_length_file != nil })
    func publishedLength(_ vector: TortureVectors.Message) throws {
        switch SIPMessage.parse(try TortureVectors.bytes("rfc5118", vector.file)) {
        case .message(let message): #expect(Int(message.body.end) < message.bytes.count)
        case .malformed(_, let failure): #expect(failure.kind == .bodyTooShort && vector.file == "ipv6-in-sdp.dat")
        case .unreadable(let failure): Issue.record("unreadable: \(failure.reason)")
        }
    }
}
