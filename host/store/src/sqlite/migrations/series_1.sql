-- Targets, and monitors as a whole (`address` is then NULL), by a short number.
-- `accounted_until`: up to where time has been counted, in milliseconds since
-- 1970-01-01T00:00:00Z.
CREATE TABLE subject (
    key             INTEGER PRIMARY KEY,
    service         TEXT NOT NULL,
    monitor         TEXT NOT NULL,
    address         TEXT,
    accounted_until INTEGER
) STRICT;

-- What has been recorded since the last checkpoint, a batch a row, so that a
-- restart finds it. The readings of `blocks_YYYYMMDD` and the rollups below are
-- written from memory at a checkpoint, which empties this table.
CREATE TABLE tail (
    batch INTEGER PRIMARY KEY,
    data  BLOB NOT NULL
) STRICT;

-- Sums over buckets of time. `start` is in seconds since 1970-01-01T00:00:00Z,
-- times are in milliseconds, `latency` is a histogram.
CREATE TABLE five_minutes (
    subject        INTEGER NOT NULL,
    start          INTEGER NOT NULL,
    healthy_checks INTEGER NOT NULL,
    sick_checks    INTEGER NOT NULL,
    dead_checks    INTEGER NOT NULL,
    faulty_checks  INTEGER NOT NULL,
    healthy        INTEGER NOT NULL,
    sick           INTEGER NOT NULL,
    dead           INTEGER NOT NULL,
    unknown        INTEGER NOT NULL,
    maintenance    INTEGER NOT NULL,
    latency        BLOB NOT NULL,
    PRIMARY KEY (subject, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE hour (
    subject        INTEGER NOT NULL,
    start          INTEGER NOT NULL,
    healthy_checks INTEGER NOT NULL,
    sick_checks    INTEGER NOT NULL,
    dead_checks    INTEGER NOT NULL,
    faulty_checks  INTEGER NOT NULL,
    healthy        INTEGER NOT NULL,
    sick           INTEGER NOT NULL,
    dead           INTEGER NOT NULL,
    unknown        INTEGER NOT NULL,
    maintenance    INTEGER NOT NULL,
    latency        BLOB NOT NULL,
    PRIMARY KEY (subject, start)
) STRICT, WITHOUT ROWID;

CREATE TABLE day (
    subject        INTEGER NOT NULL,
    start          INTEGER NOT NULL,
    healthy_checks INTEGER NOT NULL,
    sick_checks    INTEGER NOT NULL,
    dead_checks    INTEGER NOT NULL,
    faulty_checks  INTEGER NOT NULL,
    healthy        INTEGER NOT NULL,
    sick           INTEGER NOT NULL,
    dead           INTEGER NOT NULL,
    unknown        INTEGER NOT NULL,
    maintenance    INTEGER NOT NULL,
    latency        BLOB NOT NULL,
    PRIMARY KEY (subject, start)
) STRICT, WITHOUT ROWID;
