/// Requests sent over each connection, so that they fail with it at once instead of after timer F.
///
/// Entries of requests that were answered stay until newer ones push them out; the engine
/// ignores them.
struct InFlightRequests {
    private var tokens: [UInt64: [UInt64]] = [:]

    /// Longest list kept; older requests of a busier connection are left to their timers.
    private static let limit = 64

    mutating func add(_ token: UInt64, on connection: UInt64) {
        var list = tokens[connection] ?? []
        tokens[connection] = nil
        if list.count >= Self.limit { list.removeFirst(Self.limit / 2) }
        list.append(token)
        tokens[connection] = list
    }

    /// The request failed by itself; a connection that is gone already leaves nothing behind.
    mutating func forget(_ token: UInt64, on connection: UInt64) {
        guard connection != 0, let at = tokens[connection]?.firstIndex(of: token) else { return }
        tokens[connection]?.remove(at: at)
        if tokens[connection]?.isEmpty ?? false { tokens[connection] = nil }
    }

    mutating func take(_ connection: UInt64) -> [UInt64] {
        tokens.removeValue(forKey: connection) ?? []
    }
}
