-- Who may sign in. Names are compared without the case of ASCII letters.
CREATE TABLE user (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE COLLATE NOCASE,
    role       TEXT NOT NULL,
    password   TEXT NOT NULL,      -- as argon2 hashes it, in the PHC string format
    created_at INTEGER NOT NULL,
    seen_at    INTEGER             -- NULL: has never signed in
) STRICT;

-- Browsers in which somebody is signed in. What they show is not here: it has 256
-- random bits, so that its plain digest cannot be turned back.
CREATE TABLE session (
    digest   BLOB NOT NULL PRIMARY KEY,
    user     INTEGER NOT NULL REFERENCES user (id),
    began_at INTEGER NOT NULL,
    used_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user);

-- Who did what.
CREATE TABLE deed (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    who     TEXT NOT NULL,
    origin  TEXT NOT NULL,
    what    TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;
CREATE INDEX deed_by_time ON deed (at);

-- From when on a token is worthless; NULL: never.
ALTER TABLE token ADD COLUMN expires_at INTEGER;
