import Engine
import LinkProfiles
import SIPCore

/// Everything between the node and the devices: one link a device, addresses that come and go, datagrams, connections.
final class SimulatedNetwork {
    private struct Connection {
        var device: Int
        var remote: TransportAddress
        /// Set when the node opened it.
        var target: Target?
        var isUp = false
        /// Whether data went to a device that is not there any more, and the node will find out.
        var isDying = false
        /// What the node wants sent once the connection is up.
        var waiting: [Transmission] = []
    }

    private unowned let world: World
    private var up: [SimulatedLink]
    private var down: [SimulatedLink]
    private var attached: [TransportAddress: Int] = [:]
    private var connections: [UInt64: Connection] = [:]
    private var lastConnection: UInt64 = 0
    /// How long a connection survives a link that is down.
    private let patience: TimeSpan = .seconds(60 as Int64)

    init(world: World) {
        self.world = world
        let random = SimulationRandom(seed: world.scenario.seed)
        up = world.scenario.devices.enumerated().map {
            SimulatedLink(conditions: $1.up, random: random.stream(UInt64($0) * 2 + 1_000))
        }
        down = world.scenario.devices.enumerated().map {
            SimulatedLink(conditions: $1.down, random: random.stream(UInt64($0) * 2 + 1_001))
        }
    }

    // MARK: Conditions

    func attach(_ device: Int, at address: TransportAddress) { attached[address] = device }

    func detach(_ device: Int, from address: TransportAddress) {
        if attached[address] == device { attached[address] = nil }
    }

    func outage(_ device: Int, until: Instant) {
        up[device].downUntil = max(up[device].downUntil, until)
        down[device].downUntil = max(down[device].downUntil, until)
    }

    func endFaults() {
        for device in up.indices {
            up[device].conditions = up[device].conditions.withoutFaults
            down[device].conditions = down[device].conditions.withoutFaults
            up[device].downUntil = min(up[device].downUntil, world.now)
            down[device].downUntil = min(down[device].downUntil, world.now)
        }
    }

    // MARK: From the node

    func transmit(_ transmission: Transmission) {
        switch transmission.destination {
        case .flow(let flow) where flow.transport == .udp:
            datagram(transmission.bytes, to: flow.remote)
        case .flow(let flow):
            if connections[flow.connection] == nil {
                world.node.fail(transmission.token, "no such connection")
            } else {
                send(transmission, on: flow.connection)
            }
        case .target(let target) where target.transport == .udp:
            datagram(transmission.bytes, to: target.address)
        case .target(let target):
            send(transmission, on: connection(to: target))
        }
    }

    func close(_ flow: Flow) {
        guard let connection = connections.removeValue(forKey: flow.connection) else { return }
        let id = flow.connection
        world.schedule(after: down[connection.device].conditions.delay) { [unowned world] in
            world.endpoints[connection.device].connectionClosed(id)
        }
    }

    /// The node is gone: its connections are reset.
    func nodeDied() {
        for id in connections.keys.sorted() {
            guard let connection = connections.removeValue(forKey: id) else { continue }
            world.schedule(after: down[connection.device].conditions.delay + .milliseconds(500)) { [unowned world] in
                world.endpoints[connection.device].connectionClosed(id)
            }
        }
    }

    private func datagram(_ bytes: [UInt8], to address: TransportAddress) {
        let sentAt = world.now
        world.ledger.totals.datagramsFromNode += 1
        world.ledger.totals.bytesFromNode += bytes.count
        guard let device = attached[address] else {
            world.trace("node", "nobody at \(Trace.text(address)): \(Trace.summary(bytes))")
            return
        }
        let arrivals = down[device].carry(bytes: bytes.count, at: sentAt)
        world.trace("node", "> \(world.name(device)) \(Trace.summary(bytes)) \(Trace.arrivals(arrivals, from: sentAt))")
        for arrival in arrivals {
            world.schedule(at: arrival) { [unowned self] in
                guard attached[address] == device else { return }
                world.endpoints[device].received(bytes, connection: nil, sentAt: sentAt)
            }
        }
    }

    // MARK: From the devices

    func datagram(_ bytes: [UInt8], from device: Int, at address: TransportAddress) {
        guard attached[address] == device else { return }
        let arrivals = up[device].carry(bytes: bytes.count, at: world.now)
        world.trace(world.name(device), "> node \(Trace.summary(bytes)) \(Trace.arrivals(arrivals, from: world.now))")
        let flow = Flow(transport: .udp, listener: 0, remote: address)
        for arrival in arrivals {
            world.schedule(at: arrival) { [unowned self] in world.node.received(bytes, on: flow, from: device) }
        }
    }

