import Engine
import Foundation
import LinkProfiles
public import Logging
import MessageStore
import MessageStoreSQLite
import NIOCore
import NIOPosix
import SIPCore
import Transport

/// A Home Serving Proxy at work: one engine on one event loop, its sockets, its Message Store on a thread of its own, and the
/// admin socket. Made by ``start(_:logger:)``, ended by ``stop()``.
public final class Server: Sendable {
    /// Where the server listens, with real ports, in the order of the configuration.
    public let points: [String]
    let configuration: ServerConfiguration
    let logger: Logger
    let group: MultiThreadedEventLoopGroup
    let loop: any EventLoop
    let driver: Driver
    let transport: TransportLayer
    let resolver: NextHopResolver
    let commits: CommitThread
    /// Reads accounts and copies the database beside the commit thread.
    let inspector: QueueInspector
    private let admin: AdminListener
    private let stopRequests: AsyncStream<Void>.Continuation
    /// An element for every `drain` an operator asked for.
    public let operatorStops: AsyncStream<Void>

    private init(_ parts: Parts, admin: AdminListener, points: [LocalPoint]) {
        configuration = parts.configuration
        logger = parts.logger
        group = parts.group
        loop = parts.loop
        driver = parts.driver
        transport = parts.transport
        resolver = parts.resolver
        commits = parts.commits
        inspector = parts.inspector
        stopRequests = parts.stopRequests
        operatorStops = parts.operatorStops
        self.admin = admin
        self.points = points.map { "\($0.transport.uriToken):\($0.address)" }
    }

    /// Everything that is there before the admin socket is.
    private struct Parts: Sendable {
        var configuration: ServerConfiguration
        var logger: Logger
        var group: MultiThreadedEventLoopGroup
        var loop: any EventLoop
        var driver: Driver
        var transport: TransportLayer
        var resolver: NextHopResolver
        var commits: CommitThread
        var inspector: QueueInspector
        var stopRequests: AsyncStream<Void>.Continuation
        var operatorStops: AsyncStream<Void>
    }

    /// Opens the store, binds every listening point, reads back what was stored, and takes up work.
    ///
    /// - Throws: ``ServerFailure``; nothing is left running then.
    public static func start(
        _ configuration: ServerConfiguration, logger: Logger
    ) async throws(ServerFailure) -> Server {
        try makeDirectory(configuration.dataDirectory)
        let store: SQLiteMessageStore
        let inspector: QueueInspector
        let accounts: [Account]
        do throws(StoreFailure) {
            store = try SQLiteMessageStore(path: configuration.databasePath)
            inspector = try QueueInspector(path: configuration.databasePath, access: .reading)
            accounts = try enabledAccounts(inspector)
        } catch {
            throw .store(error)
        }
        let secret = try InstallationSecret.load(path: configuration.secretPath)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do throws(ServerFailure) {
            return try await start(
                configuration, logger: logger, group: group, store: store, inspector: inspector, accounts: accounts,
                secret: secret)
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private static func start(
        _ configuration: ServerConfiguration, logger: Logger, group: MultiThreadedEventLoopGroup,
        store: SQLiteMessageStore, inspector: QueueInspector, accounts: [Account], secret: EngineSecret
    ) async throws(ServerFailure) -> Server {
        let loop = group.next()
        let profiles = ProfileSelection(profiles: configuration.profiles, rules: configuration.profileRules)
        let driver = Driver(loop: loop, profiles: profiles, logger: logger)
        let compression = compressionSettings(configuration, profiles, secret)
        let commits = CommitThread(store: store, groupLimit: configuration.store.groupLimit) { [weak driver] in
            driver?.storeReported($0)
        }
        let transport: TransportLayer
        let resolver: NextHopResolver
        let points: [LocalPoint]
        do throws(TransportFailure) {
            transport = TransportLayer(
                eventLoop: loop,
                configuration: try transportConfiguration(configuration, profiles, compression, logger),
                delegate: driver, logger: logger)
            resolver = try NextHopResolver(
                eventLoop: loop, configuration: configuration.dns, seed: UInt64.random(in: .min ... .max))
            points = try await transport.start()
        } catch {
            throw .transport(error)
        }
        var engineConfiguration = engineConfiguration(configuration, points: points, accounts: accounts)
        engineConfiguration.sigcompIdentifier = compression?.identifier ?? ""
        let finalConfiguration = engineConfiguration
        do {
            try await loop.submit {
                let engine = Engine(
                    configuration: finalConfiguration, secret: secret, seed: UInt64.random(in: .min ... .max),
                    at: driver.now())
                try engine.recover(from: store, at: driver.now())
                commits.start()
                driver.begin(engine: engine, transport: transport, resolver: resolver, commits: commits)
            }.get()
        } catch {
            await transport.shutdown(grace: .zero)
            await resolver.shutdown()
            throw (error as? StoreFailure).map { .store($0) }
                ?? .cannotUse(path: configuration.databasePath, reason: "\(error)")
        }
        let (operatorStops, stopRequests) = AsyncStream.makeStream(of: Void.self)
        let parts = Parts(
            configuration: configuration, logger: logger, group: group, loop: loop, driver: driver,
            transport: transport, resolver: resolver, commits: commits, inspector: inspector,
            stopRequests: stopRequests, operatorStops: operatorStops)
        let service = AdminService(
            configuration: configuration, logger: logger, loop: loop, driver: driver, transport: transport,
            inspector: inspector, stop: { stopRequests.yield() })
        do throws(ServerFailure) {
            let admin = try await AdminListener(path: configuration.adminSocket, on: loop) { service.answer($0) }
            let server = Server(parts, admin: admin, points: points)
            service.publishMetrics(every: .seconds(10))
            return server
        } catch {
            await shutdown(parts)
            throw error
        }
    }

    /// Reads accounts and certificates again, as SIGHUP asks for.
    public func reload() async {
        let service = AdminService(
            configuration: configuration, logger: logger, loop: loop, driver: driver, transport: transport,
            inspector: inspector, stop: {})
        _ = try? await loop.flatSubmit { service.answer(AdminRequest(.reload)) }.get()
    }

    /// Takes no new work, lets what is open finish for the configured time, commits, and closes everything.
    ///
    /// - Returns: whether everything open had finished.
    @discardableResult
    public func stop() async -> Bool {
        let promise = loop.makePromise(of: Bool.self)
        loop.execute { [driver, configuration] in
            driver.drain(within: configuration.drainTimeout) { promise.succeed($0) }
        }
        let isIdle = (try? await promise.futureResult.get()) ?? false
        await admin.close()
        await Self.shutdown(
            Parts(
                configuration: configuration, logger: logger, group: group, loop: loop, driver: driver,
                transport: transport, resolver: resolver, commits: commits, inspector: inspector,
                stopRequests: stopRequests, operatorStops: operatorStops))
        return isIdle
    }

    private static func shutdown(_ parts: Parts) async {
        parts.stopRequests.finish()
        let commits = parts.commits
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                commits.stop()
                continuation.resume()
            }
        }
        // The last reports are on the loop already; what they caused leaves before the sockets close.
        try? await parts.loop.submit {}.get()
        await parts.transport.shutdown(grace: .seconds(2))
        await parts.resolver.shutdown()
        parts.loop.execute { parts.driver.end() }
        try? await parts.group.shutdownGracefully()
    }

