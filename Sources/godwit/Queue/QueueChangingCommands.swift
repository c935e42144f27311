import ArgumentParser
import GodwitServer
import LinkProfiles
import MessageStore
import MessageStoreSQLite

struct QueueRetry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry", abstract: "Try messages again now that wait after a failure.")

    @OptionGroup var change: QueueChange

    func run() throws { try change.perform(.retry) }
}

struct QueueExpire: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expire", abstract: "End the lives of messages: they count as expired.")

    @OptionGroup var change: QueueChange

    func run() throws { try change.perform(.expire) }
}

struct QueueDrop: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drop", abstract: "Refuse messages for good: they count as dropped by an operator.")

    @OptionGroup var change: QueueChange

    func run() throws { try change.perform(.drop) }
}

/// What `retry`, `expire` and `drop` have in common: which messages, and how to get at them.
struct QueueChange: ParsableArguments {
    @Argument(help: "Numbers of messages, from `queue list`.") var numbers: [Int64] = []
    @Flag(help: "All messages that the options select (all that are live when there are none).") var all = false
    @OptionGroup var selection: SelectionOptions
    @OptionGroup var options: ConfigurationOption

    func perform(_ command: AdminRequest.Command) throws {
        guard numbers.isEmpty == all else {
            throw failing(ExitStatus.usage, "name messages by number, or select them with options and --all")
        }
        let configuration = try options.load()
        let selected = try selectedNumbers(configuration)
        let apply = try applier(command, configuration)
        let meter = ProgressMeter("messages")
        var affected = 0
        var done = 0
        try withStore {
            while done < selected.count {
                let slice = Array(selected[done..<min(done + AdminRequest.numberLimit, selected.count)])
                affected += try apply(slice)
                done += slice.count
                meter.show(done, of: selected.count)
            }
        }
        meter.finish()
        print("\(affected) of \(selected.count) messages were changed")
        if affected == 0, !numbers.isEmpty { throw ExitStatus.noInput }
    }

    private func selectedNumbers(_ configuration: ServerConfiguration) throws -> [Int64] {
        guard all else { return numbers }
        let inspector = try options.inspector(configuration, .reading)
        var query = try selection.query(at: .present)
        query.states.formIntersection(QueueQuery.live)
        var selected: [Int64] = []
        try withStore {
            try inspector.forEach(query) { record in
                selected.append(record.number.rawValue)
                return true
            }
        }
        return selected
    }

    /// The running server when there is one, else the database.
    private func applier(
        _ command: AdminRequest.Command, _ configuration: ServerConfiguration
    ) throws -> ([Int64]) throws -> Int {
        do throws(AdminClient.Failure) {
            let client = try AdminClient(path: configuration.adminSocket)
            return { numbers in
                do throws(AdminClient.Failure) {
                    let response = try client.ask(AdminRequest(command, numbers: numbers))
                    guard response.ok else { throw .broken(response.error ?? "") }
                    return response.affected ?? 0
                } catch {
                    throw failing(error)
                }
            }
        } catch {
            guard case .noServer = error else { throw failing(error) }
        }
        let inspector = try options.inspector(configuration, .exclusive)
        return { numbers in
            let numbers = numbers.map(MessageNumber.init)
            switch command {
            case .expire: return try inspector.expire(numbers, at: .present)
            case .drop: return try inspector.drop(numbers, at: .present)
            default: return try inspector.retry(numbers, at: .present)
            }
        }
    }
}
