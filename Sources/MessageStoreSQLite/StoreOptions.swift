public import LinkProfiles

/// What an operator may tune of an SQLite store. The defaults fit a server on two cores.
public struct StoreOptions: Hashable, Sendable {
    /// Memory for SQLite's page cache, in bytes.
    public var cacheBytes: Int = 12 << 20
    /// Once the write-ahead log holds this many bytes it is copied into the database.
    public var checkpointBytes: Int = 16 << 20
    /// How long to wait for another process's short write (an account being edited, a backup) before a group is refused.
    public var busyPatience: TimeSpan = .seconds(5 as Int64)
    /// Largest size of the database in pages of 4096 bytes; nil for SQLite's own limit. A group that would exceed it
    /// is refused as ``StoreFailure/full(_:)``.
    public var maximumPages: Int?

    public init() {}
}
