/// The window as it lies in the peer's memory: a ring, filled from its beginning.
struct DeflateWindow {
    let size: Int
    /// The filled part, in the order of the addresses.
    private(set) var bytes: [UInt8]
    /// Where the next byte goes.
    private(set) var end: Int

    init(size: Int, preset: [UInt8]) {
        self.size = size
        bytes = preset
        end = preset.count % size
    }

    /// Appends a message shorter than the window.
    mutating func append(_ message: [UInt8]) {
        let first = min(message.count, size - end)
        overwrite(message[..<first], at: end)
        overwrite(message[first...], at: 0)
        end = (end + message.count) % size
    }

    private mutating func overwrite(_ part: ArraySlice<UInt8>, at place: Int) {
        guard !part.isEmpty else { return }
        bytes.replaceSubrange(place..<min(bytes.count, place + part.count), with: part)
    }

    /// The latest bytes, oldest first.
    func latest(_ count: Int) -> ArraySlice<UInt8> {
        let older = bytes.count > end ? bytes[end...] + bytes[..<end] : bytes[...]
        return older.suffix(max(0, count))
    }
}
