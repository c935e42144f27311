import ArgumentParser
import Foundation

/// How bytes are written in a file.
enum ByteForm: String, ExpressibleByArgument, CaseIterable {
    case hex, binary
}

/// Bytes from a file or from standard input, and what to call their origin in a complaint.
struct ByteInput {
    let name: String
    let bytes: [UInt8]

    /// - Parameter path: `-` is standard input.
    /// - Throws: the exit code, with the reason printed.
    static func read(_ path: String) throws -> ByteInput {
        if path == "-" {
            guard let data = try? FileHandle.standardInput.readToEnd() ?? Data() else {
                throw failing(ExitStatus.ioError, "standard input cannot be read")
            }
            return ByteInput(name: "standard input", bytes: Array(data))
        }
        guard FileManager.default.fileExists(atPath: path) else {
            throw failing(ExitStatus.noInput, "\(path): no such file")
        }
        do {
            return ByteInput(name: path, bytes: Array(try Data(contentsOf: URL(filePath: path))))
        } catch {
            throw failing(ExitStatus.ioError, "\(path): cannot be read")
        }
    }

    /// The content: of hexadecimal text a piece for each line that has bytes, with its line; else one piece.
    ///
    /// - Parameter form: nil to find it out: what is text throughout is taken as hexadecimal.
    /// - Throws: the exit code, with the reason printed, for text that is not hexadecimal.
    func pieces(_ form: ByteForm?) throws -> [(line: Int?, bytes: [UInt8])] {
        let isText = bytes.allSatisfy { (0x20...0x7E).contains($0) || (0x09...0x0D).contains($0) }
        guard form ?? (isText ? .hex : .binary) == .hex else { return [(nil, bytes)] }
        var pieces: [(line: Int?, bytes: [UInt8])] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let text = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: "#") }
            guard let piece = HexadecimalBytes(argument: String(decoding: text, as: UTF8.self)) else {
                throw failing(ExitStatus.dataDamaged, "\(name):\(index + 1): this is not hexadecimal text")
            }
            if !piece.bytes.isEmpty { pieces.append((index + 1, piece.bytes)) }
        }
        return pieces
    }

    /// The content as a whole.
    func content(_ form: ByteForm?) throws -> [UInt8] { try pieces(form).flatMap(\.bytes) }
}

/// Writes bytes to standard output as they are.
///
/// - Throws: the exit code, with the reason printed.
func writeBytes(_ bytes: Data) throws {
    do { try FileHandle.standardOutput.write(contentsOf: bytes) } catch {
        throw failing(ExitStatus.ioError, "standard output cannot be written")
    }
}

/// Bytes as pairs of hexadecimal digits; white space may stand between them, and `0x` before them.
struct HexadecimalBytes: ExpressibleByArgument {
    let bytes: [UInt8]

    init?(argument: String) {
        var bytes: [UInt8] = []
        for word in argument.split(whereSeparator: \.isWhitespace) {
            let digits = Array((word.hasPrefix("0x") ? word.dropFirst(2) : word).utf8)
            guard digits.count.isMultiple(of: 2) else { return nil }
            for index in stride(from: 0, to: digits.count, by: 2) {
                guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else { return nil }
                bytes.append(high << 4 | low)
            }
        }
        self.bytes = bytes
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension Collection<UInt8> {
    /// Two lower-case digits for each byte, without spaces.
    var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
