import MessageStore
import Testing

/// A database as an earlier version left it: the statements that made it, as they were. Add one with every migration.
struct EarlierVersion: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let statements: String
    /// What recovery reports of it.
    let order: String
    let numbering: StoreNumbering

    static let all = [one]

    /// Messages, payloads, addresses, bindings and accounts. Message 9 and binding 4 are gone.
    private static let one = EarlierVersion(
        testDescription: "version 1",
        statements: """
            PRAGMA page_size = 4096;
            PRAGMA application_id = 1197766516;
            CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
            INSERT INTO grdb_migrations VALUES ('1 messages, payloads, addresses, bindings, accounts');
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
            INSERT INTO address VALUES (1, 'sip:alice@example.org'), (2, 'sip:bob@example.org');
            INSERT INTO message VALUES
                (6, 2, 'sip:alice@example.org', zeroblob(16), 'D', 1, 2, NULL, NULL, 3, 1, 0, 0, 3),
                (7, 2, 'sip:alice@example.org', randomblob(16), 'W', 1, 2, 5, NULL, NULL, 1, 480, 0, 3);
            INSERT INTO payload VALUES (7, x'010203');
            INSERT INTO binding VALUES
                (3, 2, 'sip:bob@127.0.0.1:5070', '', 'c', 1, 1000, 9, '', '', 0, 'udp 127.0.0.1:5070');
            INSERT INTO account VALUES ('bob', 'example.org', 'example.org', '', 1);
            INSERT INTO digest VALUES ('bob', 'example.org', 'MD5', '0f');
            UPDATE highest SET number = 9 WHERE what = 'message';
            UPDATE highest SET number = 4 WHERE what = 'binding';
            """, order: "aabm",
        numbering: StoreNumbering(
            lastMessage: MessageNumber(9), lastAddress: bob, lastBinding: BindingNumber(4)))
}
