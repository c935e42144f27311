import LinkProfiles
import MessageStore
import SIPCore
import SIPTransaction

/// How transactions, branches, tags and messages are named. Everything is a keyed hash, so that nobody outside can foresee or
/// collide it, and what must survive a restart depends on the message and the installation's secret alone.
extension Engine {
    /// The server transaction of a request (RFC 3261 section 17.2.3); an ACK belongs to its INVITE's.
    func serverID(of message: SIPMessage) -> TransactionID {
        var hash = KeyedHash(key: key, wide: true)
        let branch = message.topVia.branch
        let via = message.topVia
        if branch.count > 7, message.equalsFolded(ByteRange(start: branch.start, end: branch.start + 7), "z9hG4bK") {
            combineBranch(of: message, into: &hash)
        } else {
            hash.combine(message.requestURI, of: message)
            hash.separate()
            hash.combine(message.from.tag, of: message)
            hash.separate()
            hash.combine(message.callID, of: message)
            hash.combine(UInt64(message.cseqNumber))
            hash.combine(via.value, of: message)
        }
        switch message.method {
        case .invite, .ack: hash.combine(byte: 1)
        case .other: hash.combine(message.methodText, of: message)
        default: hash.combine(byte: 2 + message.method.rawValue)
        }
        let (high, low) = hash.finalize128()
        return TransactionID(high: high, low: low)
    }

    /// The INVITE a CANCEL is for (RFC 3261 section 9.2).
    func inviteID(ofCancel message: SIPMessage) -> TransactionID {
        var hash = KeyedHash(key: key, wide: true)
        combineBranch(of: message, into: &hash)
        hash.combine(byte: 1)
        let (high, low) = hash.finalize128()
        return TransactionID(high: high, low: low)
    }

    /// Branch and sent-by of the top Via.
    private func combineBranch(of message: SIPMessage, into hash: inout KeyedHash) {
        let via = message.topVia
        hash.combine(via.branch, of: message)
        hash.separate()
        hash.combineFolded(via.host, of: message)
        hash.combine(UInt64(via.port))
    }

    /// The client transaction a branch of ours belongs to (RFC 3261 section 17.1.3).
    func clientID(branch: ArraySlice<UInt8>, method: SIPMethod) -> TransactionID {
        var hash = KeyedHash(key: key, wide: true)
        hash.combine(branch)
        hash.combine(byte: method.rawValue)
        let (high, low) = hash.finalize128()
        return TransactionID(high: high, low: low)
    }

    /// The tag we put into To of our own responses: the same for every retransmission.
    func localTag(_ id: TransactionID) -> [UInt8] {
        var writer = MessageWriter(capacity: 16)
        writer.appendHex(localTagValue(id))
        return writer.bytes
    }

    /// The number that tag writes.
    func localTagValue(_ id: TransactionID) -> UInt64 { id.high ^ 0x676f_6477_6974_2e74 }

    /// `z9hG4bK`, what makes it unique, and a hash by which a request that comes back is recognised as looping
    /// (RFC 5393 section 4). For a MESSAGE to a served user the middle depends on message, contact and attempt only: the
    /// same attempt made again after a crash is a retransmission to the endpoint.
    func branchText(_ context: ForkContext, _ target: ForwardTarget, isRepeated: Bool) -> [UInt8] {
        var writer = MessageWriter(capacity: 41)
        if context.user >= 0, context.method == .message, !isRepeated {
            writer.append("z9hG4bKd")
            var hash = KeyedHash(key: key)
            hash.combine(context.seed)
            hash.combine(target.hash)
            hash.combine(UInt64(context.attempts))
            writer.appendHex(hash.finalize())
        } else {
            writer.append("z9hG4bKg")
            writer.appendHex(random.next())
        }
        writer.append(byte: UInt8(ascii: "."))
        writer.appendHex(loopHash(of: context))
        return writer.bytes
    }

    /// The tail of a branch. For a MESSAGE to a served user it follows from message and user alone, so that the store's copy of
    /// the message gets the same as the request that was relayed.
    private func loopHash(of context: ForkContext) -> UInt64 {
        if context.user >= 0, context.method == .message { return loopHash(seed: context.seed, user: context.user) }
        return context.held.map { loopHash(of: $0.request) } ?? context.seed
    }

