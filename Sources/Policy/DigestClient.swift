public import SIPCore

/// The client's side of digest authentication (RFC 7616 section 3.4): answers a challenge. For Godwit's own client and tests.
public struct DigestClient {
    public var username: String
    public var password: String
    private let digest = DigestResponse()

    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// The value of an Authorization or Proxy-Authorization field that answers the first challenge we can serve (RFC 8760
    /// section 2.4); nil when there is none.
    /// - Parameters:
    ///   - challenges: values of WWW-Authenticate or Proxy-Authenticate, in order.
    ///   - uri: the Request-URI as sent.
    ///   - cnonce: a fresh random text of hex digits.
    ///   - count: how often this nonce was used, this time included.
    public func answer(
        _ challenges: [AuthorizationHeader], method: String, uri: String, body: [UInt8] = [], cnonce: String,
        count: UInt32 = 1
    ) -> String? {
        for challenge in challenges where challenge.isScheme("Digest") {
            if let value = answer(challenge, method: method, uri: uri, body: body, cnonce: cnonce, count: count) {
                return value
            }
        }
        return nil
    }

    private func answer(
        _ challenge: AuthorizationHeader, method: String, uri: String, body: [UInt8], cnonce: String, count: UInt32
    ) -> String? {
        let token = challenge.parameters["algorithm"] ?? "MD5"
        guard let algorithm = DigestAlgorithm(token: token), let realm = challenge.parameters["realm"],
            let nonce = challenge.parameters["nonce"], let qop = qop(challenge.parameters["qop"])
        else { return nil }
        let digits = String(count, radix: 16)
        let nc = String(repeating: "0", count: max(0, 8 - digits.count)) + digits
        let parts = DigestResponse.Parts(
            nonce: Array(nonce.utf8)[...], count: Array(nc.utf8)[...], cnonce: Array(cnonce.utf8)[...],
            qop: Array(qop.utf8)[...], method: Array(method.utf8)[...], uri: Array(uri.utf8)[...],
            body: qop == "auth-int" ? body[...] : nil)
        let secret = Array("\(username):\(realm):\(password)".utf8)
        let response = digest.response(algorithm, parts) { digest.hash.appendHex(algorithm, of: secret, to: &$0) }
        guard let response else { return nil }
        var value =
            "Digest username=\(quoted(username)), realm=\(quoted(realm)), nonce=\(quoted(nonce)), uri=\(quoted(uri)), "
        value += "response=\"\(String(decoding: response, as: UTF8.self))\", algorithm=\(algorithm.token), "
        value += "cnonce=\(quoted(cnonce)), qop=\(qop), nc=\(nc)"
        if let opaque = challenge.parameters["opaque"] { value += ", opaque=\(quoted(opaque))" }
        return value
    }

    private func qop(_ offered: String?) -> String? {
        let options = (offered ?? "").split(separator: ",").map { String($0.filter { $0 != " " }).lowercased() }
        return options.contains("auth") ? "auth" : options.contains("auth-int") ? "auth-int" : nil
    }

    private func quoted(_ text: String) -> String {
        var bytes: [UInt8] = []
        QuotedText.append(Array(text.utf8)[...], to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }
}
