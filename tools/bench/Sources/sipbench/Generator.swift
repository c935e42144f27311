import Glibc

/// One thread that plays all senders (eight ports) and all endpoints (eight ports).
final class Generator {
    private static let senderPorts: UInt16 = 17_100
    private static let endpointPorts: UInt16 = 18_100
    private static let socketsEach = 8

    let settings: Settings
    let run: UInt32
    private let text: RequestText
    private let sockets: [DatagramSocket]
    private var polled: [pollfd]
    private let received = ReceiveBatch()
    private let server: sockaddr_in
    private var transactions: ClientTransactions
    private var chance: Chance
    private var busy: [Bool]

    var ledger: Ledger
    var check: DeliveryCheck
    private(set) var responses = Latency()
    private(set) var deliveries = Latency()
    private(set) var statuses: [Int: Int] = [:]
    private(set) var registered = 0
    private(set) var acknowledged = 0
    private(set) var gaveUp = 0
    private(set) var lastDelivery: UInt64 = 0
    /// When each message was due, by place; 0 after the run that sent it.
    private var sentAt: [UInt64] = []
    var events = 0

    init(settings: Settings, ledger: Ledger?) {
        self.settings = settings
        let seed = UInt32(truncatingIfNeeded: now() ^ UInt64(getpid()) << 20 ^ UInt64(time(nil)))
        run = seed
        self.ledger = ledger ?? Ledger(run: seed, first: settings.first, users: settings.users)
        check = DeliveryCheck(run: self.ledger.run, users: self.ledger.users)
        text = RequestText(settings: settings, run: seed)
        let ports =
            (0..<Self.socketsEach).map { Self.senderPorts + UInt16($0) }
            + (0..<Self.socketsEach).map { Self.endpointPorts + UInt16($0) }
        sockets = ports.map { DatagramSocket(port: $0) }
        polled = sockets.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        server = address(port: settings.serverPort)
        transactions = ClientTransactions(timerF: settings.timerF)
        chance = Chance(seed: UInt64(seed) << 20)
        busy = [Bool](repeating: false, count: self.ledger.users)
    }

    var retransmissions: Int { transactions.retransmissions }
    var sendErrors: Int { sockets.reduce(0) { $0 + $1.sendErrors } }

    // MARK: Phases

    /// Registers all users of the ledger; seconds it took.
    func register(round: Int) -> Double {
        let first = ledger.first
        let users = ledger.users
        let base = Int(time(nil)) - 1_700_000_000
        return phase(Pace(rate: 0, window: settings.window, count: users, seconds: 0, at: now())) { [self] fired, due in
            begin(
                .register(user: first + fired, cseq: base * 8 + round), socket: endpoint(of: first + fired), due: due)
            return true
        }.seconds
    }

    /// Sends messages, round robin over the users.
    func send() -> (sent: Int, seconds: Double) {
        let pace = Pace(
            rate: settings.rate, window: settings.window, count: settings.count, seconds: settings.seconds, at: now())
        return phase(pace) { [self] fired, due in
            let index = fired % settings.users
            if settings.isSerial {
                if busy[index] { return false }
                busy[index] = true
            }
            ledger.open(fired)
            sentAt.append(due)
            let sender = 1 + Int((UInt64(fired) &* 2_654_435_761) % UInt64(settings.senders))
            // One source port per recipient: our own sends never overtake each other.
            begin(
                .message(
                    place: fired, user: settings.first + index, sequence: fired / settings.users, sender: sender),
                socket: index % Self.socketsEach, due: due)
            return true
        }
    }

    /// Waits until `expected` first copies have come, or nothing new for the patience.
    func awaitDeliveries(_ expected: Int) {
        var seen = check.firstCopies
        var since = now()
        while check.firstCopies < expected, now() < since + seconds(settings.patience) {
            turn(until: now() + second / 100, tick: 0)
            if check.firstCopies != seen {
                seen = check.firstCopies
                since = now()
            }
        }
    }

    func listen(for span: Double) {
        let end = now() + seconds(span)
        while now() < end { turn(until: end, tick: 0) }
    }

    private func phase(_ pace: Pace, fire: (Int, UInt64) -> Bool) -> (sent: Int, seconds: Double) {
        var pace = pace
        let began = now()
        while true {
            let time = now()
            var burst = 256
            while burst > 0, transactions.hasRoom, let due = pace.due(at: time, open: transactions.open) {
                guard fire(pace.fired, due) else { break }
                pace.fire()
                burst -= 1
            }
            if pace.isOver, transactions.open == 0 { break }
            turn(until: burst == 0 ? time : pace.next(at: time), tick: pace.tick)
        }
        return (pace.fired, Double(now() - began) / 1e9)
    }

