// rooms: SigComp
// dictionary: sigcomp.dict
// link: -lcrypto
import SigComp

/// The dispatcher goes on from input to input, as a server does.
nonisolated(unsafe) let dispatcher = {
    let dispatcher = DecompressorDispatcher(
        parameters: SigCompParameters(cyclesPerBit: 16, decompressionMemorySize: 16_384, stateMemorySize: 4_096),
        limits: .init(compartments: 8, bytes: 20_000))
    for dictionary in StaticDictionary.allCases { dispatcher.states.add(dictionary) }
    return dispatcher
}()

/// The first byte says how the message arrives and whose it is; the rest is the message, or without a header its bytecode.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSigCompDecompression(_ data: UnsafePointer<UInt8>, _ size: Int) -> CInt {
    guard size > 1 else { return 0 }
    let choice = data[0]
    var message = Array(UnsafeBufferPointer(start: data + 1, count: size - 1))
    if !SigCompHeader.isSigComp(firstByte: message[0]) {
        let code = Array(message.prefix(4_095))
        guard var upload = SigCompMessageBuilder(bytecode: code, destination: 128) else { return 0 }
        upload.append(message.dropFirst(code.count))
        message = upload.bytes
    }
    decompress(message, over: choice & 1 == 0 ? .message : .stream, from: "\(choice >> 4)", accepted: choice & 2 == 0)
    deframe(message, step: Int(choice) + 1)
    return 0
}

func decompress(
    _ message: [UInt8], over transport: DecompressorDispatcher.Transport, from peer: String, accepted: Bool
) {
    do throws(DecompressionFailure) {
        guard case .message(let result) = try dispatcher.receive(message, over: transport) else { return }
        let limit = (8 * message.count + 1_000) * dispatcher.parameters.cyclesPerBit
        precondition(result.cycles <= limit, "more cycles than there are")
        precondition((result.output?.count ?? 0) <= 65_536, "more output than allowed")
        if accepted { dispatcher.accept(result, for: CompartmentIdentifier(peer)) }
    } catch {
        guard let nack = dispatcher.negativeAcknowledgement(of: error, to: message) else { return }
        guard case .negativeAcknowledgement = try? dispatcher.receive(nack.bytes) else {
            preconditionFailure("a NACK that cannot be read")
        }
    }
    precondition(dispatcher.states.usedBytes <= 20_000 && dispatcher.states.compartmentCount <= 8, "unbounded state")
}

/// What is marked is read again, however the stream is cut.
func deframe(_ message: [UInt8], step: Int) {
    var stream: [UInt8] = []
    RecordMarking.append(message, to: &stream)
    var deframer = RecordDeframer()
    var read: [[UInt8]] = []
    for start in stride(from: 0, to: stream.count, by: step) {
        deframer.append(stream[start..<min(start + step, stream.count)])
        while let next = try? deframer.next() { read.append(next) }
    }
    precondition(read == [message], "record marking does not round-trip")
    var hostile = RecordDeframer(messageLimit: 1_000)
    hostile.append(message)
    while let next = try? hostile.next() { precondition(next.count <= 1_000, "a message over the limit") }
}
