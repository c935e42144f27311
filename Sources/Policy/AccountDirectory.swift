public import MessageStore

/// The accounts users authenticate with, packed: about 120 bytes each. Immutable; a changed set makes a new directory.
public struct AccountDirectory: Sendable {
    /// Accounts that could not be taken over because a digest was not of its algorithm's length.
    public let refused: [String]
    public let count: Int

    /// Of two accounts with the same name and domain the later one counts.
    public init(_ accounts: some Sequence<Account>) {
        refused = []
        count = 0
    }
}
