import HeapModule
public import LinkProfiles
import SIPCore
import SIPTransaction

/// Everything that leaves towards an endpoint whose link has a budget: it waits for its turn with the endpoint's
/// ``DownlinkScheduler``. What goes elsewhere passes by with one look at its profile.
extension Engine {
    // MARK: Which endpoints

    /// Whether what goes over links of that profile waits for its turn.
    @inline(__always)
    func isPaced(_ profile: Int) -> Bool { isPacedProfile[profile] }

    /// The endpoint of a paced link; nil when there are too many of them already: what goes there then leaves unpaced.
    private func endpoint(of address: TransportAddress, profile: Int) -> DownlinkEndpoint? {
        if let known = downlinks[address] { return known }
        guard downlinks.count < configuration.limits.downlinks else {
            tally.downlinksRefused += 1
            return nil
        }
        let link = profiles[profile]
        let scheduler = DownlinkScheduler(link.budget, largestPacket: link.datagramLimit, at: now)
        return downlinks.add(address, profile: profile, scheduler)
    }

    /// The endpoint a transmission without a profile of its own goes to, if it has a scheduler.
    private func knownEndpoint(_ destination: Destination) -> DownlinkEndpoint? {
        downlinks.isEmpty ? nil : downlinks[destination.address]
    }

    // MARK: Wanting to send

    /// Something wants to leave towards a paced endpoint; its bytes are made when its turn comes.
    ///
    /// - Parameters:
    ///   - key: what it is. It waits once, however often it is wanted.
    ///   - profile: the link profile of the binding, which knows the user's account.
    func want(_ key: DownlinkKey, _ urgency: DownlinkUrgency, towards destination: Destination, profile: Int) {
        guard let endpoint = endpoint(of: destination.address, profile: profile) else {
            let loose = DownlinkEndpoint(
                address: destination.address, number: 0, profile: profile,
                scheduler: DownlinkScheduler(LinkBudget(), largestPacket: 0, at: now))
            return give(key, DownlinkTurn(endpoint: loose, urgency: urgency))
        }
        endpoint.adopt(
            profiles[profile].budget, largestPacket: profiles[profile].datagramLimit, profile: profile, at: now)
        endpoint.scheduler.offer(key, urgency, at: now)
        serve(endpoint)
    }

    /// What waited is not wanted any more.
    func unwant(_ key: DownlinkKey, towards destination: Destination) {
        guard let endpoint = knownEndpoint(destination) else { return }
        endpoint.scheduler.withdraw(key)
        endpoint.parcels[key] = nil
    }

    /// Sends a response when its endpoint's turn for it comes. One that waits is replaced by a later one of the same transaction.
    ///
    /// - Parameter flow: the flow its request came by, which is the endpoint; the response itself may go to another port.
    func sendPaced(
        _ bytes: [UInt8], answering request: SIPMessage, to destination: Destination, endpointAt flow: Flow,
        profile: Int
    ) {
        let paced = isPaced(profile) ? endpoint(of: flow.remote, profile: profile) : downlinks[flow.remote]
        guard let paced else {
            output.transmissions.append(Transmission(bytes: bytes, destination: destination))
            return
        }
        let key = DownlinkKey.response(answerID(bytes, to: request))
        guard paced.scheduler.waitingCount(.answer) < Self.mostAnswers || paced.scheduler.isWaiting(key) else {
            tally.downlinkAnswersDropped += 1
            return
        }
        paced.parcels[key] = DownlinkParcel(bytes: bytes, destination: destination)
        paced.scheduler.offer(key, .answer, at: now)
        serve(paced)
    }

    /// By what a waiting response is known: its transaction; an INVITE has several responses, and each counts.
    private func answerID(_ bytes: [UInt8], to request: SIPMessage) -> TransactionID {
        let id = serverID(of: request)
        guard request.method == .invite else { return id }
        var hash = KeyedHash(key: key)
        hash.combine(bytes[...])
        return TransactionID(high: id.high, low: hash.finalize())
    }

    /// Sends what belongs to a transaction that is open already: a retransmission, an ACK, a CANCEL. A copy that still waits is
    /// not joined by another.
    func sendAgain(_ bytes: [UInt8], to destination: Destination, of transaction: TransactionID, isAnswer: Bool) {
        guard let endpoint = downlinks.transaction(transaction)?.endpoint ?? knownEndpoint(destination) else {
            output.transmissions.append(Transmission(bytes: bytes, destination: destination))
            return
        }
        let key = DownlinkKey.request(transaction)
        let urgency = isAnswer ? .answer : downlinks.transaction(transaction)?.urgency ?? .normal
        endpoint.parcels[key] = DownlinkParcel(bytes: bytes, destination: destination)
        endpoint.scheduler.offer(key, urgency, at: now)
        serve(endpoint)
    }

    /// Answers that may wait for one endpoint; whoever asks faster than its link bears asks again for the others.
    private static let mostAnswers = 256

    // MARK: Turns

    /// Gives turns as long as the link is free, and has itself woken for the next.
    func serve(_ endpoint: DownlinkEndpoint) {
        guard !endpoint.isServing else { return }
        endpoint.isServing = true
        while let grant = endpoint.scheduler.next(at: now) {
            give(grant.key, DownlinkTurn(endpoint: endpoint, urgency: grant.urgency))
        }
        endpoint.isServing = false
        arm(endpoint, at: endpoint.scheduler.nextGrant(after: now) ?? idleEnd(of: endpoint))
    }

