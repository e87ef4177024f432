-- People who sign in elsewhere are known by issuer and subject, never by a name or an address.
CREATE TABLE identity (
    issuer    TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    user      TEXT    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX identity_user ON identity (user, issuer);

-- What works once, as a hash, until it would not work any more anyway.
CREATE TABLE used_once (
    key        BLOB    PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_expires ON used_once (expires_at);
