-- Passkeys people sign in with: what the authenticator calls it, the domain it belongs to, the
-- public key (SubjectPublicKeyInfo) with its COSE algorithm, and how often it has signed.
CREATE TABLE passkey (
    id         TEXT    PRIMARY KEY,
    user       TEXT    NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    credential BLOB    NOT NULL UNIQUE,
    rp_id      TEXT    NOT NULL,
    public_key BLOB    NOT NULL,
    algorithm  INTEGER NOT NULL,
    sign_count INTEGER NOT NULL,
    backed_up  INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    last_used  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkey_user ON passkey (user);
