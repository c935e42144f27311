import GRDB
import MessageStore

/// The tables and their history.
///
/// `message` and `payload` are keyed by the message's number, so accepting a message appends to both and dirties two
/// pages however large the store is. There is no secondary index whose keys arrive in random order: its leaves would
/// be scattered over every group and multiply the log. The one partial index, on the moment a message ended, grows at
/// its right edge and shrinks at its left.
///
/// A message row holds exactly one of `due_at`, `claimed_at` and `ended_at`, and its state is one letter: a change of
/// state leaves the row's length as it was, is written over the old row in place, and never splits a page.
///
/// Subscriptions and publications are split by what changes: a refresh writes a narrow row of which some ninety share a
/// page, and those made together are refreshed together.
enum StoreSchema {
    /// `PRAGMA application_id`: "Gdwt".
    static let applicationID: Int32 = 0x4764_7774

    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1 messages, payloads, addresses, bindings, accounts") { database in
            try database.execute(sql: firstTables)
        }
        migrator.registerMigration("2 subscriptions, publications, documents") { database in
            try database.execute(sql: presenceTables)
        }
        return migrator
    }

    private static let firstTables = """
        PRAGMA application_id = \(applicationID);
        CREATE TABLE address (
            number INTEGER PRIMARY KEY CHECK (number > 0),
            aor    TEXT NOT NULL CHECK (aor <> '')
        ) STRICT;
        CREATE TABLE message (
            number      INTEGER PRIMARY KEY CHECK (number > 0),
            recipient   INTEGER NOT NULL,
            sender      TEXT NOT NULL,
            identity    BLOB NOT NULL CHECK (length(identity) = 16),
            state       TEXT NOT NULL,
            accepted_at INTEGER NOT NULL,
            expires_at  INTEGER NOT NULL,
            due_at      INTEGER,
            claimed_at  INTEGER,
            ended_at    INTEGER,
            attempts    INTEGER NOT NULL CHECK (attempts >= 0),
            cause       INTEGER NOT NULL CHECK (cause >= 0),
            urgent      INTEGER NOT NULL,
            size        INTEGER NOT NULL CHECK (size >= 0),
            CONSTRAINT state_fits_columns CHECK (
                CASE state
                WHEN 'Q' THEN due_at IS NOT NULL AND claimed_at IS NULL AND ended_at IS NULL
                WHEN 'C' THEN claimed_at IS NOT NULL AND due_at IS NULL AND ended_at IS NULL AND attempts >= 1
                WHEN 'W' THEN due_at IS NOT NULL AND claimed_at IS NULL AND ended_at IS NULL AND attempts >= 1
                WHEN 'D' THEN ended_at IS NOT NULL AND due_at IS NULL AND claimed_at IS NULL AND attempts >= 1
                WHEN 'E' THEN ended_at IS NOT NULL AND due_at IS NULL AND claimed_at IS NULL
                WHEN 'R' THEN ended_at IS NOT NULL AND due_at IS NULL AND claimed_at IS NULL AND cause <> 0
                ELSE 0 END
            )
        ) STRICT;
        CREATE INDEX message_ended ON message (ended_at) WHERE ended_at IS NOT NULL;
        CREATE TABLE payload (
            number INTEGER PRIMARY KEY,
            bytes  BLOB NOT NULL
        ) STRICT;
        CREATE TABLE binding (
            number     INTEGER PRIMARY KEY CHECK (number > 0),
            address    INTEGER NOT NULL,
            contact    TEXT NOT NULL CHECK (contact <> ''),
            parameters TEXT NOT NULL,
            call_id    TEXT NOT NULL,
            cseq       INTEGER NOT NULL CHECK (cseq >= 0),
            q          INTEGER NOT NULL CHECK (q BETWEEN 0 AND 1000),
            expires_at INTEGER NOT NULL,
            path       TEXT NOT NULL,
            instance   TEXT NOT NULL,
            reg_id     INTEGER NOT NULL CHECK (reg_id >= 0),
            flow       TEXT NOT NULL
        ) STRICT;
        CREATE TABLE account (
            username TEXT NOT NULL CHECK (username <> ''),
            domain   TEXT NOT NULL CHECK (domain <> ''),
            realm    TEXT NOT NULL,
            profile  TEXT NOT NULL,
            enabled  INTEGER NOT NULL CHECK (enabled IN (0, 1)),
            PRIMARY KEY (username, domain)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE digest (
            username  TEXT NOT NULL,
            domain    TEXT NOT NULL,
            algorithm TEXT NOT NULL CHECK (algorithm <> ''),
            value     TEXT NOT NULL CHECK (value <> '' AND value NOT GLOB '*[^0-9a-f]*'),
            PRIMARY KEY (username, domain, algorithm),
            FOREIGN KEY (username, domain) REFERENCES account ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE highest (
            what   TEXT PRIMARY KEY CHECK (what IN ('message', 'binding')),
            number INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO highest VALUES ('message', 0), ('binding', 0);
        """

    private static let presenceTables = """
        CREATE TABLE subscription (
            number       INTEGER PRIMARY KEY CHECK (number > 0),
            resource     INTEGER NOT NULL,
            state        TEXT NOT NULL CHECK (state IN ('P', 'A', 'W')),
            remote_cseq  INTEGER NOT NULL CHECK (remote_cseq >= 0),
            cseq_ceiling INTEGER NOT NULL CHECK (cseq_ceiling >= 0),
            version      INTEGER NOT NULL CHECK (version >= 0),
            expires_at   INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE subscription_dialog (
            number            INTEGER PRIMARY KEY,
            event             TEXT NOT NULL CHECK (event <> ''),
            watcher           TEXT NOT NULL,
            created_at        INTEGER NOT NULL,
            accept            INTEGER NOT NULL,
            max_rate          INTEGER NOT NULL CHECK (max_rate >= 0),
            min_rate          INTEGER NOT NULL CHECK (min_rate >= 0),
            adaptive_min_rate INTEGER NOT NULL CHECK (adaptive_min_rate >= 0),
            flow              TEXT NOT NULL,
            dialog            BLOB NOT NULL,
            filter            BLOB NOT NULL
        ) STRICT;
        CREATE TABLE publication (
            number      INTEGER PRIMARY KEY CHECK (number > 0),
            resource    INTEGER NOT NULL,
            event       TEXT NOT NULL CHECK (event <> ''),
            entity_tag  TEXT NOT NULL CHECK (entity_tag <> ''),
            source      TEXT NOT NULL,
            created_at  INTEGER NOT NULL,
            modified_at INTEGER NOT NULL,
            expires_at  INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE publication_body (
            number       INTEGER PRIMARY KEY,
            content_type TEXT NOT NULL,
            bytes        BLOB NOT NULL
        ) STRICT;
        CREATE TABLE document (
            number      INTEGER PRIMARY KEY,
            application TEXT NOT NULL CHECK (application <> ''),
            owner       TEXT NOT NULL,
            name        TEXT NOT NULL CHECK (name <> ''),
            modified_at INTEGER NOT NULL,
            bytes       BLOB NOT NULL,
            UNIQUE (application, owner, name)
        ) STRICT;
        ALTER TABLE highest RENAME TO highest_before;
        CREATE TABLE highest (
            what   TEXT PRIMARY KEY CHECK (what IN ('message', 'binding', 'subscription', 'publication')),
            number INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO highest SELECT what, number FROM highest_before;
        INSERT INTO highest VALUES ('subscription', 0), ('publication', 0);
        DROP TABLE highest_before;
        """
}

extension DeferredState {
    /// The state as column `state` holds it.
    var letter: StaticString {
        switch self {
        case .queued: "Q"
        case .claimed: "C"
        case .waiting: "W"
        case .delivered: "D"
        case .expired: "E"
        case .refused: "R"
        }
    }

    init?(letter: UInt8) {
        switch letter {
        case UInt8(ascii: "Q"): self = .queued
        case UInt8(ascii: "C"): self = .claimed
        case UInt8(ascii: "W"): self = .waiting
        case UInt8(ascii: "D"): self = .delivered
        case UInt8(ascii: "E"): self = .expired
        case UInt8(ascii: "R"): self = .refused
        default: return nil
        }
    }
}