    private func loopHash(seed: UInt64, user: Int32) -> UInt64 {
        var hash = KeyedHash(key: key)
        hash.combine(seed)
        location.combineAddressOfRecord(of: user, into: &hash)
        return hash.finalize()
    }

    /// What the tail of our branch is if this very request passed here before.
    private func expectedLoopHash(of message: SIPMessage) -> UInt64 {
        if message.method == .message, let uri = message.addressOfRecord(of: message.requestURI),
            let user = location.user(uri.user, host: uri.host, in: message.bytes)
        {
            return loopHash(seed: deliverySeed(request: message), user: user)
        }
        return loopHash(of: message)
    }

    /// Hash of all that decides where a request goes (RFC 5393 section 4.2.1).
    func loopHash(of message: SIPMessage) -> UInt64 {
        var hash = KeyedHash(key: key)
        hash.combine(message.requestURI, of: message)
        hash.separate()
        hash.combine(message.from.tag, of: message)
        hash.separate()
        hash.combine(message.callID, of: message)
        hash.combine(UInt64(message.cseqNumber))
        if message.contains(.route) || message.contains(.proxyRequire) {
            for field in message.fields where field.name == .route || field.name == .proxyRequire {
                hash.combine(field.value, of: message)
                hash.separate()
            }
        }
        return hash.finalize()
    }

    /// Whether this very request passed here before with nothing changed that decides its way.
    func isLooping(_ message: SIPMessage) -> Bool {
        // What we deliver from the store has our Via alone.
        guard message.viaCount > 1 || message.topVia.branch.count == 41 else { return false }
        var mine: [UInt8]?
        for via in message.vias() where via.branch.count == 41 && isLocal(host: via.host, port: via.port, in: message) {
            let expected: [UInt8]
            if let mine {
                expected = mine
            } else {
                var writer = MessageWriter(capacity: 16)
                writer.appendHex(expectedLoopHash(of: message))
                expected = writer.bytes
                mine = expected
            }
            if message[via.branch].suffix(16).elementsEqual(expected) { return true }
        }
        return false
    }

    /// Hash of what identifies the message to an endpoint, from the request that is relayed.
    func deliverySeed(request: SIPMessage) -> UInt64 {
        deliverySeed(request[request.from.tag], request[request.callID], request.cseqNumber)
    }

    /// The same hash from a stored payload.
    func deliverySeed(payload: [UInt8]) -> UInt64 {
        let identity = PayloadIdentity(payload)
        return deliverySeed(payload[identity.fromTag], payload[identity.callID], identity.cseq)
    }

    private func deliverySeed(_ fromTag: ArraySlice<UInt8>, _ callID: ArraySlice<UInt8>, _ cseq: UInt32) -> UInt64 {
        var hash = KeyedHash(key: key)
        hash.combine(fromTag)
        hash.separate()
        hash.combine(callID)
        hash.separate()
        hash.combine(UInt64(cseq))
        return hash.finalize()
    }

    /// Who sent the request, and what tells it from every other message; worked out once a request.
    func acceptance(of held: HeldRequest) -> Acceptance {
        if let known = held.acceptance { return known }
        let sender = senderIdentity(of: held.request)
        let acceptance = Acceptance(sender: sender, identity: identity(of: held.request, from: sender))
        held.acceptance = acceptance
        return acceptance
    }

    /// What makes two accepted requests the same message: sender and recipient with Call-ID and CSeq, or with the Message-ID of a
    /// CPIM body (RFC 3862, RFC 5438 section 6.3).
    private func identity(of request: SIPMessage, from sender: [UInt8]) -> MessageIdentity {
        var hash = KeyedHash(key: key, wide: true)
        hash.combine(sender)
        hash.separate()
        if let recipient = request.addressOfRecord(of: request.requestURI) {
            hash.combine(recipient.user, of: request)
            hash.separate()
            hash.combineFolded(recipient.host, of: request)
        }
        if let messageID = CPIMMessageID.find(in: request) {
            hash.combine(byte: 2)
            hash.combine(messageID, of: request)
        } else {
            hash.combine(byte: 1)
            hash.combine(request.callID, of: request)
            hash.separate()
            hash.combine(UInt64(request.cseqNumber))
        }
        let (high, low) = hash.finalize128()
        return MessageIdentity(high: high, low: low)
    }

