-- Promises that were not kept, once for each period. `monitor` is empty for a
-- service as a whole; times are milliseconds since 1970-01-01T00:00:00Z. What is
-- not asked for by itself is in `details`, which is JSON, see breaches.rs.
CREATE TABLE breach (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    service      TEXT NOT NULL,
    monitor      TEXT NOT NULL,
    period       TEXT NOT NULL,
    starts       INTEGER NOT NULL,
    ends         INTEGER NOT NULL,
    found        INTEGER NOT NULL,
    acknowledged INTEGER,          -- NULL: nobody has taken note
    details      TEXT NOT NULL,
    UNIQUE (service, monitor, period, starts)
) STRICT;

-- What reports look for: what happened to monitors since some time.
CREATE INDEX change_of_monitors ON change (at) WHERE address IS NULL;
