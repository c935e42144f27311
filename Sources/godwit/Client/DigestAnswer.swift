import Policy
import SIPCore

/// Answers digest challenges (RFC 7616, RFC 8760): the first algorithm offered that this machine knows.
struct DigestAnswer {
    let username: String
    let password: String
    private let hash = DigestHash()

    init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// The header line to repeat the request with; nil when no challenge can be answered.
    func header(for response: SIPMessage, method: SIPMethod, uri: String, cnonce: String) -> String? {
        let isProxy = response.statusCode == 407
        let name: HeaderName = isProxy ? .proxyAuthenticate : .wwwAuthenticate
        for field in response.fields where field.name == name {
            guard let challenge = AuthorizationHeader(field.value, of: response), challenge.isScheme("Digest"),
                let algorithm = DigestAlgorithm(token: challenge.parameters["algorithm"] ?? "MD5"),
                let realm = challenge.parameters["realm"], let nonce = challenge.parameters["nonce"]
            else { continue }
            let offered = (challenge.parameters["qop"] ?? "").split(separator: ",").map { part in
                part.filter { $0 != " " }
            }
            let hasQuality = offered.contains("auth")
            if !offered.isEmpty, !hasQuality { continue }
            guard let secret = hex(algorithm, "\(username):\(realm):\(password)"),
                let request = hex(algorithm, "\(method.text):\(uri)")
            else { continue }
            let count = "00000001"
            let text =
                hasQuality ? "\(secret):\(nonce):\(count):\(cnonce):auth:\(request)" : "\(secret):\(nonce):\(request)"
            guard let answer = hex(algorithm, text) else { continue }
            var line = isProxy ? "Proxy-Authorization" : "Authorization"
            line += ": Digest username=\(QuotedString.quoted(username)), realm=\(QuotedString.quoted(realm))"
            line += ", nonce=\(QuotedString.quoted(nonce)), uri=\(QuotedString.quoted(uri))"
            line += ", algorithm=\(algorithm.token), response=\"\(answer)\""
            if hasQuality { line += ", qop=auth, nc=\(count), cnonce=\"\(cnonce)\"" }
            if let opaque = challenge.parameters["opaque"] { line += ", opaque=\(QuotedString.quoted(opaque))" }
            return line + "\r\n"
        }
        return nil
    }

    private func hex(_ algorithm: DigestAlgorithm, _ text: String) -> String? {
        hash.hex(algorithm, of: Array(text.utf8))
    }
}
