import ArgumentParser
import Foundation
import SIPCore

/// Files with SIP messages, one in each, in the order in which they are sent.
struct SIPMessageFiles: ParsableArguments {
    @Argument(
        help:
            "Files with one SIP message each, in their order, or directories with such files (*.sip, sorted by name).",
        completion: .file())
    var paths: [String]

    /// A message with its name and its way.
    struct Item {
        var name: String
        var bytes: [UInt8]
        /// From the first end to the second.
        var isUp: Bool
        var type: MessageType
    }

    /// - Throws: the exit code, with the reason printed.
    func items() throws -> [Item] {
        guard !paths.isEmpty else { throw failing(ExitStatus.usage, "there are no files") }
        return try paths.flatMap(files).map { path in
            let input = try ByteInput.read(path)
            guard case .message(let message) = SIPMessage.parse(input.bytes) else {
                throw failing(ExitStatus.dataDamaged, "\(path): this is no SIP message")
            }
            return Item(
                name: path, bytes: input.bytes, isUp: Self.isUp(path, message), type: MessageType(of: message))
        }
    }

    private func files(_ path: String) throws -> [String] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
            return [path]
        }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let messages = names.filter { $0.hasSuffix(".sip") }.sorted()
        guard !messages.isEmpty else { throw failing(ExitStatus.noInput, "\(path): there is no *.sip in it") }
        return messages.map { "\(path)/\($0)" }
    }

    /// By the name where it says `-up-` or `-down-`; else requests go up and responses down.
    private static func isUp(_ path: String, _ message: SIPMessage) -> Bool {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        if name.contains("-up-") { return true }
        return name.contains("-down-") ? false : message.isRequest
    }
}

/// What kind of message it is: a request by its method, a response by method and status.
struct MessageType: Hashable, Comparable {
    var method: String
    /// 0 for a request.
    var status: UInt16

    init(of message: SIPMessage) {
        method = message.isRequest ? message.text(message.methodText) : message.text(message.cseqMethod)
        status = message.statusCode
    }

    var text: String { status == 0 ? method : "\(method) \(status)" }

    static func < (a: MessageType, b: MessageType) -> Bool { (a.method, a.status) < (b.method, b.status) }
}

/// Tells a request that repeats an earlier one of its dialog or registration: a re-REGISTER, a re-SUBSCRIBE, the next NOTIFY.
struct RefreshDetector {
    private var seen: Set<String> = []

    mutating func isRefresh(_ item: SIPMessageFiles.Item) -> Bool {
        guard item.type.status == 0, ["REGISTER", "SUBSCRIBE", "NOTIFY"].contains(item.type.method),
            case .message(let message) = SIPMessage.parse(item.bytes)
        else { return false }
        return !seen.insert("\(item.type.method) \(message.text(message.callID))").inserted
    }
}
