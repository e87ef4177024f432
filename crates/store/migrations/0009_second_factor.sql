-- A second factor beside the password: the secret of an authenticator app, sealed with a key
-- derived from hub.key; the step of the last code that was taken; NULL until a first code showed
-- that the app has it. Recovery codes are kept as hashes.
CREATE TABLE second_factor (
    user         TEXT    PRIMARY KEY REFERENCES user (id) ON DELETE CASCADE,
    secret       BLOB    NOT NULL,
    last_step    INTEGER NOT NULL,
    confirmed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE TABLE recovery_code (
    user TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    hash BLOB NOT NULL,
    PRIMARY KEY (user, hash)
) STRICT, WITHOUT ROWID;
-- Whether an administrator requires one of this person.
ALTER TABLE user ADD COLUMN second_factor_required INTEGER NOT NULL DEFAULT 0;
