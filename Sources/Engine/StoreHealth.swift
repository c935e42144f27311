import LinkProfiles
import MessageStore

/// Whether the store takes work, and what to tell the operator when that changes.
struct StoreHealth {
    private(set) var failure: StoreFailure?
    private var reportedAt: Instant?

    /// Work that needs the store is refused with 503 while it failed a moment ago; one request every retry interval
    /// tries again.
    private var retryAt = Instant(microseconds: 0)

    mutating func succeeded() {
        failure = nil
        reportedAt = nil
    }

    mutating func failed(_ failure: StoreFailure, at now: Instant) -> Notice? {
        let isNews = self.failure != failure
        self.failure = failure
        retryAt = now + .milliseconds(200)
        if !isNews, let reportedAt, now - reportedAt < .seconds(10 as Int64) { return nil }
        reportedAt = now
        return Notice(
            .error, "Message Store refused a commit; affected requests were answered 503",
            [
                ("cause", failure.explanation), ("remedy", failure.remedy),
            ])
    }

    mutating func admits(at now: Instant) -> Bool {
        guard failure != nil else { return true }
        guard now >= retryAt else { return false }
        retryAt = now + .milliseconds(200)
        return true
    }
}

extension StoreFailure {
    var explanation: String {
        switch self {
        case .full(let text): "full: \(text)"
        case .locked(let text): "locked: \(text)"
        case .damaged(let text): "damaged: \(text)"
        case .io(let text): "i/o: \(text)"
        case .misuse(let text): "misuse: \(text)"
        }
    }

    var remedy: String {
        switch self {
        case .full: "free space on the data directory's file system; service resumes by itself"
        case .locked: "end the other process that holds the database"
        case .damaged: "stop the server and restore a backup; `godwit doctor` checks the file"
        case .io: "check the disk and the permissions of the data directory"
        case .misuse: "report this as a defect"
        }
    }
}
