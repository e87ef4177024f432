-- One-time tickets a service asked for, as hashes.
CREATE TABLE ticket (
    hash       BLOB    PRIMARY KEY,
    user       TEXT    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
