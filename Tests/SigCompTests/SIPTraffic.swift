/// Makes messages like those of SIP, with fresh identifiers, and now and then something quite different.
struct SIPTraffic {
    private var generator: SeededGenerator
    private var number = 0

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    mutating func next() -> [UInt8] {
        number += 1
        switch Int.random(in: 0..<40, using: &generator) {
        case 0:
            return (0..<Int.random(in: 1...900, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
        case 1:
            return [UInt8](
                repeating: UInt8.random(in: 0...255, using: &generator),
                count: Int.random(in: 1...6_000, using: &generator))
        case 2: return Array("\r\n\r\n".utf8)
        case 3..<22: return Array(request().utf8)
        default: return Array(response().utf8)
        }
    }

    private mutating func word(_ length: Int) -> String {
        let letters = Array("0123456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ")
        return String((0..<length).map { _ in letters.randomElement(using: &generator) ?? "0" })
    }

    private mutating func request() -> String {
        let user = ["maria", "joe", "priya"].randomElement(using: &generator) ?? "joe"
        let text = String(repeating: word(6) + " ", count: Int.random(in: 0...12, using: &generator))
        return """
            MESSAGE sip:\(user)@example.net SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK\(word(9));rport\r\n\
            From: <sip:joe@example.net>;tag=\(word(8))\r\nTo: <sip:\(user)@example.net>\r\nCall-ID: \(word(10))@192.0.2.7\r\n\
            CSeq: \(number) MESSAGE\r\nMax-Forwards: 70\r\nUser-Agent: Godwit test\r\nContent-Type: text/plain\r\n\
            Content-Length: \(text.utf8.count)\r\n\r\n\(text)
            """
    }

    private mutating func response() -> String {
        """
        SIP/2.0 \(["200 OK", "202 Accepted", "404 Not Found"].randomElement(using: &generator) ?? "200 OK")\r\n\
        Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK\(word(9));rport=5060;received=192.0.2.7\r\n\
        From: <sip:joe@example.net>;tag=\(word(8))\r\nTo: <sip:maria@example.net>;tag=\(word(8))\r\n\
        Call-ID: \(word(10))@192.0.2.7\r\nCSeq: \(number) MESSAGE\r\nServer: Godwit test\r\nContent-Length: 0\r\n\r\n
        """
    }
}