    static func enabledAccounts(_ inspector: QueueInspector) throws(StoreFailure) -> [Account] {
        try inspector.accounts().filter(\.isEnabled).map(\.account)
    }

    private static func makeDirectory(_ path: String) throws(ServerFailure) {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw .cannotUse(path: path, reason: "cannot be made: \(error.localizedDescription)")
        }
    }

    /// How SigComp is used; nil where it is switched off.
    private static func compressionSettings(
        _ configuration: ServerConfiguration, _ profiles: ProfileSelection, _ secret: EngineSecret
    ) -> CompressionSettings? {
        guard configuration.sigcomp.isEnabled else { return nil }
        var settings = configuration.sigcomp.transportSettings(ownIdentifier: SigCompIdentifier.make(from: secret))
        // Asked for every message, so only where some profile says no.
        if configuration.profiles.values.contains(where: { !$0.offersSigComp }) {
            settings.isOffered = { profiles.profile($0, $1).offersSigComp }
        }
        return settings
    }

    private static func transportConfiguration(
        _ configuration: ServerConfiguration, _ profiles: ProfileSelection, _ compression: CompressionSettings?,
        _ logger: Logger
    ) throws(TransportFailure) -> TransportConfiguration {
        var result = TransportConfiguration(
            listeningPoints: AdvertisedAddress.completing(configuration.listeningPoints, logger),
            security: try SecurityContexts(loading: configuration.security)
        ) { transport, _, remote in profiles.profile(transport, remote) }
        result.compression = compression
        result.connectionLimit = configuration.connections.connections
        result.connectionLimitPerSource = configuration.connections.connectionsPerSource
        result.pendingByteLimit = configuration.connections.pendingBytes
        return result
    }

    private static func engineConfiguration(
        _ configuration: ServerConfiguration, points: [LocalPoint], accounts: [Account]
    ) -> EngineConfiguration {
        var result = EngineConfiguration(domains: configuration.domains, localPoints: points)
        result.profiles = configuration.profiles
        result.profileRules = configuration.profileRules
        result.authentication = configuration.authentication
        result.trustedPeers = configuration.trustedPeers
        result.routes = configuration.routes
        result.limits = configuration.limits
        result.presence = configuration.presence
        result.accounts = accounts
        result.serverName = configuration.serverName
        return result
    }
}
