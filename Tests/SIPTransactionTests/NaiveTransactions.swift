/// Transactions as a plain reading of the RFCs has them: a dictionary, and every timer a deadline that is looked at.
///
/// Knows nothing of the machines and tables it is compared with. Times are microseconds; answers are text.
struct NaiveTransactions {
    struct Timers {
        let t1, t2, t4, lifetime: Int64
    }

    struct Key: Hashable {
        let n: UInt64
        let isClient: Bool
    }

    struct Transaction {
        let timers: Timers
        let isInvite: Bool
        let isReliable: Bool
        let reportsEnd: Bool
        var user: UInt32
        var state: String
        /// By letter; T is the delay of the 100, X the end of the time for an answer.
        var running: [Character: Int64] = [:]
        var interval: Int64 = 0
        var status: UInt16 = 0
        var tail: [UInt8] = []
        var ack: [UInt8]?
        var isAbandoned = false
    }

    private(set) var all: [Key: Transaction] = [:]

    var earliest: Int64? { all.values.flatMap(\.running.values).min() }

    // MARK: Server

    mutating func openServer(
        _ n: UInt64, isInvite: Bool, isReliable: Bool, timers: Timers, user: UInt32, reportsEnd: Bool, now: Int64
    ) -> Bool {
        let key = Key(n: n, isClient: false)
        guard all[key] == nil else { return false }
        var new = Transaction(
            timers: timers, isInvite: isInvite, isReliable: isReliable, reportsEnd: reportsEnd, user: user,
            state: isInvite ? "Proceeding" : "Trying")
        new.running["T"] = now + (isInvite ? 200_000 : Self.reachesT2(timers))
        all[key] = new
        return true
    }

    /// When timer E is set to T2, counted as a client would.
    private static func reachesT2(_ timers: Timers) -> Int64 {
        var elapsed = timers.t1
        var next = 2 * timers.t1
        while next < timers.t2 {
            elapsed += next
            next *= 2
        }
        return elapsed
    }

    mutating func request(_ n: UInt64, isAck: Bool, now: Int64) -> String {
        let key = Key(n: n, isClient: false)
        guard var known = all[key] else { return isAck ? "passAck" : "new" }
        defer { if all[key] != nil { all[key] = known } }
        if isAck {
            guard known.isInvite else { return "absorbed" }
            if known.state == "Accepted" { return "passAck" }
            guard known.state == "Completed" else { return "absorbed" }
            known.state = "Confirmed"
            known.running = ["I": now + known.timers.t4]
            if known.isReliable { all[key] = nil }
            return "confirmed \(known.user)"
        }
        switch known.state {
        case "Proceeding", "Completed": return known.status == 0 ? "absorbed" : "resend \(known.status) \(known.tail)"
        default: return "absorbed"
        }
    }

    mutating func respond(_ n: UInt64, _ status: UInt16, _ tail: [UInt8], now: Int64) -> Bool {
        let key = Key(n: n, isClient: false)
        guard var known = all[key] else { return false }
        var isSent = false
        let wait = now + known.timers.lifetime
        switch (known.isInvite, known.state) {
        case (true, "Proceeding"):
            isSent = true
            known.running["T"] = nil
            if status >= 300 {
                known.state = "Completed"
                known.running["H"] = wait
                known.interval = known.timers.t1
                if !known.isReliable { known.running["G"] = now + known.interval }
            } else if status >= 200 {
                known.state = "Accepted"
                known.running["L"] = wait
            }
        case (true, "Accepted"):
            return 200..<300 ~= status
        case (false, "Trying"), (false, "Proceeding"):
            if status == 100 {
                isSent = known.isReliable || known.running["T"] == nil || known.state == "Proceeding"
                if isSent { known.state = "Proceeding" }
            } else if status >= 200 {
                isSent = status != 408
                known.state = isSent ? "Completed" : "Silent"
                known.running = ["J": wait]
                if known.isReliable {
                    all[key] = nil
                    return isSent
                }
            }
        default:
            return false
        }
        if isSent {
            known.status = status
            known.tail = tail
        }
        all[key] = known
        return isSent
    }

    // MARK: Client

    mutating func openClient(
        _ n: UInt64, isInvite: Bool, isReliable: Bool, timers: Timers, user: UInt32, reportsEnd: Bool, now: Int64
    ) -> Bool {
        let key = Key(n: n, isClient: true)
        guard all[key] == nil else { return false }
        var new = Transaction(
            timers: timers, isInvite: isInvite, isReliable: isReliable, reportsEnd: reportsEnd, user: user,
            state: isInvite ? "Calling" : "Trying")
        new.interval = timers.t1
        if !isReliable { new.running[isInvite ? "A" : "E"] = now + timers.t1 }
        new.running[isInvite ? "B" : "F"] = now + timers.lifetime
        all[key] = new
        return true
    }

