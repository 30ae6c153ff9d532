-- What the engine knows of each target, monitor and route; JSON, see mirror.rs.
CREATE TABLE target_state (
    service TEXT NOT NULL,
    monitor TEXT NOT NULL,
    address TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (service, monitor, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE monitor_state (
    service TEXT NOT NULL,
    monitor TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (service, monitor)
) STRICT, WITHOUT ROWID;

CREATE TABLE told (
    route   TEXT NOT NULL,
    service TEXT NOT NULL,
    monitor TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (route, service, monitor)
) STRICT, WITHOUT ROWID;

-- One value of each kind that belongs to the whole host.
CREATE TABLE host_state (
    kind  TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Confirmed moves from one health to another, in the order of their numbers.
-- Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE change (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    at          INTEGER NOT NULL,
    service     TEXT NOT NULL,
    monitor     TEXT NOT NULL,
    address     TEXT,             -- NULL: the monitor as a whole
    from_health TEXT NOT NULL,
    to_health   TEXT NOT NULL,
    maintained  INTEGER NOT NULL,
    details     TEXT NOT NULL     -- JSON
) STRICT;
CREATE INDEX change_by_target ON change (service, monitor, address, id);
CREATE INDEX change_by_monitor ON change (service, monitor, id);
CREATE INDEX change_by_service ON change (service, id);

-- Notices on their way.
CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    notice_id   TEXT NOT NULL,
    channel     TEXT NOT NULL,
    service     TEXT,
    monitor     TEXT,
    payload     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts    INTEGER NOT NULL DEFAULT 0,
    created_at  INTEGER NOT NULL,
    next_try    INTEGER NOT NULL,
    finished_at INTEGER,
    last_error  TEXT,
    UNIQUE (notice_id, channel)
) STRICT;
CREATE INDEX delivery_pending ON delivery (channel, id) WHERE state = 'pending';
CREATE INDEX delivery_by_state ON delivery (state, finished_at);

-- What plugins keep between runs.
CREATE TABLE space (
    owner TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
