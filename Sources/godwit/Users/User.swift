import ArgumentParser
import Foundation
import GodwitServer
import MessageStore
import MessageStoreSQLite
import Policy

struct User: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Make, change and list the accounts users register and send with.",
        discussion: """
            Passwords are never kept: the database holds digests for MD5, SHA-256 and
            SHA-512-256 (RFC 7616), made for one realm. Changing authentication.realm
            makes every account invalid. A running server takes changes up at once.

            Exit codes: 0 done, 64 wrong usage, 66 no such user, 75 the database is in
            use, 78 the configuration is wrong.
            """,
        subcommands: [UserAdd.self, UserPassword.self, UserRemove.self, UserList.self])
}

/// `user@domain` on the command line.
struct UserName: ExpressibleByArgument {
    let username: String
    let domain: String

    init?(argument: String) {
        let plain = argument.hasPrefix("sip:") ? String(argument.dropFirst(4)) : argument
        let parts = plain.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, HostPort(String(parts[1]))?.port == 0 else { return nil }
        username = String(parts[0])
        domain = parts[1].lowercased()
    }
}

/// How the password gets in: typed, or piped. Never as an argument, which other users could see.
struct PasswordOption: ParsableArguments {
    @Flag(help: "Read the password from standard input (one line) instead of asking for it.")
    var passwordStdin = false

    func read() throws -> String {
        let password: String
        if passwordStdin {
            password = readLine(strippingNewline: true) ?? ""
        } else {
            guard isatty(STDIN_FILENO) == 1 else {
                throw failing(ExitStatus.usage, "there is no terminal to ask for the password; use --password-stdin")
            }
            password = try ask("Password: ")
            guard try ask("Again: ") == password else { throw failing(ExitStatus.usage, "the passwords differ") }
        }
        guard !password.isEmpty else { throw failing(ExitStatus.usage, "the password is empty") }
        return password
    }

    private func ask(_ prompt: String) throws -> String {
        guard let text = getpass(prompt) else { throw failing(ExitStatus.ioError, "the terminal cannot be read") }
        return String(cString: text)
    }
}

/// Which digests an account keeps, and so which algorithms its user is offered.
struct AlgorithmOption: ParsableArguments {
    @Option(
        name: .customLong("algorithms"),
        help: ArgumentHelp(
            """
            Keep digests of these algorithms only, and offer the user no others: for clients that give up at a \
            challenge they do not know. SHA-256, SHA-512-256 or MD5; several with commas.
            """,
            valueName: "names"))
    var names: String?

    var wanted: [String]? {
        names?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).uppercased() }
    }

    func validate() throws {
        guard let wanted else { return }
        let known = DigestAlgorithm.allCases.map(\.token)
        for name in wanted where !known.contains(name) {
            throw ValidationError("`\(name)` is none of \(known.joined(separator: ", "))")
        }
        if wanted.isEmpty { throw ValidationError("at least one algorithm is needed") }
    }

    /// Takes the digests of other algorithms out. Without the option a changed account keeps those it had before.
    func restrict(_ account: inout Account, before: Account? = nil) {
        guard let kept = wanted ?? before.map({ Array($0.digests.keys) }) else { return }
        account.digests = account.digests.filter { kept.contains($0.key) }
    }
}

struct UserAdd: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Make an account.",
        discussion: "Refuses to change one that exists; `godwit user password` does that.")

    @Argument(help: "The user, as alice@example.com.") var user: UserName
    @Option(help: "Link profile of the user's flows, whatever the profile rules say.") var profile: String?
    @OptionGroup var algorithms: AlgorithmOption
    @OptionGroup var password: PasswordOption
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try options.load()
        guard configuration.domains.contains(user.domain) else {
            throw failing(
                ExitStatus.usage,
                "\(user.domain) is not served here; domains: \(configuration.domains.joined(separator: ", "))")
        }
        if let profile, configuration.profiles[profile] == nil {
            let known = configuration.profiles.keys.sorted().joined(separator: ", ")
            throw failing(ExitStatus.usage, "there is no profile `\(profile)`; known: \(known)")
        }
        let inspector = try options.inspector(configuration, .accounts)
        try withStore {
            guard try inspector.find(user) == nil else {
                throw failing(ExitStatus.usage, "\(user.username)@\(user.domain) exists already")
            }
            var account = Account(
                username: user.username, domain: user.domain, realm: configuration.realm,
                password: try password.read(), profile: profile ?? "")
            algorithms.restrict(&account)
            try inspector.putAccount(AccountRecord(account: account))
        }
        tellServer(configuration)
    }
}

