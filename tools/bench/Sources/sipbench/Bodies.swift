import Glibc

/// The bodies of the messages: everyday texts in several scripts, each with a reference that says which message it is.
struct Bodies {
    private static let texts: [String] = [
        "ok",
        "Running late, start without me 🚂",
        "Yes, half past two at the usual place. Shall I bring the papers?",
        "À bientôt, je t'appelle dès que je sors du métro.",
        "The build is green again: a stale cache on the second runner, not the change.\r\nPlease rebase before you merge.\r\n",
        "Добрый день! Встреча перенесена на завтра.",
        "Door code #4417*, ring \"Meyer\" (not 'Maier'), 100% sure. \\\\nas\\team <again> & again",
        "明日の会議は十時からです。",
        "See https://example.com/a?b=c;d=e#f - line one\n[not a ref]\nline three",
        String(repeating: "A longer text that somebody took the time to write on a train. ", count: 10),
    ]

    private let texts = Self.texts.map { [UInt8]($0.utf8) }

    /// Appends text and reference: `[ref RUN USER SEQUENCE]`.
    func write(run: UInt32, user: Int, sequence: Int, to writer: inout SIPWriter) {
        writer.bytes(texts[(user &* 31 &+ sequence &* 7) % texts.count])
        writer.text("\r\n[ref ")
        writer.hex(run)
        writer.text(" ")
        writer.decimal(user)
        writer.text(" ")
        writer.decimal(sequence)
        writer.text("]")
    }

    /// The reference at the end of a body.
    static func reference(in body: Bytes) -> (run: UInt32, user: Int, sequence: Int)? {
        var place = body.count - 1
        while place >= 0, body[place] != 91 { place -= 1 }
        guard place >= 0, body.part(place, body.count).begins("[ref "), let run = body.hex(at: place + 5, digits: 8),
            let user = body.decimal(at: place + 14), let sequence = body.decimal(at: user.end + 1)
        else { return nil }
        return (run, user.value, sequence.value)
    }
}
