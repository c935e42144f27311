public import MessageStore

/// Makes what an ``Account`` keeps instead of a password.
public enum AccountDigests {
    /// H(username:realm:password) for every algorithm this machine offers, by its token (RFC 7616 section 3.4.2).
    public static func make(username: String, realm: String, password: String) -> [String: String] {
        let hash = DigestHash()
        var digests: [String: String] = [:]
        let text = Array("\(username):\(realm):\(password)".utf8)
        for algorithm in DigestAlgorithm.allCases { digests[algorithm.token] = hash.hex(algorithm, of: text) }
        return digests
    }
}

extension Account {
    /// An account for `sip:username@domain` with this password, of which only digests are kept.
    public init(username: String, domain: String, realm: String, password: String, profile: String = "") {
        self.init(
            username: username, domain: domain, realm: realm,
            digests: AccountDigests.make(username: username, realm: realm, password: password), profile: profile)
    }
}
