import LinkProfiles
import MessageStore
import SIPCore

/// Place of a user in the ``LocationService``, from -1 (nobody) up; stays the same until the user is removed.
typealias UserIndex = Int32

/// The location service of RFC 3261 section 10: who our users are and where they can be reached.
///
/// A user is an address-of-record in one of our domains. Users exist with or without bindings, because deferred messages wait
/// for them too. Schemes do not matter: `sip:` and `sips:` name the same user (RFC 5630 section 5.2). Everything about a user is
/// one array of bytes; users are found through an open-addressing table of keyed hashes, and bindings expire through a heap that
/// holds one entry a user and is not touched by a refresh.
///
/// Nothing is durable in here: whoever changes it emits the ``StoreCommand``s.
final class LocationService {
    struct User {
        /// Number in the store: 0 none yet, negative when it was chosen but the store does not know it.
        var number: Int64 = 0
        /// The engine's own: index of the user's queue, -1 for none.
        var attachment: Int32 = -1
        /// Second of the user's entry in the calendar, 0 for none.
        var nextCheck: UInt32 = 0
        /// Domain, name and bindings (``UserRecordLayout``); empty for a free place.
        var record: [UInt8] = []
    }

    private(set) var domains: ServedDomains
    var users: [User] = []
    private var free: [UserIndex] = []
    private var names: AddressTable
    var calendar = ExpiryCalendar()
    var connections = ConnectionIndex()
    private var byNumber: [Int64: UserIndex]? = [:]
    /// Commands under way that name a user: one that the store may come to know stays.
    private var namings: [UserIndex: Int] = [:]
    private var lastAddress: Int64 = 0
    private var lastBinding: Int64 = 0

    /// Users, with bindings or without.
    private(set) var count = 0
    /// Bindings of all users.
    var bindingCount = 0

    /// - Parameters:
    ///   - domains: the domains we are responsible for.
    ///   - key: secret of the hash table.
    init(domains: [String], key: (UInt64, UInt64)) {
        self.domains = ServedDomains(domains)
        names = AddressTable(key: key)
    }

    // MARK: Looking up

    /// Whether a host, as written in a message, is one of our domains.
    func serves(_ host: ByteRange, in bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { domains.index(of: $0.part(host)) } != nil
    }

    /// The user whose address-of-record has this user part (escapes are decoded) and host (any case); nil for a stranger.
    /// Makes no string; the hot path of routing.
    func user(_ user: ByteRange, host: ByteRange, in bytes: [UInt8]) -> UserIndex? {
        bytes.withUnsafeBufferPointer { buffer in
            guard let domain = domains.index(of: buffer.part(host)) else { return nil }
            return find(buffer.part(user), domain: domain)
        }
    }

    /// The user with an address-of-record such as `sip:alice@example.com`.
    func user(_ addressOfRecord: String) -> UserIndex? {
        withParts(of: addressOfRecord) { user, host in
            guard let domain = domains.index(of: host) else { return nil }
            return find(user, domain: domain)
        }
    }

    // MARK: Adding and removing users

    /// The user of that name, added where new; nil when the domain is not ours, or the name is empty or beyond 255 bytes.
    func addUser(_ user: ByteRange, host: ByteRange, in bytes: [UInt8]) -> UserIndex? {
        bytes.withUnsafeBufferPointer { buffer in
            guard let domain = domains.index(of: buffer.part(host)) else { return nil }
            return add(buffer.part(user), domain: domain)
        }
    }

    /// The user with this address-of-record, added where new; nil when it is not an address-of-record of ours.
    func addUser(_ addressOfRecord: String) -> UserIndex? {
        withParts(of: addressOfRecord) { user, host in
            guard let domain = domains.index(of: host) else { return nil }
            return add(user, domain: domain)
        }
    }

    /// Forgets a user who has no bindings, no attachment and no number in the store; true when it was.
    ///
    /// A user the store knows stays, so that the address keeps its number.
    @discardableResult
    func removeIfIdle(_ index: UserIndex) -> Bool {
        guard users.indices.contains(Int(index)) else { return false }
        let user = users[Int(index)]
        guard !user.record.isEmpty, user.attachment < 0, user.number <= 0, namings[index] == nil,
            bindings(of: index).isEmpty
        else {
            return false
        }
        names.remove(index, hash: hash(of: index))
        users[Int(index)] = User()
        count -= 1
        if count == 0 {
            users = []
            free = []
            calendar.removeAll()
        } else {
            free.append(index)
        }
        return true
    }

    // MARK: What is known of a user

    /// The user's number in the store. Until the store is known to have it, the command that tells it is appended at every use:
    /// groups fail one by one, and each must stand on its own.
    func number(of index: UserIndex, naming commands: inout [StoreCommand]) -> AddressNumber {
        let known = users[Int(index)].number
        if known > 0 { return AddressNumber(known) }
        if known == 0 { lastAddress += 1 }
        let number = known == 0 ? lastAddress : -known
        users[Int(index)].number = -number
        namings[index, default: 0] += 1
        commands.append(.name(AddressNumber(number), addressOfRecord: addressOfRecord(of: index)))
        return AddressNumber(number)
    }

    /// The commit of the user's naming succeeded. Every command that names is answered by this or by
    /// ``numberWasNotStored(of:)``.
    func numberWasStored(of index: UserIndex) {
        namingEnded(of: index)
        guard users.indices.contains(Int(index)), users[Int(index)].number < 0 else { return }
        users[Int(index)].number.negate()
    }

    /// Takes back that the store knows the user's number, because the commit of its naming failed; the next use names it again,
    /// under the same number.
    func numberWasNotStored(of index: UserIndex) {
        namingEnded(of: index)
        if users[Int(index)].number > 0 { users[Int(index)].number.negate() }
    }

