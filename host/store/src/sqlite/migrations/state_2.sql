-- What targets said that tell how they are, and when; JSON, see mirror.rs.
CREATE TABLE heard (
    service TEXT NOT NULL,
    monitor TEXT NOT NULL,
    address TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (service, monitor, address)
) STRICT, WITHOUT ROWID;

-- Who may use the API. The token itself is not here: it has 256 random bits, so
-- that its plain digest cannot be turned back.
CREATE TABLE token (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    digest     BLOB NOT NULL UNIQUE,
    scopes     TEXT NOT NULL,      -- words with spaces between
    created_at INTEGER NOT NULL
) STRICT;
