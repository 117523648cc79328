-- One file holds records and inbox. Every row carries its tenant. Times are Unix seconds.
--
-- Large values (turns, vectors, bodies) stand last in their row or in a table of their own, so that
-- reading or changing the small columns before them never touches the pages they fill.

-- Numbers that would otherwise be counted row by row, and marks that survive a restart.
CREATE TABLE tallies (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO tallies (name, value)
VALUES ('callers', 0), ('calls', 0), ('memories', 0), ('pings', 0), ('scrub_due', 0);

CREATE TABLE callers (
    id            INTEGER PRIMARY KEY,
    tenant        TEXT NOT NULL,
    caller_id     TEXT NOT NULL,
    searchable    TEXT NOT NULL,     -- id and name, case folded
    name          TEXT,              -- CallerName as JSON
    language      TEXT,
    first_call_at REAL NOT NULL,
    last_call_at  REAL NOT NULL,
    call_count    INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    brief         TEXT,              -- Brief as JSON
    UNIQUE (tenant, caller_id)
);
-- Pages of callers, newest call first; holds `searchable` so that a search reads the index alone.
CREATE INDEX callers_by_last_call ON callers (tenant, last_call_at, caller_id, searchable);

CREATE TABLE calls (
    id              INTEGER PRIMARY KEY,
    tenant          TEXT NOT NULL,
    caller_id       TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    started_at      REAL NOT NULL,
    audio_key       TEXT,
    spoken          INTEGER NOT NULL,           -- turns with words: with none there is nothing to embed
    vectors_model   TEXT NOT NULL DEFAULT '',   -- '' while it is not embedded
    dimension       INTEGER,
    heading         TEXT NOT NULL,              -- Call as JSON, turns left out
    turns           BLOB NOT NULL,              -- its turns as JSON
    vectors         BLOB,
    UNIQUE (tenant, conversation_id, caller_id)
);
CREATE INDEX calls_by_caller ON calls (tenant, caller_id, started_at, conversation_id);
CREATE INDEX calls_by_model ON calls (vectors_model, tenant, caller_id) WHERE spoken > 0;

CREATE TABLE memories (
    id            INTEGER PRIMARY KEY,
    tenant        TEXT NOT NULL,
    caller_id     TEXT NOT NULL,
    memory_id     TEXT NOT NULL,
    created_at    REAL NOT NULL,
    vectors_model TEXT NOT NULL DEFAULT '',
    dimension     INTEGER,
    rows          INTEGER,
    memory        TEXT NOT NULL,                -- Memory as JSON
    vectors       BLOB,
    UNIQUE (tenant, caller_id, memory_id)
);
CREATE INDEX memories_by_age ON memories (tenant, caller_id, created_at, memory_id);
CREATE INDEX memories_by_model ON memories (vectors_model, tenant, caller_id);

-- Append-only, but for the erasing of a caller.
CREATE TABLE history (
    id              INTEGER PRIMARY KEY,
    tenant          TEXT NOT NULL,
    caller_id       TEXT NOT NULL,
    memory_id       TEXT NOT NULL,
    action          TEXT NOT NULL,
    at              REAL NOT NULL,
    actor           TEXT NOT NULL,
    conversation_id TEXT,
    old_text        TEXT,
    new_text        TEXT
);
CREATE INDEX history_by_caller ON history (tenant, caller_id, at, id);

-- Who a conversation is with, noted at the ring; the webhook that ends it may come first.
CREATE TABLE conversations (
    tenant          TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    caller_id       TEXT,
    noted_at        REAL,
    ended           INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, conversation_id)
) WITHOUT ROWID;
CREATE INDEX conversations_by_caller ON conversations (tenant, caller_id, ended, noted_at);

-- Whom an archived body is about; '' where that is not known. A body may be about several.
CREATE TABLE archive_notes (
    tenant          TEXT NOT NULL,
    key             TEXT NOT NULL,
    caller_id       TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    PRIMARY KEY (tenant, key, caller_id, conversation_id)
) WITHOUT ROWID;
CREATE INDEX archive_notes_by_caller ON archive_notes (tenant, caller_id, conversation_id);
CREATE INDEX archive_notes_by_conversation ON archive_notes (tenant, conversation_id, caller_id);

CREATE TABLE audio (
    tenant          TEXT NOT NULL,
    conversation_id TEXT NOT NULL,
    key             TEXT NOT NULL,
    PRIMARY KEY (tenant, conversation_id, key)
) WITHOUT ROWID;

-- What the inbox took in. A row outlives its body: its dedupe key is kept for good.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant          TEXT NOT NULL,
    platform        TEXT NOT NULL,
    dedupe_key      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'dead', 'done')),
    type            TEXT,
    conversation_id TEXT,
    event_timestamp INTEGER,
    received_at     REAL NOT NULL,
    due_at          REAL NOT NULL,   -- pending: when it may be claimed; leased: when the lease runs out
    lease           TEXT,            -- set while a worker holds it
    attempts        INTEGER NOT NULL DEFAULT 0,
    archive_key     TEXT,
    buried_at       REAL,
    error_code      TEXT,
    error           TEXT,
    size            INTEGER NOT NULL,
    UNIQUE (tenant, dedupe_key)
);
CREATE INDEX deliveries_due ON deliveries (due_at, id, received_at) WHERE state = 'pending';
CREATE INDEX deliveries_dead ON deliveries (id) WHERE state = 'dead';

CREATE TABLE bodies (
    delivery INTEGER PRIMARY KEY REFERENCES deliveries (id),
    body     BLOB NOT NULL
);

CREATE TABLE quarantine (
    id          TEXT PRIMARY KEY,    -- sha256 of the body
    platform    TEXT NOT NULL,
    signature   TEXT NOT NULL,
    received_at REAL NOT NULL,
    size        INTEGER NOT NULL,
    body        BLOB NOT NULL
);
CREATE INDEX quarantine_by_age ON quarantine (received_at, id, size);

CREATE TRIGGER caller_added AFTER INSERT ON callers
BEGIN UPDATE tallies SET value = value + 1 WHERE name = 'callers'; END;
CREATE TRIGGER caller_gone AFTER DELETE ON callers
BEGIN UPDATE tallies SET value = value - 1 WHERE name = 'callers'; END;
CREATE TRIGGER call_added AFTER INSERT ON calls
BEGIN UPDATE tallies SET value = value + 1 WHERE name = 'calls'; END;
CREATE TRIGGER call_gone AFTER DELETE ON calls
BEGIN UPDATE tallies SET value = value - 1 WHERE name = 'calls'; END;
CREATE TRIGGER memory_added AFTER INSERT ON memories
BEGIN UPDATE tallies SET value = value + 1 WHERE name = 'memories'; END;
CREATE TRIGGER memory_gone AFTER DELETE ON memories
BEGIN UPDATE tallies SET value = value - 1 WHERE name = 'memories'; END;
