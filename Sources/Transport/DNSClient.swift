internal import CCAres
internal import Glibc
internal import SIPCore
internal import Synchronization

/// What DNS says to one question.
struct DNSReply: Sendable {
    var records: [RecordData] = []
    /// Seconds the reply may be kept; `nil` when it did not say.
    var ttl: UInt32?
    /// No answer was to be had; that says nothing about the records.
    var isFailure = false
}

/// Asks DNS with c-ares, on a thread of its own that owns the library's channel and waits on its sockets.
final class DNSClient: @unchecked Sendable {
    private struct Orders {
        var queries: [Query] = []
        var stopped: (@Sendable () -> Void)?
        var hasStopped = false
    }

    /// One question on its way through c-ares, which carries it as an untyped pointer.
    private final class Query: Sendable {
        let question: DNSQuestion
        let completion: @Sendable (DNSReply) -> Void

        init(_ question: DNSQuestion, _ completion: @escaping @Sendable (DNSReply) -> Void) {
            self.question = question
            self.completion = completion
        }
    }

    /// What poll(2) waits for, kept up to date by c-ares. Only the thread touches it.
    private final class Sockets {
        var events: [CInt: Int16] = [:]
    }

    private static let library = ares_library_init(ARES_LIB_INIT_ALL)
    private static let internetClass: CInt = 1
    /// How long an entry of the hosts file is taken to be true.
    private static let hostsTTL: UInt32 = 60

    private let orders = Mutex(Orders())
    private let sockets = Sockets()
    private let channel: ares_channel
    private let wakeRead: CInt
    private let wakeWrite: CInt