    // MARK: Transactions

    private func endpoint(of user: Int) -> Int { Self.socketsEach + user % Self.socketsEach }

    private func begin(_ request: Request, socket: Int, due: UInt64) {
        transmit(transactions.begin(request, socket: socket, due: due, at: now()))
    }

    private func transmit(_ slot: Int) {
        let transaction = transactions[slot]
        if settings.loss > 0, chance.happens(settings.loss) { return }
        let socket = sockets[transaction.socket]
        var writer = socket.begin()
        text.write(
            transaction.request, slot: slot, generation: transaction.generation, port: socket.port, to: &writer)
        socket.finish(writer, to: server)
    }

    private func end(_ slot: Int, status: Int, at time: UInt64) {
        let transaction = transactions[slot]
        transactions.end(slot)
        statuses[status, default: 0] += 1
        responses.add(nanoseconds: time - min(time, transaction.due))
        if status == 0 { gaveUp += 1 }
        switch transaction.request {
        case .register: if (200..<300).contains(status) { registered += 1 }
        case .message(let place, let user, _, _):
            ledger.close(place, status: max(1, status))
            if settings.isSerial { busy[user - settings.first] = false }
            if (200..<300).contains(status) {
                acknowledged += 1
                if settings.mode == .store { count() }
            }
        }
    }

    /// One more of the events after whose number the command is run.
    private func count() {
        events += 1
        guard settings.commandAfter > 0, events == settings.commandAfter else { return }
        for socket in sockets { socket.flush() }
        let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(settings.command), nil]
        var child: pid_t = 0
        guard posix_spawn(&child, "/bin/sh", nil, nil, arguments, environ) == 0 else { fail("cannot run the command") }
    }

    // MARK: Input and output

    /// Sends what waits, does what is due, and takes what has come; waits until `end` at most.
    private func turn(until end: UInt64, tick: UInt64) {
        var time = now()
        while let due = transactions.next(at: time) {
            switch due {
            case .retransmit(let slot): transmit(slot)
            case .giveUp(let slot): self.end(slot, status: 0, at: time)
            }
        }
        for socket in sockets { socket.flush() }
        var until = min(end, transactions.deadline, time + second / 10)
        if tick > 0, until > time {
            var pause = timespec(tv_sec: 0, tv_nsec: Int(min(until - time, tick)))
            nanosleep(&pause, nil)
            time = now()
            until = time
        }
        let wait = until > time ? until - time : 0
        if wait > 0, wait < 1_000_000 {
            var pause = timespec(tv_sec: 0, tv_nsec: Int(min(wait, 150_000)))
            nanosleep(&pause, nil)
        }
        guard poll(&polled, nfds_t(polled.count), CInt(wait / 1_000_000)) > 0 else { return }
        for place in polled.indices where polled[place].revents != 0 { drain(place) }
    }

    private func drain(_ socket: Int) {
        for _ in 0..<4 {
            let count = received.receive(from: sockets[socket])
            let time = now()
            for slot in 0..<count {
                if settings.loss > 0, chance.happens(settings.loss) { continue }
                guard let message = SIPReader(received.bytes(slot)) else { continue }
                if message.status > 0 {
                    took(response: message, at: time)
                } else {
                    took(request: message, from: received.source(slot), on: socket, at: time)
                }
            }
            if count < DatagramSocket.batch { return }
        }
    }

    private func took(response: SIPReader, at time: UInt64) {
        let branch = response.branch
        guard branch.begins("z9hG4bK."), branch.hex(at: 8, digits: 8) == run,
            let slot = branch.hex(at: 16, digits: 8), let generation = branch.hex(at: 24, digits: 8),
            transactions.find(slot: Int(slot), generation: generation)
        else { return }
        if response.status < 200 {
            transactions.proceed(Int(slot))
        } else {
            end(Int(slot), status: response.status, at: time)
        }
    }

    private func took(request: SIPReader, from source: sockaddr_in, on socket: Int, at time: UInt64) {
        let isMessage = request.start.begins("MESSAGE ")
        var place: Int?
        if isMessage {
            place = check.take(
                request, expectedSocket: { self.endpoint(of: $0) }, socket: socket, ledger: ledger, bodies: text.bodies)
        }
        if settings.loss <= 0 || !chance.happens(settings.loss) {
            var writer = sockets[socket].begin()
            RequestText.write(isMessage ? "200 OK" : "405 Method Not Allowed", to: request, writer: &writer)
            sockets[socket].finish(writer, to: source)
        }
        guard let place else { return }
        lastDelivery = time
        if place < sentAt.count { deliveries.add(nanoseconds: time - min(time, sentAt[place])) }
        if settings.mode == .deliver { count() }
    }
}