struct UserPassword: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "password", abstract: "Set another password.")

    @Argument(help: "The user, as alice@example.com.") var user: UserName
    @OptionGroup var algorithms: AlgorithmOption
    @OptionGroup var password: PasswordOption
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .accounts)
        try withStore {
            guard var record = try inspector.find(user) else { throw unknown(user) }
            var account = Account(
                username: user.username, domain: user.domain, realm: configuration.realm,
                password: try password.read(), profile: record.account.profile)
            algorithms.restrict(&account, before: record.account)
            record.account = account
            try inspector.putAccount(record)
        }
        tellServer(configuration)
    }
}

struct UserRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove an account.",
        discussion: "Messages stored for the user stay until they expire or are dropped.")

    @Argument(help: "The user, as alice@example.com.") var user: UserName
    @OptionGroup var options: ConfigurationOption

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .accounts)
        try withStore {
            guard try inspector.removeAccount(username: user.username, domain: user.domain) else { throw unknown(user) }
        }
        tellServer(configuration)
    }
}

struct UserList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the accounts, by domain and name.")

    @Flag(help: "One JSON object a line.") var json = false
    @OptionGroup var options: ConfigurationOption

    private struct Line: Encodable {
        var user: String
        var realm: String
        var algorithms: [String]
        var profile: String
        var enabled: Bool
    }

    func run() throws {
        let configuration = try options.load()
        let inspector = try options.inspector(configuration, .reading)
        try withStore {
            for record in try inspector.accounts() {
                let account = record.account
                let name = "\(account.username)@\(account.domain)"
                let algorithms = account.digests.keys.sorted()
                if json {
                    print(
                        JSONLine.text(
                            Line(
                                user: name, realm: account.realm, algorithms: algorithms, profile: account.profile,
                                enabled: record.isEnabled)))
                } else {
                    var line = "\(name)\t\(algorithms.joined(separator: ","))"
                    if !account.profile.isEmpty { line += "\tprofile=\(account.profile)" }
                    if !record.isEnabled { line += "\tdisabled" }
                    if account.realm != configuration.realm {
                        line += "\tinvalid: made for realm \(account.realm)"
                    }
                    print(line)
                }
            }
        }
    }
}

extension QueueInspector {
    fileprivate func find(_ user: UserName) throws(StoreFailure) -> AccountRecord? {
        try accounts().first { $0.account.username == user.username && $0.account.domain == user.domain }
    }
}

private func unknown(_ user: UserName) -> ExitCode {
    failing(ExitStatus.noInput, "there is no account \(user.username)@\(user.domain)")
}

/// Turns a store's refusal into a message and an exit code.
func withStore(_ body: () throws -> Void) throws {
    do {
        try body()
    } catch let failure as StoreFailure {
        throw failing(failure)
    }
}

/// Lets a running server take changed accounts up; without one there is nothing to do.
private func tellServer(_ configuration: ServerConfiguration) {
    guard let client = try? AdminClient(path: configuration.adminSocket) else { return }
    do throws(AdminClient.Failure) {
        let response = try client.ask(AdminRequest(.reload))
        if !response.ok { printError("godwit: the running server could not take it up: \(response.error ?? "")") }
    } catch {
        printError("godwit: the running server was not told: \(error)")
    }
}
