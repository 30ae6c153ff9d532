-- Stories told of outages. What is not asked for by itself is in `details`, which
-- is JSON, see incidents.rs. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE incident (
    id       INTEGER PRIMARY KEY,
    service  TEXT NOT NULL,
    title    TEXT NOT NULL,
    severity TEXT NOT NULL,
    stage    TEXT NOT NULL,
    started  INTEGER NOT NULL,
    resolved INTEGER,              -- NULL: it goes on
    details  TEXT NOT NULL
) STRICT;
CREATE INDEX incident_by_start ON incident (started);
CREATE INDEX incident_by_end ON incident (resolved);

-- Every service that an incident has hit.
CREATE TABLE incident_service (
    service  TEXT NOT NULL,
    incident INTEGER NOT NULL,
    PRIMARY KEY (service, incident)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_entry (
    incident INTEGER NOT NULL,
    number   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    stage    TEXT NOT NULL,
    public   INTEGER NOT NULL,
    service  TEXT,
    monitor  TEXT,
    author   TEXT,
    text     TEXT NOT NULL,
    PRIMARY KEY (incident, number)
) STRICT, WITHOUT ROWID;

-- Keys that the host made for itself.
CREATE TABLE host_key (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- When somebody last had a notice tried again that had been given up.
ALTER TABLE delivery ADD COLUMN retried_at INTEGER;