    mutating func response(_ n: UInt64, _ status: UInt16, now: Int64) -> String {
        let key = Key(n: n, isClient: true)
        guard var known = all[key] else { return "unknown" }
        defer { if all[key] != nil { all[key] = known } }
        let pass = known.isAbandoned ? "absorbed" : "pass \(known.user)"
        switch known.state {
        case "Accepted":
            return 200..<300 ~= status ? pass : "absorbed"
        case "Completed":
            guard known.isInvite, status >= 300, let ack = known.ack else { return "absorbed" }
            return "acknowledge again \(ack)"
        default:
            break
        }
        if status < 200 {
            known.state = "Proceeding"
            if known.isInvite {
                known.running["A"] = nil
                if !known.isAbandoned { known.running["B"] = nil }
            }
            return pass
        }
        if known.isInvite && status < 300 {
            known.state = "Accepted"
            known.running = ["M": now + known.timers.lifetime]
            return pass
        }
        known.state = "Completed"
        let minimum: Int64 = 32_000_000
        known.running =
            known.isInvite ? ["D": now + max(known.timers.lifetime, minimum)] : ["K": now + known.timers.t4]
        if known.isReliable { all[key] = nil }
        return known.isInvite ? "pass and acknowledge \(known.user)" : pass
    }

    mutating func acknowledged(_ n: UInt64, _ ack: [UInt8]) {
        let key = Key(n: n, isClient: true)
        guard let known = all[key], known.isInvite, known.state == "Completed" else { return }
        all[key]?.ack = ack
    }

    mutating func transportFailed(_ n: UInt64) -> UInt32? {
        let key = Key(n: n, isClient: true)
        guard let known = all[key] else { return nil }
        switch (known.isInvite, known.state) {
        case (true, "Calling"), (true, "Completed"), (false, "Trying"), (false, "Proceeding"):
            all[key] = nil
            return known.isAbandoned ? nil : known.user
        default:
            return nil
        }
    }

    mutating func abandon(_ n: UInt64, now: Int64) {
        let key = Key(n: n, isClient: true)
        guard var known = all[key] else { return }
        known.isAbandoned = true
        known.user = 0
        known.running["A"] = nil
        known.running["E"] = nil
        if known.isInvite && known.state == "Proceeding" { known.running["B"] = now + known.timers.lifetime }
        all[key] = known
    }

    // MARK: Time

    mutating func advance(to now: Int64) -> [String] {
        var events: [String] = []
        for letters in ["BFH", "ADEGIJKLMTX"] {
            for (key, transaction) in all {
                for letter in letters where transaction.running[letter].map({ $0 <= now }) ?? false {
                    if let event = fire(letter, key, now) { events.append(event) }
                }
            }
        }
        return events
    }

    private mutating func fire(_ letter: Character, _ key: Key, _ now: Int64) -> String? {
        guard var known = all[key] else { return nil }
        known.running[letter] = nil
        defer { if all[key] != nil { all[key] = known } }
        let (n, user) = (key.n, known.user)
        switch letter {
        case "A":
            known.interval *= 2
            known.running["A"] = now + known.interval
            return "retransmit \(n)"
        case "E":
            known.interval = known.state == "Proceeding" ? known.timers.t2 : min(2 * known.interval, known.timers.t2)
            known.running["E"] = now + known.interval
            return "retransmit \(n)"
        case "G":
            known.interval = min(2 * known.interval, known.timers.t2)
            known.running["G"] = now + known.interval
            return "resend \(n) \(user) \(known.status) \(known.tail)"
        case "T":
            if !known.isInvite {
                known.running["X"] = now + known.timers.lifetime - Self.reachesT2(known.timers)
                if known.state == "Proceeding" { return nil }
            }
            return "trying due \(n) \(user)"
        case "B", "F":
            all[key] = nil
            return known.isAbandoned ? nil : "timed out \(n) \(user)"
        case "H":
            all[key] = nil
            return "no ACK \(n) \(user)"
        case "X":
            all[key] = nil
            return "unanswered \(n) \(user)"
        default:
            all[key] = nil
            guard known.reportsEnd, !known.isAbandoned else { return nil }
            return "\(key.isClient ? "client ended" : "ended") \(n) \(user)"
        }
    }
}
