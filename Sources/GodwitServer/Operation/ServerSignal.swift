import Dispatch
import Glibc

/// The signals an operator sends to the server, as an asynchronous sequence.
public enum ServerSignal: Sendable {
    /// SIGTERM or SIGINT: finish and end.
    case stop
    /// SIGHUP: read accounts and certificates again.
    case reload

    /// Takes the signals over from their default action for the rest of the process's life.
    public static func all() -> AsyncStream<ServerSignal> {
        let (stream, continuation) = AsyncStream.makeStream(of: ServerSignal.self)
        let queue = DispatchQueue(label: "godwit.signals")
        let sources = [(SIGTERM, ServerSignal.stop), (SIGINT, .stop), (SIGHUP, .reload)].map { number, meaning in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { continuation.yield(meaning) }
            source.activate()
            return source
        }
        let held = HeldSources(sources: sources)
        continuation.onTermination = { _ in held.cancel() }
        return stream
    }

    private struct HeldSources: @unchecked Sendable {
        let sources: [any DispatchSourceSignal]
        func cancel() { for source in sources { source.cancel() } }
    }
}
