import ArgumentParser
import Engine
import Foundation
import GodwitServer
import LinkProfiles
import MessageStore
import MessageStoreSQLite

struct PresenceRules: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Show, set or remove a user's presence rules (RFC 5025).",
        discussion: """
            Without --set and --remove the rules are printed; without a user, the names of
            all who have some.

            Example: godwit presence rules alice@example.com --set rules.xml
            """)

    @Argument(help: "The user, as alice@example.com.") var user: UserName?
    @Option(
        help: ArgumentHelp("A rules document; - is standard input.", valueName: "file"), completion: .file())
    var set: String?
    @Flag(help: "Take the user's rules away: presence.unruled-watchers holds then.") var remove = false
    @OptionGroup var options: ConfigurationOption

    func validate() throws {
        if set != nil, remove { throw ValidationError("--set and --remove exclude each other") }
        if user == nil, set != nil || remove { throw ValidationError("--set and --remove need a user") }
    }

    func run() throws {
        let configuration = try options.load()
        guard let user else { return try list(configuration) }
        if let set { return try provision(try read(set), of: user, configuration) }
        if remove { return try provision(nil, of: user, configuration) }
        let name = RulesDocument.name(of: user.addressOfRecord)
        let inspector = try options.inspector(configuration, .reading)
        try withStore {
            guard let document = try inspector.documents().first(where: { $0.name == name }) else {
                throw failing(ExitStatus.noInput, "\(user.addressOfRecord) has no rules")
            }
            print(Printable.text(document.body))
        }
    }

    private func list(_ configuration: ServerConfiguration) throws {
        let inspector = try options.inspector(configuration, .reading)
        try withStore {
            for document in try inspector.documents() where document.name.application == RulesDocument.application {
                print("\(document.name.owner)  \(document.body.count) bytes  \(document.modifiedAt.text)")
            }
        }
    }

    private func read(_ file: String) throws -> [UInt8] {
        if file == "-" { return [UInt8](FileHandle.standardInput.readDataToEndOfFile()) }
        guard let data = FileManager.default.contents(atPath: file) else {
            throw failing(ExitStatus.noInput, "\(file) cannot be read")
        }
        return [UInt8](data)
    }

    /// By the running server when there is one, else in the database.
    private func provision(_ document: [UInt8]?, of user: UserName, _ configuration: ServerConfiguration) throws {
        let text = document.map { String(decoding: $0, as: UTF8.self) }
        var response: AdminResponse?
        do throws(AdminClient.Failure) {
            let client = try AdminClient(path: configuration.adminSocket)
            response = try client.ask(AdminRequest(rulesOf: user.addressOfRecord, document: text))
        } catch {
            guard case .noServer = error else { throw failing(error) }
        }
        if let response {
            guard response.ok else { throw failing(ExitStatus.dataDamaged, response.error ?? "refused") }
            return
        }
        if let document, let refusal = RulesDocument.refusal(of: document) {
            throw failing(ExitStatus.dataDamaged, refusal)
        }
        let inspector = try options.inspector(configuration, .exclusive)
        let name = RulesDocument.name(of: user.addressOfRecord)
        try withStore {
            guard let document else {
                if try !inspector.removeDocument(name) {
                    throw failing(ExitStatus.noInput, "\(user.addressOfRecord) has no rules")
                }
                return
            }
            try inspector.putDocument(StoredDocument(name: name, modifiedAt: .present, body: document))
        }
    }
}
