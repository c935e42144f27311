import Policy
import SIPCore

/// What a scripted endpoint knows of digest authentication (RFC 3261 section 22): the last challenge of each role, and how
/// often its nonce was used.
struct EndpointCredentials {
    private struct Known {
        var challenges: [AuthorizationHeader]
        var uses: UInt32 = 0
    }

    private let client: DigestClient
    private var known: [String: Known] = [:]

    init(user: String) { client = DigestClient(username: user, password: Self.password(of: user)) }

    static func password(of user: String) -> String { "secret of \(user)" }

    /// Takes the challenge of a 401 or 407; false when there is none that can be answered.
    mutating func learn(_ response: PlainMessage) -> Bool {
        let (challenge, credentials) =
            response.status == 401
            ? ("www-authenticate", "authorization") : ("proxy-authenticate", "proxy-authorization")
        let challenges = response.all(challenge).compactMap { AuthorizationHeader(parsing: Array($0.utf8)) }
        guard !challenges.isEmpty else { return false }
        known[credentials] = Known(challenges: challenges)
        return true
    }

    /// Adds credentials for every challenge known: without waiting to be asked again.
    mutating func sign(_ request: inout PlainMessage, random: inout SimulationRandom) {
        request.fields.removeAll { $0.name == "authorization" || $0.name == "proxy-authorization" }
        let uri = request.startLine.split(separator: " ").dropFirst().first.map(String.init) ?? ""
        for name in ["authorization", "proxy-authorization"] {
            guard let uses = known[name]?.uses, let challenges = known[name]?.challenges else { continue }
            known[name]?.uses = uses + 1
            let value = client.answer(
                challenges, method: request.method, uri: uri, body: request.body,
                cnonce: String(random.next(), radix: 16), count: uses + 1)
            if let value { request.add(name, value) }
        }
    }
}
