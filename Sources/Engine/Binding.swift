import LinkProfiles
import MessageStore
import SIPCore

/// How a binding's device is reached.
enum BindingRoute: Hashable {
    /// By the flow its registration came by (RFC 5626 section 5.3; also what crosses a NAT).
    case flow(Flow)
    /// By the contact's URI or the Path, found by RFC 3263: the flow is not known any more, or never was.
    case contact
    /// Not at all until it registers again: it registered for one outbound flow, and that flow is gone.
    case lost
}

/// One contact of an address-of-record as the location service holds it: a view on the bytes of its user's record, good for as
/// long as it is kept, whatever happens to the registration meanwhile.
struct Binding {
    let record: [UInt8]
    /// Offset of the binding in `record`.
    let offset: Int

    var number: BindingNumber { BindingNumber(field(BindingLayout.number, as: Int64.self)) }
    /// The unix second from which on the binding has expired.
    var expiresAtSecond: UInt32 { field(BindingLayout.expiry, as: UInt32.self) }
    var expiresAt: Instant { Instant(microseconds: Int64(expiresAtSecond) * 1_000_000) }
    var cseq: UInt32 { field(BindingLayout.cseq, as: UInt32.self) }
    /// q in thousandths, 0 to 1000.
    var q: UInt16 { field(BindingLayout.q, as: UInt16.self) }
    /// `reg-id`, 0 when there is none or it was not to be applied.
    var regID: UInt32 { field(BindingLayout.regID, as: UInt32.self) }
    /// Whether the binding is one outbound flow of an instance (RFC 5626 section 6).
    var isOutbound: Bool { regID != 0 }
    /// Whether the contact is a `sips` URI.
    var isSecure: Bool { contact.starts(with: [0x73, 0x69, 0x70, 0x73, 0x3A]) }

    /// The contact's URI as registered, byte for byte: the Request-URI of what is sent to the device.
    var contact: ArraySlice<UInt8> { text(0, length: BindingLayout.contactLength) }
    var callID: ArraySlice<UInt8> { text(contact.count, length: BindingLayout.callIDLength) }
    /// Values of the Path header, comma separated, to be put first into Route (RFC 3327 section 5.4); empty for none.
    var path: ArraySlice<UInt8> { text(contact.count + callID.count, length: BindingLayout.pathLength) }
    /// Contact parameters other than q and expires, each with its `;` in front.
    var parameters: ArraySlice<UInt8> {
        text(contact.count + callID.count + path.count, length: BindingLayout.parametersLength)
    }
    /// `+sip.instance` without quotes and brackets; empty when there is none.
    var instance: ArraySlice<UInt8> {
        text(Int(field(BindingLayout.instanceOffset, as: UInt16.self)), length: BindingLayout.instanceLength)
    }

    var route: BindingRoute {
        switch record[offset + BindingLayout.flowKind] {
        case BindingLayout.flowPresent: flow.map { .flow($0) } ?? .contact
        case BindingLayout.flowLost: .lost
        default: .contact
        }
    }

    /// The flow the registration came by, while it exists.
    var flow: Flow? {
        guard record[offset + BindingLayout.flowKind] == BindingLayout.flowPresent,
            let transport = SIPTransport(rawValue: record[offset + BindingLayout.transport])
        else { return nil }
        return Flow(
            transport: transport, listener: field(BindingLayout.listener, as: UInt16.self),
            connection: field(BindingLayout.connection, as: UInt64.self),
            remote: TransportAddress(
                ip: IPAddress(
                    high: field(BindingLayout.remoteHigh, as: UInt64.self),
                    low: field(BindingLayout.remoteLow, as: UInt64.self)),
                port: field(BindingLayout.remotePort, as: UInt16.self)))
    }

    /// Length of the binding in the record.
    var length: Int { Int(field(BindingLayout.length, as: UInt32.self)) }
    /// The binding's own bytes.
    var bytes: ArraySlice<UInt8> { record[offset..<offset + length] }

    private func text(_ start: Int, length: Int) -> ArraySlice<UInt8> {
        let from = offset + BindingLayout.fixed + start
        return record[from..<from + Int(field(length, as: UInt16.self))]
    }

    private func field<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, as type: T.Type) -> T {
        record.word(at: offset + at, as: type)
    }
}

/// The contacts of one user by falling q, the latest registered first among equals (RFC 3261 section 16.6).
struct BindingList: Sequence {
    let record: [UInt8]
    let start: Int

    var isEmpty: Bool { start >= record.count }
    var first: Binding? { isEmpty ? nil : Binding(record: record, offset: start) }
    var count: Int { reduce(0) { sum, _ in sum + 1 } }

    func makeIterator() -> Iterator { Iterator(record: record, offset: start) }

    struct Iterator: IteratorProtocol {
        let record: [UInt8]
        var offset: Int

        mutating func next() -> Binding? {
            guard offset < record.count else { return nil }
            let binding = Binding(record: record, offset: offset)
            offset += binding.length
            return binding
        }
    }
}

/// Where the fields of a binding lie behind its start. The texts follow the fixed part: contact, Call-ID, Path, parameters,
/// and the instance where it is not found inside the parameters.
enum BindingLayout {
    static let length = 0
    static let number = 4
    static let expiry = 12
    static let cseq = 16
    static let q = 20
    static let flowKind = 22
    static let transport = 23
    static let listener = 24
    static let remotePort = 26
    static let connection = 28
    static let remoteHigh = 36
    static let remoteLow = 44
    static let regID = 52
    static let contactLength = 56
    static let callIDLength = 58
    static let pathLength = 60
    static let parametersLength = 62
    static let instanceOffset = 64
    static let instanceLength = 66
    static let fixed = 68

    static let flowAbsent: UInt8 = 0
    static let flowPresent: UInt8 = 1
    static let flowLost: UInt8 = 2
}

extension [UInt8] {
    /// Reads an integer in host order at any offset.
    @inline(__always)
    func word<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type) -> T {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count)
        return withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
    }

    /// Writes an integer in host order at any offset.
    @inline(__always)
    mutating func setWord<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= count)
        withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: T.self) }
    }

    mutating func appendWord<T: FixedWidthInteger & BitwiseCopyable>(_ value: T) {
        Swift.withUnsafeBytes(of: value) { append(contentsOf: $0) }
    }
}