    /// A device opens a connection to the node.
    /// - Returns: its number; the device hears of success or failure later.
    func connect(_ device: Int, from address: TransportAddress) -> UInt64 {
        lastConnection += 1
        let id = lastConnection
        guard let there = up[device].carryReliably(bytes: 0, at: world.now, patience: patience) else {
            world.schedule(after: .seconds(10 as Int64)) { [unowned world] in
                world.endpoints[device].connectionClosed(id)
            }
            return id
        }
        let back = down[device].conditions.delay
        world.schedule(at: there + back) { [unowned self] in
            guard attached[address] == device, world.node.isUp else {
                world.endpoints[device].connectionClosed(id)
                return
            }
            connections[id] = Connection(device: device, remote: address, isUp: true)
            world.trace(world.name(device), "connection \(id) up")
            world.node.flowOpened(flow(id, to: address), target: nil)
            world.endpoints[device].connectionOpened(id)
        }
        return id
    }

    func send(_ bytes: [UInt8], from device: Int, on id: UInt64) {
        guard let connection = connections[id], connection.isUp else { return }
        guard let arrival = up[device].carryReliably(bytes: bytes.count, at: world.now, patience: patience) else {
            breakDown(id, after: patience)
            return
        }
        world.trace(world.name(device), "> node (\(id)) \(Trace.summary(bytes))")
        world.schedule(at: arrival) { [unowned self] in
            guard connections[id] != nil else { return }
            world.node.received(bytes, on: flow(id, to: connection.remote), from: device)
        }
    }

    /// A device closes a connection, or is gone and the node has not noticed.
    func close(_ id: UInt64, from device: Int, silently: Bool) {
        guard let connection = connections[id] else { return }
        if silently { return }
        let last = up[device].carryReliably(bytes: 0, at: world.now, patience: patience)
        world.schedule(at: last ?? world.now + patience) { [unowned self] in
            guard connections.removeValue(forKey: id) != nil else { return }
            world.node.flowClosed(flow(id, to: connection.remote))
        }
    }

    // MARK: Connections

    private func flow(_ id: UInt64, to remote: TransportAddress) -> Flow {
        Flow(transport: .tcp, listener: 1, connection: id, remote: remote)
    }

    /// The connection the node has towards a target, or a new one on its way up.
    private func connection(to target: Target) -> UInt64 {
        let known = connections.keys.sorted().first {
            connections[$0]?.remote == target.address && connections[$0]?.isDying == false
        }
        if let known { return known }
        lastConnection += 1
        let id = lastConnection
        let incarnation = world.node.incarnation
        guard let device = attached[target.address], world.now >= down[device].downUntil else {
            connections[id] = Connection(device: 0, remote: target.address, target: target)
            world.schedule(after: .seconds(10 as Int64)) { [unowned self] in refuse(id, incarnation) }
            return id
        }
        connections[id] = Connection(device: device, remote: target.address, target: target)
        let answer = world.now + down[device].conditions.delay + up[device].conditions.delay
        world.schedule(at: answer) { [unowned self] in
            guard world.node.incarnation == incarnation, connections[id] != nil else { return }
            guard attached[target.address] == device else {
                refuse(id, incarnation)
                return
            }
            connections[id]?.isUp = true
            world.trace("node", "connection \(id) up to \(world.name(device))")
            world.node.flowOpened(flow(id, to: target.address), target: target)
            let waiting = connections[id]?.waiting ?? []
            connections[id]?.waiting = []
            for transmission in waiting { send(transmission, on: id) }
        }
        return id
    }

    private func refuse(_ id: UInt64, _ incarnation: Int) {
        guard let connection = connections.removeValue(forKey: id), world.node.incarnation == incarnation else {
            return
        }
        world.trace("node", "connection to \(Trace.text(connection.remote)) refused")
        for transmission in connection.waiting { world.node.fail(transmission.token, "connection refused") }
    }

    private func send(_ transmission: Transmission, on id: UInt64) {
        guard let connection = connections[id] else { return }
        guard connection.isUp else {
            connections[id]?.waiting.append(transmission)
            return
        }
        let sentAt = world.now
        let device = connection.device
        world.ledger.totals.datagramsFromNode += 1
        world.ledger.totals.bytesFromNode += transmission.bytes.count
        world.trace("node", "> \(world.name(device)) (\(id)) \(Trace.summary(transmission.bytes))")
        guard attached[connection.remote] == device,
            let arrival = down[device].carryReliably(bytes: transmission.bytes.count, at: sentAt, patience: patience)
        else {
            breakDown(id, after: .seconds(20 as Int64))
            return
        }
        world.schedule(at: arrival) { [unowned self] in
            guard connections[id] != nil, attached[connection.remote] == device else { return }
            world.endpoints[device].received(transmission.bytes, connection: id, sentAt: sentAt)
        }
    }

    /// Neither side hears the other any more; both find out after a while.
    private func breakDown(_ id: UInt64, after span: TimeSpan) {
        guard connections[id]?.isDying == false else { return }
        connections[id]?.isDying = true
        world.schedule(after: span) { [unowned self] in
            guard let connection = connections.removeValue(forKey: id) else { return }
            world.trace("node", "connection \(id) timed out")
            world.node.flowClosed(flow(id, to: connection.remote))
            world.endpoints[connection.device].connectionClosed(id)
        }
    }
}
