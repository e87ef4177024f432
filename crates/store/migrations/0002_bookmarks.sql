-- A person's own bookmarks of an app: a JSON list, as the engine wrote it.
CREATE TABLE bookmarks (
    app  TEXT NOT NULL REFERENCES app (id) ON DELETE CASCADE,
    user TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    own  TEXT NOT NULL,
    PRIMARY KEY (app, user)
) STRICT, WITHOUT ROWID;
