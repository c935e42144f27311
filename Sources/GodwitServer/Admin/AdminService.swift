import Dispatch
import Engine
import LinkProfiles
import Logging
import MessageStore
import MessageStoreSQLite
import NIOCore
import Transport

/// Does what operators ask for over the admin socket, and what signals ask for.
struct AdminService: Sendable {
    let configuration: ServerConfiguration
    let logger: Logger
    let loop: any EventLoop
    let driver: Driver
    let transport: TransportLayer
    let inspector: QueueInspector
    let stop: @Sendable () -> Void

    /// On the loop. Work that takes longer than a moment is done elsewhere.
    func answer(_ request: AdminRequest) -> EventLoopFuture<AdminResponse> {
        switch request.command {
        case .stats:
            return loop.makeSucceededFuture(AdminResponse(ok: true, counters: counters()))
        case .sigcomp:
            return loop.makeSucceededFuture(AdminResponse(ok: true, compressionPeers: compressionPeers()))
        case .reload:
            return elsewhere { reload() }
        case .drain:
            logger.notice("an operator asked the server to end")
            stop()
            return loop.makeSucceededFuture(AdminResponse(ok: true))
        case .backup:
            guard let path = request.path, path.hasPrefix("/") else {
                return loop.makeSucceededFuture(.failure("backup needs `path`, absolute"))
            }
            return elsewhere { backup(to: path) }
        case .rules:
            return loop.makeSucceededFuture(provisionRules(request))
        case .retry, .expire, .drop:
            return loop.makeSucceededFuture(change(request))
        }
    }

    /// Publishes the counters through swift-metrics for as long as the loop runs.
    func publishMetrics(every interval: TimeAmount) {
        let publisher = NIOLoopBoundBox.makeBoxSendingValue(MetricsPublisher(), eventLoop: loop)
        loop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in publisher.value.publish(counters()) }
    }

    private func counters() -> [String: Int64] {
        guard let counters = driver.counters else { return [:] }
        var values = MetricsPublisher.values(of: counters.engine, counters.engine.presence, counters.transport)
        if let compression = counters.compression {
            values.merge(MetricsPublisher.compressionValues(compression)) { first, _ in first }
        }
        return values
    }

    private func compressionPeers() -> [CompressionPeer] {
        transport.compressionPeers(limit: AdminRequest.peerLimit).map { report in
            CompressionPeer(
                name: report.name, address: "\(report.address)", stateBytes: report.stateBytes,
                messagesSent: report.traffic.messagesSent, plainBytesSent: report.traffic.plainBytesSent,
                bytesSent: report.traffic.bytesSent, messagesReceived: report.traffic.messagesReceived,
                plainBytesReceived: report.traffic.plainBytesReceived, bytesReceived: report.traffic.bytesReceived)
        }
    }

    private func change(_ request: AdminRequest) -> AdminResponse {
        let numbers = request.numbers ?? []
        guard !numbers.isEmpty, numbers.count <= AdminRequest.numberLimit else {
            return .failure("`numbers` must hold 1 to \(AdminRequest.numberLimit) message numbers")
        }
        let affected = driver.use { engine, now in
            let commands = numbers.map { raw -> OperatorCommand in
                let number = MessageNumber(raw)
                return switch request.command {
                case .expire: .expire(number)
                case .drop: .drop(number)
                default: .retry(number)
                }
            }
            return engine.perform(commands, at: now)
        }
        guard let affected else { return .failure("the server is not ready yet") }
        logger.notice(
            "an operator changed the queue",
            metadata: ["command": .string(request.command.rawValue), "messages": "\(affected)"])
        return AdminResponse(ok: true, affected: affected)
    }

    private func provisionRules(_ request: AdminRequest) -> AdminResponse {
        guard let user = request.user else { return .failure("`user` must name whose rules they are") }
        let document = request.document.map { Array($0.utf8) }
        let refusal = driver.use { engine, now in engine.provisionRules(document, of: user, at: now) }
        guard let refusal else { return .failure("the server is not ready yet") }
        if let refusal { return .failure(refusal) }
        logger.notice(
            "an operator changed presence rules",
            metadata: ["user": .string(user), "removed": "\(document == nil)"])
        return AdminResponse(ok: true)
    }

    private func reload() -> AdminResponse {
        do {
            let accounts = try Server.enabledAccounts(inspector)
            let security = try SecurityContexts(loading: configuration.security)
            loop.execute {
                driver.use { engine, _ in engine.replaceAccounts(accounts) }
                transport.replaceCertificates(security)
            }
            logger.notice("accounts and certificates read again", metadata: ["accounts": "\(accounts.count)"])
            return AdminResponse(ok: true, affected: accounts.count)
        } catch {
            let reason = (error as? StoreFailure)?.text ?? "\(error)"
            logger.error("reload failed; what was loaded before stays in use", metadata: ["reason": .string(reason)])
            return .failure(reason)
        }
    }

    private func backup(to path: String) -> AdminResponse {
        do throws(StoreFailure) {
            try inspector.backup(to: path)
            logger.notice("database copied", metadata: ["path": .string(path)])
            return AdminResponse(ok: true)
        } catch {
            return .failure(error.text)
        }
    }

    private func elsewhere(_ work: @escaping @Sendable () -> AdminResponse) -> EventLoopFuture<AdminResponse> {
        let promise = loop.makePromise(of: AdminResponse.self)
        DispatchQueue.global().async { promise.succeed(work()) }
        return promise.futureResult
    }
}
