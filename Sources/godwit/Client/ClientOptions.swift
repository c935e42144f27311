import ArgumentParser
import Foundation
import GodwitServer
import SIPCore
import SigComp

/// Who a client is, and where its server is.
struct ClientOptions: ParsableArguments {
    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("The user to be, as alice@example.com.", valueName: "user"))
    var identity: UserName

    @Option(
        help: ArgumentHelp(
            "The server: udp:, tcp: or tls:, a host and a port, as tcp:127.0.0.1:5060. Default: udp to the user's domain.",
            valueName: "address"))
    var server: String?

    @Option(help: ArgumentHelp("File with the password on its first line; - is standard input.", valueName: "file"))
    var passwordFile: String?

    @Option(
        help: ArgumentHelp("PEM file of certificates to trust with tls:. Default: the system's.", valueName: "file"))
    var trust: String?

    @Option(help: "The domain the server's certificate must name. Default: the user's.") var serverName: String?

    @Flag(help: "Compress with SigComp, and ask the server to do so (RFC 5049).") var sigcomp = false

    @Option(
        help: ArgumentHelp(
            "What is offered to the server: memory, state memory, cycles per bit.", valueName: "65536/65536/64"))
    var sigcompOffer: SigCompOffer?

    func agent() async throws -> UserAgent {
        let password = try readPassword()
        let instance = UUID().uuidString.lowercased()
        var compression: ClientCompression.Settings?
        if sigcomp || sigcompOffer != nil {
            compression = ClientCompression.Settings(
                identifier: "urn:uuid:\(instance)", parameters: (sigcompOffer ?? .usual).parameters)
        }
        do {
            let socket = try await ClientSocket.connect(
                to: try address(), compression: compression, trust: trust, domain: serverName ?? identity.domain)
            return UserAgent(
                identity: identity, password: password, instance: instance, isCompressed: compression != nil,
                socket: socket)
        } catch let failure as ClientSocket.Failure {
            throw failing(ExitStatus.unavailable, failure.reason)
        }
    }

    private func address() throws -> ServerAddress {
        guard let server else { return ServerAddress(transport: .udp, host: identity.domain, port: 5060) }
        let parts = server.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let transport = SIPTransport(uriToken: parts[0]),
            let target = HostPort(String(parts[1]))
        else { throw failing(ExitStatus.usage, "--server: `\(server)` is not of the form udp:host:port") }
        return ServerAddress(
            transport: transport, host: target.host, port: target.port == 0 ? transport.defaultPort : target.port)
    }

    private func readPassword() throws -> String? {
        guard let passwordFile else { return nil }
        if passwordFile == "-" { return readLine(strippingNewline: true) }
        guard let data = FileManager.default.contents(atPath: passwordFile) else {
            throw failing(ExitStatus.noInput, "\(passwordFile) cannot be read")
        }
        return String(decoding: data.prefix { $0 != 0x0a && $0 != 0x0d }, as: UTF8.self)
    }
}

/// Turns what became of a client's request into an exit code.
func failing(_ failure: UserAgent.Failure) -> ExitCode {
    switch failure {
    case .noAnswer(let reason): failing(ExitStatus.unavailable, reason)
    case .credentials(let reason): failing(ExitStatus.notPermitted, reason)
    }
}

/// Decompression memory, state memory and cycles per bit with slashes between them.
struct SigCompOffer: ExpressibleByArgument {
    let parameters: SigCompParameters

    static let usual = SigCompOffer(
        parameters: SigCompParameters(cyclesPerBit: 64, decompressionMemorySize: 65_536, stateMemorySize: 65_536))

    private init(parameters: SigCompParameters) { self.parameters = parameters }

    init?(argument: String) {
        let numbers = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let memory = numbers[0], let states = numbers[1], let cycles = numbers[2] else {
            return nil
        }
        parameters = SigCompParameters(
            cyclesPerBit: cycles, decompressionMemorySize: memory, stateMemorySize: states)
        guard parameters.decompressionMemorySize == memory, parameters.stateMemorySize == states,
            parameters.cyclesPerBit == cycles
        else { return nil }
    }
}
