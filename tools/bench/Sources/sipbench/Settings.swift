/// What one run does, from the command line.
struct Settings {
    enum Mode: String { case register, relay, store, deliver, list }

    var mode = Mode.register
    var serverPort: UInt16 = 5080
    var domain = "example.com"
    /// Users are `u0000001` and so on.
    var first = 1
    var users = 1_000
    var senders = 500
    /// Messages a second, spread evenly; 0: as fast as `window` allows.
    var rate = 0.0
    /// Requests outstanding at once in a closed loop.
    var window = 64
    /// Messages or registrations in all; 0: until `seconds` are over.
    var count = 0
    var seconds = 0.0
    /// Never two messages outstanding towards one user.
    var isSerial = false
    /// Rounds of REGISTER over all users (`register`), or how often all users register (`deliver`).
    var passes = 1
    /// Seconds between two passes of `deliver`.
    var passGap = 2.0
    /// `deliver` and `relay` end when nothing new has come for so many seconds.
    var patience = 4.0
    /// Seconds to go on listening at the end of the other modes.
    var linger = 0.0
    /// Value of Expires in messages; negative: none.
    var messageExpires = -1
    var registrationExpires = 3_600
    /// Share of datagrams lost each way, at our sockets.
    var loss = 0.0
    /// Seconds until a request is given up: timer F (RFC 3261 section 17.1.2.2).
    var timerF = 32.0
    /// File that `store` writes and `deliver` and `list` read: the outcome of each message.
    var ledger = ""
    /// After so many acknowledged stores or first copies delivered, `command` is run beside us.
    var commandAfter = 0
    var command = ""

    static let usage = """
        sipbench register|relay|store|deliver|list [--option value ...]     prints one line of JSON

          register  REGISTER all users, --passes times
          relay     REGISTER all users, MESSAGE them, check what arrives
          store     MESSAGE users who are not there; --ledger FILE gets the outcome of each
          deliver   REGISTER the users of --ledger FILE, check that everything acknowledged arrives once and in order
          list      print "user seq status" for each message of --ledger FILE

        Options: --port --domain --first --users --senders --rate --window --count --seconds --serial 1 --passes
        --pass-gap --patience --linger --expires --registration-expires --loss --timer-f --ledger --after N --command TEXT
        """

    init?(_ arguments: [String]) {
        guard let word = arguments.first, let mode = Mode(rawValue: word), arguments.count % 2 == 1 else { return nil }
        self.mode = mode
        for place in stride(from: 1, to: arguments.count, by: 2) {
            guard set(arguments[place], arguments[place + 1]) else { return nil }
        }
        guard users > 0, senders > 0, window > 0, passes > 0 else { return nil }
    }

    private mutating func set(_ key: String, _ value: String) -> Bool {
        func take<T: LosslessStringConvertible>(_ path: WritableKeyPath<Settings, T>) -> Bool {
            guard let value = T(value) else { return false }
            self[keyPath: path] = value
            return true
        }
        switch key {
        case "--port": return take(\.serverPort)
        case "--domain": return take(\.domain)
        case "--first": return take(\.first)
        case "--users": return take(\.users)
        case "--senders": return take(\.senders)
        case "--rate": return take(\.rate)
        case "--window": return take(\.window)
        case "--count": return take(\.count)
        case "--seconds": return take(\.seconds)
        case "--serial":
            isSerial = value == "1"
            return true
        case "--passes": return take(\.passes)
        case "--pass-gap": return take(\.passGap)
        case "--patience": return take(\.patience)
        case "--linger": return take(\.linger)
        case "--expires": return take(\.messageExpires)
        case "--registration-expires": return take(\.registrationExpires)
        case "--loss": return take(\.loss)
        case "--timer-f": return take(\.timerF)
        case "--ledger": return take(\.ledger)
        case "--after": return take(\.commandAfter)
        case "--command": return take(\.command)
        default: return false
        }
    }
}
