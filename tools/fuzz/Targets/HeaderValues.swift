// rooms: SIPCore
// seeds: sip/rfc4475/*.dat
// dictionary: sip.dict
import SIPCore

/// Reads every line of the input as each kind of header value; what is accepted must print as it reads.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHeaderValues(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: size))
    for line in bytes.split(separator: 0x0a) {
        check(Array(line))
        if let colon = line.firstIndex(of: UInt8(ascii: ":")) { check(Array(line[(colon + 1)...])) }
    }
    check(bytes)
    return 0
}

func check(_ value: [UInt8]) {
    if let uri = SIPURI(value) {
        precondition(SIPURI(parsing: uri.description) == uri, "a URI that does not print as it reads")
        precondition(uri.matches(uri), "a URI that is not itself")
    }
    if let address = NameAddress(parsing: value) {
        precondition(NameAddress(parsing: address.description) == address, "a name-addr that does not print")
    }
    if let header = AuthorizationHeader(parsing: value) {
        precondition(
            AuthorizationHeader(parsing: header.description.utf8) == header, "credentials that do not print")
    }
    if let list = ParameterList(parsing: value[...]) {
        precondition(ParameterList(parsing: Array(list.description.utf8)[...]) == list, "parameters that do not print")
    }
    if let address = IPAddress(parsing: value[...]) {
        precondition(IPAddress(parsing: address.description) == address, "an IP address that does not print")
    }
    let text = String(decoding: value, as: UTF8.self)
    if let time = SIPDate.parse(text) {
        precondition(SIPDate.parse(SIPDate.format(time)) == time, "a date that does not print as it reads")
    }
    if let address = TransportAddress(parsing: text) {
        precondition(TransportAddress(parsing: address.description) == address, "an address that does not print")
    }
    _ = HeaderName(text)
}