    /// - Parameters:
    ///   - servers: name servers to ask; empty for the system's.
    ///   - timeout: milliseconds to wait for the first answer; doubles with every try.
    init(servers: [TransportAddress], timeout: Int, tries: Int) throws(TransportFailure) {
        guard Self.library == ARES_SUCCESS else {
            throw .resolverUnavailable(reason: Self.words(Self.library))
        }
        var options = ares_options()
        options.flags = CInt(ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_EDNS)
        options.timeout = CInt(clamping: timeout)
        options.tries = CInt(clamping: tries)
        options.ednspsz = 1_232
        options.sock_state_cb = { data, descriptor, readable, writable in
            guard let data else { return }
            let events = (readable != 0 ? POLLIN : 0) | (writable != 0 ? POLLOUT : 0)
            Unmanaged<Sockets>.fromOpaque(data).takeUnretainedValue().events[descriptor] =
                events == 0 ? nil : Int16(events)
        }
        options.sock_state_cb_data = Unmanaged.passUnretained(sockets).toOpaque()
        let mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_SOCK_STATE_CB

        var made: ares_channel?
        var status = ares_init_options(&made, &options, CInt(mask))
        guard status == ARES_SUCCESS, let made else {
            throw .resolverUnavailable(reason: Self.words(status))
        }
        if !servers.isEmpty {
            status = ares_set_servers_ports_csv(made, servers.map(\.description).joined(separator: ","))
        }
        var ends: [CInt] = [-1, -1]
        guard status == ARES_SUCCESS, pipe(&ends) == 0 else {
            ares_destroy(made)
            throw .resolverUnavailable(
                reason: status == ARES_SUCCESS ? systemReason(errno) : Self.words(status))
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        channel = made
        wakeRead = ends[0]
        wakeWrite = ends[1]

        var thread = pthread_t()
        let started = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<DNSClient>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard started == 0 else {
            Unmanaged.passUnretained(self).release()
            ares_destroy(made)
            throw .resolverUnavailable(reason: systemReason(started))
        }
        pthread_detach(thread)
    }

    deinit {
        _ = close(wakeRead)
        _ = close(wakeWrite)
    }

    /// Asks. `completion` is called once, on the client's thread.
    func ask(_ question: DNSQuestion, completion: @escaping @Sendable (DNSReply) -> Void) {
        let isTaken = orders.withLock { orders in
            guard !orders.hasStopped, orders.stopped == nil else { return false }
            orders.queries.append(Query(question, completion))
            return true
        }
        guard isTaken else { return completion(DNSReply(isFailure: true)) }
        wake()
    }

    /// Ends the thread; open questions end as failures before `completion` is called.
    func stop(completion: @escaping @Sendable () -> Void) {
        let isFirst = orders.withLock { orders in
            guard !orders.hasStopped, orders.stopped == nil else { return false }
            orders.stopped = completion
            return true
        }
        guard isFirst else { return completion() }
        wake()
    }

    private func wake() {
        var byte: UInt8 = 0
        _ = write(wakeWrite, &byte, 1)
    }

    // MARK: The thread

    private func run() {
        while true {
            let (queries, stopped) = orders.withLock { orders in
                defer { orders.queries = [] }
                if orders.stopped != nil { orders.hasStopped = true }
                return (orders.queries, orders.stopped)
            }
            if let stopped {
                for query in queries { query.completion(DNSReply(isFailure: true)) }
                ares_destroy(channel)
                stopped()
                return
            }
            for query in queries { start(query) }
            wait()
        }
    }

    private func wait() {
        var waits = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
        for (descriptor, events) in sockets.events {
            waits.append(pollfd(fd: descriptor, events: events, revents: 0))
        }
        var left = timeval()
        let milliseconds: CInt
        if ares_timeout(channel, nil, &left) != nil {
            milliseconds = CInt(clamping: left.tv_sec * 1_000 + Int(left.tv_usec + 999) / 1_000)
        } else {
            milliseconds = -1
        }
        _ = poll(&waits, nfds_t(waits.count), milliseconds)
        if waits[0].revents != 0 {
            var drain = [UInt8](repeating: 0, count: 256)
            while read(wakeRead, &drain, drain.count) > 0 {}
        }
        let none = ares_socket_t(-1)
        var isProcessed = false
        for wait in waits.dropFirst() where wait.revents != 0 {
            isProcessed = true
            let canRead = wait.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0
            let canWrite = wait.revents & Int16(POLLOUT) != 0
            ares_process_fd(channel, canRead ? wait.fd : none, canWrite ? wait.fd : none)
        }
        // Without a socket that is ready this looks for questions whose time is over.
        if !isProcessed { ares_process_fd(channel, none, none) }
    }

    private func start(_ query: Query) {
        if let records = hostsFile(query.question) {
            query.completion(DNSReply(records: records, ttl: Self.hostsTTL))
            return
        }
        ares_query(
            channel, query.question.name, Self.internetClass, CInt(query.question.type.rawValue),
            { argument, status, _, bytes, count in
                guard let argument else { return }
                let query = Unmanaged<Query>.fromOpaque(argument).takeRetainedValue()
                query.completion(DNSClient.reply(to: query.question, status, bytes, count))
            }, Unmanaged.passRetained(query).toOpaque())
    }

    private static func reply(
        to question: DNSQuestion, _ status: CInt, _ bytes: UnsafeMutablePointer<UInt8>?, _ count: CInt
    ) -> DNSReply {
        let message = bytes.flatMap {
            DNSMessage(Array(UnsafeBufferPointer(start: $0, count: Int(count))), type: question.type)
        }
        switch status {
        case ARES_SUCCESS:
            guard let message else { return DNSReply(isFailure: true) }
            return DNSReply(records: message.records, ttl: message.ttl)
        case ARES_ENODATA, ARES_ENOTFOUND:
            return DNSReply(records: [], ttl: message?.ttl)
        default:
            return DNSReply(isFailure: true)
        }
    }

    /// Addresses in the system's hosts file, which come before DNS.
    private func hostsFile(_ question: DNSQuestion) -> [RecordData]? {
        let family: CInt
        switch question.type {
        case .a: family = AF_INET
        case .aaaa: family = AF_INET6
        case .srv, .naptr: return nil
        }
        var found: UnsafeMutablePointer<hostent>?
        guard ares_gethostbyname_file(channel, question.name, family, &found) == ARES_SUCCESS, let found else {
            return nil
        }
        defer { ares_free_hostent(found) }
        var records: [RecordData] = []
        var entry = found.pointee.h_addr_list
        while let address = entry?.pointee {
            let raw = UnsafeRawPointer(address)
            switch (found.pointee.h_addrtype, found.pointee.h_length) {
            case (AF_INET, 4):
                records.append(
                    .address(IPAddress(v4: UInt32(bigEndian: raw.loadUnaligned(as: UInt32.self)))))
            case (AF_INET6, 16):
                records.append(
                    .address(
                        IPAddress(
                            high: UInt64(bigEndian: raw.loadUnaligned(as: UInt64.self)),
                            low: UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))))
            default:
                break
            }
            entry = entry?.successor()
        }
        return records.isEmpty ? nil : records
    }

    private static func words(_ status: CInt) -> String {
        ares_strerror(status).map { String(cString: $0) } ?? "error \(status)"
    }
}