    func senderHash(_ sender: ArraySlice<UInt8>) -> UInt32 {
        UInt32(truncatingIfNeeded: KeyedHash.hash(sender, key: key))
    }

    func contactHash(_ contact: ArraySlice<UInt8>) -> UInt64 { KeyedHash.hash(contact, key: key) }
}

/// The From tag, Call-ID and CSeq number at the head of a stored payload, which always begins with From, Call-ID and CSeq
/// lines in this order (``DeferredPayload``).
struct PayloadIdentity {
    var fromTag = 0..<0
    var callID = 0..<0
    var cseq: UInt32 = 0

    init(_ payload: [UInt8]) {
        var position = 0
        func line() -> Range<Int> {
            let start = position
            while position < payload.count, payload[position] != 0x0d { position += 1 }
            let range = start..<position
            position = min(position + 2, payload.count)
            return range
        }
        let from = line()
        let call = line()
        let sequence = line()
        fromTag = Self.tag(in: payload, from)
        callID = min(call.lowerBound + DeferredPayload.callIDPrefix, call.upperBound)..<call.upperBound
        for byte in payload[sequence].dropFirst(DeferredPayload.cseqPrefix) {
            guard (0x30...0x39).contains(byte) else { break }
            cseq = cseq &* 10 &+ UInt32(byte - 0x30)
        }
    }

    /// The tag is written last on the From line by ``DeferredPayload``: behind the final `;tag=`.
    private static func tag(in payload: [UInt8], _ line: Range<Int>) -> Range<Int> {
        let mark = Array(";tag=".utf8)
        var start = line.upperBound - mark.count
        while start >= line.lowerBound {
            if payload[start..<start + mark.count].elementsEqual(mark) {
                var end = start + mark.count
                while end < line.upperBound, payload[end] != UInt8(ascii: ";") { end += 1 }
                return start + mark.count..<end
            }
            start -= 1
        }
        return line.upperBound..<line.upperBound
    }
}

/// Finds the Message-ID of a message/cpim body (RFC 3862 section 2.1 with RFC 5438 section 6.3).
enum CPIMMessageID {
    static func find(in request: SIPMessage) -> ByteRange? {
        guard request.body.count > 20, let type = request.first(.contentType) else { return nil }
        let cpim = ByteRange(start: type.value.start, end: min(type.value.end, type.value.start + 12))
        guard request.equalsFolded(cpim, "message/cpim") else { return nil }
        var line = request.body.start
        let limit = min(request.body.end, request.body.start + 8_192)
        while line < limit {
            var end = line
            while end < limit, request.bytes[Int(end)] != 0x0a { end += 1 }
            if let value = messageID(request, ByteRange(start: line, end: end)) { return value }
            let isSeparatorOfHeaders = end - line <= 1 && line > request.body.start + 2
            line = end + 1
            if isSeparatorOfHeaders, line > request.body.start + 64 { break }
        }
        return nil
    }

    /// The value of a `prefix.Message-ID:` line, whatever prefix the NS header gave IMDN.
    private static func messageID(_ request: SIPMessage, _ line: ByteRange) -> ByteRange? {
        let bytes = request[line]
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = ByteRange(start: line.start, end: UInt32(colon))
        let suffix: StaticString = "message-id"
        guard name.count >= 10 else { return nil }
        let tail = ByteRange(start: name.end - 10, end: name.end)
        guard request.equalsFolded(tail, suffix) else { return nil }
        if name.count > 10, request.bytes[Int(tail.start) - 1] != UInt8(ascii: ".") { return nil }
        var start = UInt32(colon) + 1
        var end = line.end
        while start < end, request.bytes[Int(start)] <= 0x20 { start += 1 }
        while end > start, request.bytes[Int(end) - 1] <= 0x20 { end -= 1 }
        return end > start ? ByteRange(start: start, end: end) : nil
    }
}
