-- The repository of a hub. Times are milliseconds since 1970 UTC. Identities are kept in
-- upper case. Lists and documents are JSON text.

CREATE TABLE hub (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    id           TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
    id            TEXT    PRIMARY KEY,            -- DIRECTORY\NAME
    display_name  TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    groups        TEXT    NOT NULL,               -- JSON array
    roles         TEXT    NOT NULL,               -- JSON array
    password_hash TEXT,                           -- PHC string; NULL: cannot log in with a password
    created_at    INTEGER NOT NULL
) STRICT;

CREATE TABLE licence_pool (
    access_type TEXT    PRIMARY KEY,
    quantity    INTEGER NOT NULL CHECK (quantity >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE assignment (
    user              TEXT    PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    access_type       TEXT    NOT NULL,
    assigned_at       INTEGER NOT NULL,
    last_used         INTEGER
) STRICT, WITHOUT ROWID;

-- Outlives the user: deleting somebody must not end a quarantine.
CREATE TABLE quarantine (
    user        TEXT    NOT NULL,
    access_type TEXT    NOT NULL,
    until       INTEGER NOT NULL,
    PRIMARY KEY (user, access_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE capacity_unit (
    user  TEXT    NOT NULL,
    began INTEGER NOT NULL
) STRICT;
CREATE INDEX capacity_unit_began ON capacity_unit (began);
CREATE INDEX capacity_unit_user  ON capacity_unit (user, began);

CREATE TABLE login_pass (
    user  TEXT    NOT NULL,
    began INTEGER NOT NULL
) STRICT;
CREATE INDEX login_pass_began ON login_pass (began);
CREATE INDEX login_pass_user  ON login_pass (user, began);

CREATE TABLE stream (
    id       TEXT    PRIMARY KEY,
    name     TEXT    NOT NULL UNIQUE COLLATE NOCASE,
    position INTEGER NOT NULL,
    audience TEXT    NOT NULL                     -- JSON array of user ids, group names or "*"
) STRICT;

CREATE TABLE app (
    id                 TEXT    PRIMARY KEY,
    title              TEXT    NOT NULL,
    description        TEXT    NOT NULL,
    stream             TEXT    REFERENCES stream (id),
    owner              TEXT    NOT NULL,
    content_blob       TEXT    NOT NULL,
    data_blob          TEXT,
    data_size          INTEGER NOT NULL DEFAULT 0,
    reload             INTEGER NOT NULL DEFAULT 0,
    data_as_of         INTEGER,
    access_fingerprint TEXT,
    confirmed_columns  TEXT    NOT NULL DEFAULT '[]',
    pending            TEXT,                      -- JSON: a reload that waits for a confirmation
    created_at         INTEGER NOT NULL,
    modified_at        INTEGER NOT NULL,
    published_at       INTEGER
) STRICT;

CREATE TABLE session (
    token_hash BLOB    PRIMARY KEY,
    user       TEXT    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    client     TEXT    NOT NULL,                  -- 'browser' or 'device'
    began      INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (user);

CREATE TABLE device (
    id          TEXT    PRIMARY KEY,
    user        TEXT    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name        TEXT    NOT NULL,
    platform    TEXT    NOT NULL,
    client      TEXT    NOT NULL,
    kem_key     BLOB    NOT NULL,
    signing_key BLOB    NOT NULL,
    remember    INTEGER NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    revoked_at  INTEGER
) STRICT;
CREATE INDEX device_user ON device (user);

CREATE TABLE challenge (
    nonce_hash BLOB    PRIMARY KEY,
    device     TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE issued_grant (
    id            TEXT    PRIMARY KEY,
    user          TEXT    NOT NULL,
    device        TEXT    NOT NULL,
    issued_at     INTEGER NOT NULL,
    offline_hours INTEGER NOT NULL,
    access_type   TEXT    NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX issued_grant_device ON issued_grant (device, issued_at);

CREATE TABLE download (
    id         TEXT    PRIMARY KEY,
    app        TEXT    NOT NULL,
    user       TEXT    NOT NULL,
    device     TEXT    NOT NULL,
    state      TEXT    NOT NULL,                  -- 'preparing', 'ready', 'failed'
    blob       TEXT,
    size       INTEGER,
    blake3     TEXT,
    manifest   TEXT,
    error      TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX download_expires ON download (expires_at);

-- What each device holds, so that a lease can name what must go.
CREATE TABLE device_app (
    device TEXT    NOT NULL,
    app    TEXT    NOT NULL,
    reload INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (device, app)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    actor   TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    object  TEXT    NOT NULL,
    outcome TEXT    NOT NULL,
    detail  TEXT    NOT NULL,                     -- JSON
    hash    BLOB    NOT NULL
) STRICT;
CREATE TRIGGER audit_keeps_rows  BEFORE DELETE ON audit BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit BEGIN SELECT RAISE (ABORT, 'the audit log is append-only'); END;

CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seq  INTEGER NOT NULL,
    mac  BLOB    NOT NULL
) STRICT;
