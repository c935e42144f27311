import MessageStore

/// Changes that are in force but not committed yet, with what they replaced.
struct PendingRegistrations {
}
