public import MessageStore

/// The accounts users authenticate with, packed: about 120 bytes each. Immutable; a changed set makes a new directory.
public struct AccountDirectory: Sendable {
    /// Addresses of accounts that were left out, because a digest was not of its algorithm's length or a name was too long.
    public private(set) var refused: [String] = []

    private var entries: [Entry] = []
    private var text: [UInt8] = []
    private var places: [UInt32] = []
    private var domains: [String] = []
    private var domainBytes: [[UInt8]] = []
    private var realms: [[UInt8]] = []
    private var profiles: [String] = []

    private struct Entry: Sendable {
        /// Offset of the name in `text`; the digests follow it in the order of ``DigestAlgorithm``.
        var offset: UInt32
        var nameLength: UInt16
        var domain: UInt16
        var realm: UInt16
        var profile: UInt16
        var algorithms: UInt8
    }

    /// Of two accounts with the same name and domain the later one counts.
    public init(_ accounts: some Sequence<Account>) {
        for account in accounts { add(account) }
        build()
    }

    public var count: Int { entries.count }
    public var isEmpty: Bool { entries.isEmpty }

    /// Whether there is an account of that name in that domain.
    public func contains(username: String, domain: String) -> Bool {
        find(Array(username.utf8)[...], domain: Array(domain.utf8)[...]) != nil
    }

    // MARK: For the authenticator

    /// The link profile named in an account; nil when there is no such account or it names none.
    public func profile(username: String, domain: String) -> String? {
        guard let account = find(Array(username.utf8)[...], domain: Array(domain.lowercased().utf8)[...]) else {
            return nil
        }
        let name = user(account).profile
        return name.isEmpty ? nil : name
    }

    /// The account of that name in that domain, which may be in any case.
    func find(_ username: ArraySlice<UInt8>, domain: ArraySlice<UInt8>) -> Int? {
        guard let index = domainBytes.firstIndex(where: { $0.count == domain.count && $0.matchesFolded(domain) }) else {
            return nil
        }
        return find(username, domainIndex: index)
    }

    /// The account of that name in any of the domains, the earliest named first.
    func find(_ username: ArraySlice<UInt8>) -> Int? {
        for index in domainBytes.indices {
            if let found = find(username, domainIndex: index) { return found }
        }
        return nil
    }

    func realm(of account: Int) -> [UInt8] { realms[Int(entries[account].realm)] }

    /// Appends H(username:realm:password) in lower-case hex; false when the account has no digest of that algorithm.
    func appendDigest(of account: Int, _ algorithm: DigestAlgorithm, to output: inout [UInt8]) -> Bool {
        let entry = entries[account]
        guard entry.algorithms & algorithm.bit != 0 else { return false }
        var at = Int(entry.offset) + Int(entry.nameLength)
        for other in DigestAlgorithm.allCases
        where other.rawValue < algorithm.rawValue && entry.algorithms & other.bit != 0 {
            at += other.length
        }
        for byte in text[at..<at + algorithm.length] {
            output.append(Hex.digit(byte >> 4))
            output.append(Hex.digit(byte & 15))
        }
        return true
    }

    func hasDigest(of account: Int, _ algorithm: DigestAlgorithm) -> Bool {
        entries[account].algorithms & algorithm.bit != 0
    }

    func user(_ account: Int) -> AuthenticatedUser {
        let entry = entries[account]
        let start = Int(entry.offset)
        return AuthenticatedUser(
            username: String(decoding: text[start..<start + Int(entry.nameLength)], as: UTF8.self),
            domain: domains[Int(entry.domain)], profile: profiles[Int(entry.profile)])
    }

    // MARK: Building

    private mutating func add(_ account: Account) {
        let name = Array(account.username.utf8)
        var algorithms: UInt8 = 0
        var digests: [UInt8] = []
        for algorithm in DigestAlgorithm.allCases {
            guard let written = account.digests[algorithm.token] else { continue }
            guard let digest = Hex.bytes(written), digest.count == algorithm.length else {
                refused.append("\(account.username)@\(account.domain)")
                return
            }
            algorithms |= algorithm.bit
            digests += digest
        }
        guard !name.isEmpty, name.count <= 255, text.count < Int(UInt32.max) / 2,
            let domain = domainIndex(account.domain),
            let realm = Self.index(of: Array(account.realm.utf8), in: &realms),
            let profile = Self.index(of: account.profile, in: &profiles)
        else {
            refused.append("\(account.username)@\(account.domain)")
            return
        }
        entries.append(
            Entry(
                offset: UInt32(text.count), nameLength: UInt16(name.count), domain: domain, realm: realm,
                profile: profile,
                algorithms: algorithms))
        text += name
        text += digests
    }

    private mutating func domainIndex(_ domain: String) -> UInt16? {
        let index = Self.index(of: domain.lowercased(), in: &domains)
        if domains.count > domainBytes.count { domainBytes.append(Array(domain.lowercased().utf8)) }
        return index
    }

    private static func index<Value: Equatable>(of value: Value, in list: inout [Value]) -> UInt16? {
        if let known = list.lastIndex(of: value) { return UInt16(known) }
        guard list.count < Int(UInt16.max) else { return nil }
        list.append(value)
        return UInt16(list.count - 1)
    }

    private mutating func build() {
        var size = 64
        while size < entries.count * 2 { size *= 2 }
        places = [UInt32](repeating: 0, count: size)
        for (index, entry) in entries.enumerated() {
            let name = text[Int(entry.offset)..<Int(entry.offset) + Int(entry.nameLength)]
            var place = Self.hash(name, domain: Int(entry.domain)) & (size - 1)
            while places[place] != 0, !isNamed(Int(places[place]) - 1, name, domain: Int(entry.domain)) {
                place = (place + 1) & (size - 1)
            }
            places[place] = UInt32(index + 1)
        }
        text = text.copiedTightly()
        entries = entries.copiedTightly()
    }

    private func find(_ username: ArraySlice<UInt8>, domainIndex: Int) -> Int? {
        let mask = places.count - 1
        var place = Self.hash(username, domain: domainIndex) & mask
        while places[place] != 0 {
            let index = Int(places[place]) - 1
            if isNamed(index, username, domain: domainIndex) { return index }
            place = (place + 1) & mask
        }
        return nil
    }

    private func isNamed(_ index: Int, _ name: ArraySlice<UInt8>, domain: Int) -> Bool {
        let entry = entries[index]
        let start = Int(entry.offset)
        return Int(entry.domain) == domain && Int(entry.nameLength) == name.count
            && text[start..<start + name.count] == name
    }

    private static func hash(_ name: ArraySlice<UInt8>, domain: Int) -> Int {
        var state = 0xCBF2_9CE4_8422_2325 ^ UInt64(domain)
        for byte in name { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        state ^= state >> 29
        return Int(truncatingIfNeeded: state & 0x7FFF_FFFF)
    }
}

extension DigestAlgorithm {
    fileprivate var bit: UInt8 { 1 << rawValue }
}

extension Array {
    /// The same elements in memory of just their size.
    fileprivate func copiedTightly() -> [Element] {
        var copy: [Element] = []
        copy.reserveCapacity(count)
        copy.append(contentsOf: self)
        return copy
    }
}

extension [UInt8] {
    /// Whether `other`, of the same length, is this lower-case text in any case.
    fileprivate func matchesFolded(_ other: ArraySlice<UInt8>) -> Bool {
        zip(self, other).allSatisfy { $0 == ($1 >= 0x41 && $1 <= 0x5A ? $1 | 0x20 : $1) }
    }
}
