/// The right to send one thing towards one endpoint now, given by its scheduler.
struct DownlinkTurn {
    let endpoint: DownlinkEndpoint
    let urgency: DownlinkUrgency
}

/// What a transmission was reckoned to take of its endpoint's budget. Whoever puts it on the wire hands it back with the size it
/// really had (``Engine/transmitted(_:bytes:again:at:)``).
public struct DownlinkCharge: Hashable, Sendable {
    /// Number of the endpoint.
    let endpoint: UInt64
    let plain: UInt32
    let reckoned: UInt32
    let kind: WireKind
}
