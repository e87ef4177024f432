-- Where load scripts may get data from beside files: databases and web sites. The secret is
-- sealed with a key derived from hub.key, so that a copy of the database shows none.
CREATE TABLE connection (
    name     TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    kind     TEXT NOT NULL,
    target   TEXT NOT NULL,
    audience TEXT NOT NULL,
    secret   BLOB
) STRICT, WITHOUT ROWID;
