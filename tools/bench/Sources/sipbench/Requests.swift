/// What a client transaction asks for.
enum Request {
    /// Registers the endpoint of a user.
    case register(user: Int, cseq: Int)
    /// Message `place` of the run.
    case message(place: Int, user: Int, sequence: Int, sender: Int)
}

/// Writes requests and responses.
struct RequestText {
    let settings: Settings
    let run: UInt32
    let bodies = Bodies()
    private let domain: [UInt8]

    init(settings: Settings, run: UInt32) {
        self.settings = settings
        self.run = run
        domain = [UInt8](settings.domain.utf8)
    }

    func write(_ request: Request, slot: Int, generation: UInt32, port: UInt16, to writer: inout SIPWriter) {
        switch request {
        case .register(let user, let cseq):
            writer.text("REGISTER sip:")
            writer.bytes(domain)
            writeTop(slot: slot, generation: generation, port: port, to: &writer)
            writer.text("From: <")
            address(117, user, to: &writer)
            writer.text(">;tag=r")
            writer.hex(UInt32(truncatingIfNeeded: user) ^ run)
            writer.text("\r\nTo: <")
            address(117, user, to: &writer)
            writer.text(">\r\nCall-ID: reg-")
            writer.decimal(user)
            writer.text("@sipbench\r\nCSeq: ")
            writer.decimal(cseq)
            writer.text(" REGISTER\r\nContact: <sip:u")
            writer.decimal(user, digits: 7)
            writer.text("@127.0.0.1:")
            writer.decimal(Int(port))
            writer.text(">\r\nExpires: ")
            writer.decimal(settings.registrationExpires)
            writer.text("\r\nUser-Agent: sipbench\r\nContent-Length: 0\r\n\r\n")
        case .message(let place, let user, let sequence, let sender):
            writer.text("MESSAGE ")
            address(117, user, to: &writer)
            writeTop(slot: slot, generation: generation, port: port, to: &writer)
            writer.text("From: <")
            address(115, sender, to: &writer)
            writer.text(">;tag=m")
            writer.hex(UInt32(truncatingIfNeeded: place) ^ run)
            writer.text("\r\nTo: <")
            address(117, user, to: &writer)
            writer.text(">\r\nCall-ID: m")
            writer.hex(UInt32(truncatingIfNeeded: place))
            writer.text("-")
            writer.hex(run)
            writer.text("@sipbench\r\nCSeq: 1 MESSAGE\r\n")
            if settings.messageExpires >= 0 {
                writer.text("Expires: ")
                writer.decimal(settings.messageExpires)
                writer.text("\r\n")
            }
            writer.text("User-Agent: sipbench\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: ")
            writeBody(user: user, sequence: sequence, to: &writer)
        }
    }

    /// Three digits for the length, filled in when the body is there.
    private func writeBody(user: Int, sequence: Int, to writer: inout SIPWriter) {
        let lengthAt = writer.count
        writer.decimal(0, digits: 3)
        writer.text("\r\n\r\n")
        let bodyAt = writer.count
        bodies.write(run: run, user: user, sequence: sequence, to: &writer)
        var length = SIPWriter(start: writer.start + lengthAt)
        length.decimal(writer.count - bodyAt, digits: 3)
    }

    private func writeTop(slot: Int, generation: UInt32, port: UInt16, to writer: inout SIPWriter) {
        writer.text(" SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:")
        writer.decimal(Int(port))
        writer.text(";rport;branch=z9hG4bK.")
        writer.hex(run)
        writer.hex(UInt32(truncatingIfNeeded: slot))
        writer.hex(generation)
        writer.text("\r\nMax-Forwards: 70\r\n")
    }

    private func address(_ letter: UInt8, _ number: Int, to writer: inout SIPWriter) {
        writer.text("sip:")
        writer.bytes([letter])
        writer.decimal(number, digits: 7)
        writer.text("@")
        writer.bytes(domain)
    }

    /// A response of an endpoint.
    static func write(_ status: StaticString, to request: SIPReader, writer: inout SIPWriter) {
        writer.text("SIP/2.0 ")
        writer.text(status)
        writer.text("\r\n")
        for (place, via) in [request.vias.0, request.vias.1, request.vias.2, request.vias.3].enumerated()
        where place < request.viaCount {
            writer.bytes(via)
            writer.text("\r\n")
        }
        writer.text("From: ")
        writer.bytes(request.from)
        writer.text("\r\nTo: ")
        writer.bytes(request.to)
        if request.to.index(of: ";tag=") == nil { writer.text(";tag=e1") }
        writer.text("\r\nCall-ID: ")
        writer.bytes(request.callID)
        writer.text("\r\nCSeq: ")
        writer.bytes(request.cseq)
        writer.text("\r\nContent-Length: 0\r\n\r\n")
    }
}
