import LinkProfiles
import MessageStore
import SIPCore

/// Everything there is to write about one binding, before it is packed into its user's record.
struct BindingRecord {
    var number: BindingNumber
    var expiresAtSecond: UInt32
    var cseq: UInt32
    var q: UInt16
    var regID: UInt32
    var contact: ArraySlice<UInt8>
    var callID: ArraySlice<UInt8>
    var path: ArraySlice<UInt8>
    var parameters: ArraySlice<UInt8>
    var instance: ArraySlice<UInt8>
    var route: BindingRoute

    /// Texts longer than this do not fit the packed form.
    static let longestText = 60_000

    /// Whether the texts fit the packed form.
    var isStorable: Bool {
        contact.count + callID.count + path.count + parameters.count + instance.count <= Self.longestText
    }

    /// The packed form (``BindingLayout``).
    func packed() -> [UInt8] {
        let texts = contact.count + callID.count + path.count + parameters.count
        let inside = instance.isEmpty ? nil : parameters.offset(of: instance)
        let length = BindingLayout.fixed + texts + (inside == nil ? instance.count : 0)
        var bytes = [UInt8]()
        bytes.reserveCapacity(length)
        bytes.appendWord(UInt32(truncatingIfNeeded: length))
        bytes.appendWord(number.rawValue)
        bytes.appendWord(expiresAtSecond)
        bytes.appendWord(cseq)
        bytes.appendWord(q)
        appendRoute(to: &bytes)
        bytes.appendWord(regID)
        for text in [contact, callID, path, parameters] { bytes.appendWord(UInt16(truncatingIfNeeded: text.count)) }
        let instanceOffset = inside.map { contact.count + callID.count + path.count + $0 } ?? texts
        bytes.appendWord(UInt16(truncatingIfNeeded: instanceOffset))
        bytes.appendWord(UInt16(truncatingIfNeeded: instance.count))
        for text in [contact, callID, path, parameters] { bytes.append(contentsOf: text) }
        if inside == nil { bytes.append(contentsOf: instance) }
        return bytes
    }

    private func appendRoute(to bytes: inout [UInt8]) {
        let flow: Flow?
        switch route {
        case .flow(let known):
            bytes.append(BindingLayout.flowPresent)
            flow = known
        case .contact:
            bytes.append(BindingLayout.flowAbsent)
            flow = nil
        case .lost:
            bytes.append(BindingLayout.flowLost)
            flow = nil
        }
        bytes.append(flow?.transport.rawValue ?? 0)
        bytes.appendWord(flow?.listener ?? 0)
        bytes.appendWord(flow?.remote.port ?? 0)
        bytes.appendWord(flow?.connection ?? 0)
        bytes.appendWord(flow?.remote.ip.high ?? 0)
        bytes.appendWord(flow?.remote.ip.low ?? 0)
    }
}

extension ArraySlice<UInt8> {
    /// Where `part` first begins in here, counted from the slice's start.
    fileprivate func offset(of part: ArraySlice<UInt8>) -> Int? {
        guard let head = part.first, part.count <= count else { return nil }
        let last = endIndex - part.count
        var at = startIndex
        while at <= last {
            if self[at] == head, self[at..<at + part.count] == part { return at - startIndex }
            at += 1
        }
        return nil
    }
}