    /// When to see whether the endpoint can be forgotten.
    private func idleEnd(of endpoint: DownlinkEndpoint) -> Instant {
        let time = endpoint.scheduler.forgettable(after: now)
        return endpoint.transactions == 0 ? max(time, now + .milliseconds(1)) : max(time, now + .seconds(60 as Int64))
    }

    private func give(_ key: DownlinkKey, _ turn: DownlinkTurn) {
        switch key {
        case .response, .request:
            guard let parcel = turn.endpoint.parcels.removeValue(forKey: key) else { return }
            transmit(parcel.bytes, to: parcel.destination, turn: turn)
        case .branch(let slot, let generation, let position):
            branchGranted(slot: slot, generation: generation, position: Int(position), turn: turn)
        case .notification(let slot, let generation):
            notificationGranted(SubscriptionMark(slot: slot, generation: generation), turn: turn)
        }
    }

    /// Puts out what has its turn.
    ///
    /// - Parameters:
    ///   - transaction: the client transaction it opened, if it did. It has a place among those the link may have open until it
    ///     is answered or its lifetime is over.
    func transmit(
        _ bytes: [UInt8], to destination: Destination, token: UInt64 = 0, transaction: TransactionID? = nil,
        lifetime: TimeSpan = .zero, turn: DownlinkTurn
    ) {
        let endpoint = turn.endpoint
        if let transaction { downlinks.begin(transaction, at: endpoint, turn.urgency, until: now + lifetime) }
        let reckoned = endpoint.scheduler.sent(
            turn.urgency, plain: bytes.count, transaction: transaction, until: now + lifetime, at: now)
        tally.downlinkPackets += 1
        tally.downlinkBytes += UInt64(reckoned)
        var transmission = Transmission(bytes: bytes, destination: destination, token: token)
        transmission.charge = DownlinkCharge(
            endpoint: endpoint.number, plain: UInt32(clamping: bytes.count), reckoned: UInt32(clamping: reckoned),
            kind: turn.urgency.kind)
        output.transmissions.append(transmission)
    }

    // MARK: What comes back

    /// The transport has put a transmission on the wire: the endpoint's budget is charged with what it really took, and the next
    /// is reckoned better. Without compression nobody need report: the plain size is what was reckoned.
    ///
    /// - Parameters:
    ///   - bytes: length as handed to the socket, without the headers of IP and UDP or TCP.
    ///   - again: whether this is one more copy that the transport sent of its own accord.
    public func transmitted(_ charge: DownlinkCharge, bytes: Int, again: Bool = false, at time: Instant) {
        tick(time)
        guard let endpoint = downlinks[charge.endpoint] else { return }
        let reckoned = again ? -endpoint.scheduler.budget.packetOverhead : Int(charge.reckoned)
        tally.downlinkBytes = tally.downlinkBytes &+ UInt64(bitPattern: Int64(bytes - max(0, reckoned)))
        endpoint.scheduler.transmitted(plain: Int(charge.plain), wire: bytes, reckoned: reckoned, charge.kind)
        serve(endpoint)
    }

    /// A client transaction has its final response, or nobody waits for one any more.
    ///
    /// - Returns: the endpoint it went to, which may have another turn to give.
    @discardableResult
    func downlinkEnded(_ transaction: TransactionID) -> DownlinkEndpoint? {
        guard !downlinks.isEmpty, let endpoint = downlinks.end(transaction) else { return nil }
        endpoint.scheduler.finished(transaction)
        let key = DownlinkKey.request(transaction)
        endpoint.scheduler.withdraw(key)
        endpoint.parcels[key] = nil
        if !endpoint.isServing { arm(endpoint, at: now) }
        return endpoint
    }

    /// Something came by a flow: its radio is awake.
    func downlinkHeard(_ flow: Flow) {
        guard !downlinks.isEmpty, let endpoint = downlinks[flow.remote] else { return }
        endpoint.scheduler.heard(at: now)
        serve(endpoint)
    }

    /// A connection is gone, and with it what waited for it. The endpoint may be back by another already.
    func downlinkClosed(_ flow: Flow) {
        guard !downlinks.isEmpty, flow.transport.isReliable, let endpoint = downlinks[flow.remote] else { return }
        for key in endpoint.scheduler.waiting {
            if case .branch(let slot, let generation, let position) = key {
                branchLost(slot: slot, generation: generation, position: Int(position), with: flow)
            } else if endpoint.parcels[key]?.destination == .flow(flow) {
                endpoint.scheduler.withdraw(key)
                endpoint.parcels[key] = nil
            }
        }
    }

    // MARK: Deadlines

    private func arm(_ endpoint: DownlinkEndpoint, at time: Instant) {
        let time = min(time, now + ExpirySweep.farthestWake)
        if let armed = endpoint.armed, armed <= time { return }
        endpoint.armed = time
        deadlines.insert(Deadline(at: time, kind: .downlink(endpoint.number)))
    }

    func downlinkDue(_ number: UInt64, at time: Instant) {
        guard let endpoint = downlinks[number], endpoint.armed == time else { return }
        endpoint.armed = nil
        if endpoint.transactions == 0, endpoint.scheduler.isForgettable(at: now) {
            downlinks.remove(endpoint)
        } else {
            serve(endpoint)
        }
    }
}

extension Destination {
    /// The far end.
    var address: TransportAddress {
        switch self {
        case .flow(let flow): flow.remote
        case .target(let target): target.address
        }
    }
}
