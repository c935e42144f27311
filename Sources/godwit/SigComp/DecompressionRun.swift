import Foundation
import SigComp

/// Decompresses one message after the other as one peer's, each with the states that those before have left.
struct DecompressionRun {
    private static let peer = CompartmentIdentifier("peer")
    let dispatcher: DecompressorDispatcher
    let transport: DecompressorDispatcher.Transport

    /// - Parameter observe: is shown every instruction.
    func take(_ name: String, _ bytes: [UInt8], observing observe: ((ExecutionStep) -> Void)? = nil) -> MessageReport {
        do throws(DecompressionFailure) {
            switch try receive(bytes, observe) {
            case .message(let message): return accept(message, name)
            case .negativeAcknowledgement(let nack):
                var report = MessageReport(message: name, result: "nack", compressedLength: bytes.count)
                report.failure = MessageReport.Failure(nack.failure)
                report.about = nack.messageHash.description
                return report
            }
        } catch {
            var report = MessageReport(message: name, result: "failed", compressedLength: bytes.count)
            report.failure = MessageReport.Failure(
                error, answer: dispatcher.negativeAcknowledgement(of: error, to: bytes))
            return report
        }
    }

    private func receive(_ bytes: [UInt8], _ observe: ((ExecutionStep) -> Void)?) throws(DecompressionFailure)
        -> ReceivedSigComp
    {
        if let observe, let program = try? SigCompHeader(reading: bytes).program, Self.isExecuted(program) {
            return .message(try dispatcher.decompress(bytes, over: transport, observing: observe))
        }
        return try dispatcher.receive(bytes, over: transport)
    }

    /// A message that uploads nothing may be a NACK, which is not executed.
    private static func isExecuted(_ program: SigCompHeader.Program) -> Bool {
        if case .bytecode(let code, _) = program { return !code.isEmpty }
        return true
    }

    private func accept(_ message: DecompressedMessage, _ name: String) -> MessageReport {
        dispatcher.accept(message, for: Self.peer)
        var report = MessageReport(message: name, result: "decompressed", compressedLength: message.compressedLength)
        report.length = message.output?.count
        report.cycles = message.cycles
        report.program = message.programState?.description
        report.output = message.output.map { Data($0) }
        if let compartment = dispatcher.states.compartment(Self.peer) {
            let hash = dispatcher.states.store.hash
            report.states = message.requests.map { MessageReport.State($0, compartment, hash) }
        }
        report.requestedFeedback = message.requestedFeedback.map { MessageReport.RequestedFeedback($0) }
        report.returnedFeedbackItem = message.returnedFeedbackItem?.hexadecimal
        report.returnedParameters = message.returnedParameters.map { MessageReport.ReturnedParameters($0) }
        return report
    }
}
