import CZlib

/// zlib as a finder of matches: raw DEFLATE (RFC 1951) with the fixed codes and a preset window.
final class RawDeflate {
    private var stream = z_stream()
    private var windowBits: Int32 = 0
    private var isReady = false

    deinit {
        if isReady { deflateEnd(&stream) }
    }

    /// Compresses bytes that follow others; nil when zlib refuses.
    ///
    /// - Parameter windowBits: 9 to 15; no distance is over 2 to that power.
    func compress(_ bytes: [UInt8], after window: ArraySlice<UInt8>, windowBits: Int32) -> [UInt8]? {
        guard prepare(windowBits: windowBits) else { return nil }
        let primed = window.withUnsafeBufferPointer {
            $0.isEmpty ? Z_OK : deflateSetDictionary(&stream, $0.baseAddress, uInt($0.count))
        }
        guard primed == Z_OK else { return nil }
        var input = bytes
        let capacity = Int(deflateBound(&stream, uLong(bytes.count)))
        var isDone = false
        let output = [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = uInt(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = uInt(capacity)
                isDone = deflate(&stream, Z_FINISH) == Z_STREAM_END
                count = capacity - Int(stream.avail_out)
                stream.next_in = nil
                stream.next_out = nil
            }
        }
        return isDone ? output : nil
    }

    private func prepare(windowBits: Int32) -> Bool {
        if isReady, windowBits == self.windowBits { return deflateReset(&stream) == Z_OK }
        if isReady { deflateEnd(&stream) }
        stream = z_stream()
        self.windowBits = windowBits
        isReady =
            deflateInit2_(
                &stream, Z_BEST_COMPRESSION, Z_DEFLATED, -windowBits, 9, Z_FIXED, ZLIB_VERSION,
                Int32(MemoryLayout<z_stream>.size)) == Z_OK
        return isReady
    }
}
