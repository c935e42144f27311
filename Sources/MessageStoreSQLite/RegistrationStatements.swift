import GRDB
import LinkProfiles
import MessageStore

/// The statements that change addresses and bindings.
struct RegistrationStatements {
    private let insertAddress: PreparedStatement
    private let selectAddress: PreparedStatement
    private let replaceBinding: PreparedStatement
    private let deleteBinding: PreparedStatement

    init(_ database: Database, path: String) throws {
        insertAddress = try PreparedStatement(
            database, "INSERT OR IGNORE INTO address (number, aor) VALUES (?, ?)", path: path)
        selectAddress = try PreparedStatement(database, "SELECT aor FROM address WHERE number = ?", path: path)
        replaceBinding = try PreparedStatement(
            database,
            """
            INSERT OR REPLACE INTO binding (number, address, contact, parameters, call_id, cseq, q, expires_at, path,
                instance, reg_id, flow) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, path: path)
        deleteBinding = try PreparedStatement(database, "DELETE FROM binding WHERE number = ?", path: path)
    }

    /// Naming a number again as it is named already changes nothing.
    func name(_ number: AddressNumber, _ addressOfRecord: String) throws(StoreFailure) {
        insertAddress.bind(1, number.rawValue)
        insertAddress.bind(2, copyOf: addressOfRecord)
        try insertAddress.run()
        guard insertAddress.changes == 0 else { return }
        selectAddress.bind(1, number.rawValue)
        guard try selectAddress.next() else {
            throw .misuse("address \(number.rawValue) cannot be named \"\(addressOfRecord)\"")
        }
        let known = selectAddress.text(0)
        selectAddress.reset()
        guard known == addressOfRecord else {
            throw .misuse("address \(number.rawValue) is \(known), not \(addressOfRecord)")
        }
    }

    func bind(_ binding: StoredBinding) throws(StoreFailure) {
        replaceBinding.bind(1, binding.number.rawValue)
        replaceBinding.bind(2, binding.address.rawValue)
        replaceBinding.bind(3, copyOf: binding.contact)
        replaceBinding.bind(4, copyOf: binding.parameters)
        replaceBinding.bind(5, copyOf: binding.callID)
        replaceBinding.bind(6, Int64(binding.cseq))
        replaceBinding.bind(7, Int64(binding.q))
        replaceBinding.bind(8, binding.expiresAt)
        replaceBinding.bind(9, copyOf: binding.path)
        replaceBinding.bind(10, copyOf: binding.instance)
        replaceBinding.bind(11, Int64(binding.regID))
        replaceBinding.bind(12, copyOf: binding.flow)
        try replaceBinding.run()
    }

    /// Whether there was such a binding.
    func unbind(_ number: BindingNumber) throws(StoreFailure) -> Bool {
        deleteBinding.bind(1, number.rawValue)
        try deleteBinding.run()
        return deleteBinding.changes > 0
    }
}
