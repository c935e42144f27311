// rooms: SIPCore
// seeds: sip/rfc4475/*.dat sip/rfc5118/*.dat
// dictionary: sip.dict
import SIPCore

/// Frames the input at once and in pieces, whose lengths its first byte chooses: both must give the same items.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzStreamFramer(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 0 else { return 0 }
    let step = Int(data[0]) + 1
    let stream = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    let whole = frame(stream, step: max(1, stream.count))
    let pieces = frame(stream, step: step)
    precondition(whole.items == pieces.items, "framing depends on the cuts")
    precondition(whole.failure == pieces.failure, "failing depends on the cuts")
    for case .message(let bytes) in whole.items { _ = SIPMessage.parse(bytes) }
    return 0
}

func frame(_ stream: [UInt8], step: Int) -> (items: [FramedItem], failure: SyntaxFailure?) {
    var framer = StreamFramer(limits: ParserLimits(headerBytes: 2_000, messageBytes: 4_000))
    var items: [FramedItem] = []
    for start in stride(from: 0, to: stream.count, by: step) {
        framer.append(stream[start..<min(start + step, stream.count)])
        do {
            while let item = try framer.next() { items.append(item) }
        } catch {
            return (items, error)
        }
    }
    precondition(framer.bufferedCount <= 4_000, "a framer that keeps more than its limit")
    return (items, nil)
}