    private func namingEnded(of index: UserIndex) {
        guard let count = namings[index] else { return }
        namings[index] = count > 1 ? count - 1 : nil
    }

    /// The canonical address-of-record (RFC 3261 section 10.3 step 5): `sip:user@domain`, domain in lower case.
    func addressOfRecord(of index: UserIndex) -> String {
        let record = users[Int(index)].record
        guard !record.isEmpty else { return "" }
        var text: [UInt8] = Array("sip:".utf8)
        text.append(contentsOf: Escaping.escapedUser(record[UserRecordLayout.nameRange(in: record)]).utf8)
        text.append(0x40)
        text.append(contentsOf: domains.name(at: UserRecordLayout.domain(of: record)))
        return String(decoding: text, as: UTF8.self)
    }

    /// Takes what makes the address-of-record into a hash, without writing its text.
    func combineAddressOfRecord(of index: UserIndex, into hash: inout KeyedHash) {
        let record = users[Int(index)].record
        guard !record.isEmpty else { return }
        hash.combine(record[UserRecordLayout.nameRange(in: record)])
        hash.separate()
        hash.combine(domains.name(at: UserRecordLayout.domain(of: record)))
    }

    /// A number of the engine's own kept with the user; -1 for none.
    func attachment(of index: UserIndex) -> Int32 { users[Int(index)].attachment }

    func attach(_ attachment: Int32, to index: UserIndex) { users[Int(index)].attachment = attachment }

    /// The user's bindings by falling q. They may include one whose time is up but which ``advance(to:limit:)`` has not met yet.
    func bindings(of index: UserIndex) -> BindingList {
        let record = users.indices.contains(Int(index)) ? users[Int(index)].record : []
        return BindingList(record: record, start: record.isEmpty ? 0 : UserRecordLayout.bindingsStart(in: record))
    }

    /// Every user in the order of their places.
    var all: some Sequence<UserIndex> {
        users.indices.lazy.filter { !self.users[$0].record.isEmpty }.map { UserIndex($0) }
    }

    // MARK: Recovery

    /// Continues the numbering of a store; call before anything else after recovery.
    func continueNumbering(lastAddress: AddressNumber, lastBinding: BindingNumber) {
        self.lastAddress = max(self.lastAddress, lastAddress.rawValue)
        self.lastBinding = max(self.lastBinding, lastBinding.rawValue)
    }

    /// Takes an address of the store over. Its domain is accepted even if it is not ours any more, so that its messages are
    /// accounted for; nobody finds it then.
    @discardableResult
    func restore(_ number: AddressNumber, addressOfRecord: String) -> UserIndex? {
        let index = withParts(of: addressOfRecord) { user, host in
            add(user, domain: domains.index(of: host) ?? domains.addForeign(host))
        }
        guard let index else { return nil }
        users[Int(index)].number = number.rawValue
        lastAddress = max(lastAddress, number.rawValue)
        byNumber?[number.rawValue] = index
        return index
    }

    /// The user with a number in the store; only until ``endRecovery()``.
    func user(numbered number: AddressNumber) -> UserIndex? { byNumber?[number.rawValue] }

    /// Gives the memory back that only recovery needs.
    func endRecovery() { byNumber = nil }

    func nextBindingNumber() -> BindingNumber {
        lastBinding += 1
        return BindingNumber(lastBinding)
    }

    func bindingWasNumbered(_ number: BindingNumber) { lastBinding = max(lastBinding, number.rawValue) }

    // MARK: Names

    private func find(_ name: UnsafeBufferPointer<UInt8>, domain: UInt16) -> UserIndex? {
        UserPart.withDecoded(name) { name in
            names.find(names.hash(of: name, domain: domain)) { index in
                users[Int(index)].record.isNamed(name, domain: domain)
            }
        }
    }

    private func add(_ name: UnsafeBufferPointer<UInt8>, domain: UInt16) -> UserIndex? {
        UserPart.withDecoded(name) { name in
            guard !name.isEmpty, name.count <= 255 else { return nil }
            let hash = names.hash(of: name, domain: domain)
            if let known = names.find(hash, where: { users[Int($0)].record.isNamed(name, domain: domain) }) {
                return known
            }
            let index: UserIndex
            if let place = free.popLast() {
                index = place
            } else {
                guard users.count < Int(Int32.max) else { return nil }
                index = UserIndex(users.count)
                users.append(User())
            }
            users[Int(index)].record = UserRecordLayout.record(name: name, domain: domain)
            names.insert(index, hash: hash)
            count += 1
            return index
        }
    }

    private func hash(of index: UserIndex) -> UInt32 {
        let record = users[Int(index)].record
        let range = UserRecordLayout.nameRange(in: record)
        return record.withUnsafeBufferPointer {
            names.hash(of: UnsafeBufferPointer(rebasing: $0[range]), domain: UserRecordLayout.domain(of: record))
        }
    }

    private func withParts<Result>(
        of addressOfRecord: String, _ body: (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Result?
    ) -> Result? {
        let bytes = Array(addressOfRecord.utf8)
        return bytes.withUnsafeBufferPointer { buffer in
            guard let colon = buffer.firstIndex(of: 0x3A), let at = buffer.lastIndex(of: 0x40), colon < at else {
                return nil
            }
            return body(
                UnsafeBufferPointer(rebasing: buffer[(colon + 1)..<at]),
                UnsafeBufferPointer(rebasing: buffer[(at + 1)...]))
        }
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// The bytes of a range; none where it lies outside.
    func part(_ range: ByteRange) -> UnsafeBufferPointer<UInt8> {
        guard range.start <= range.end, Int(range.end) <= count else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return UnsafeBufferPointer(rebasing: self[Int(range.start)..<Int(range.end)])
    }
}
