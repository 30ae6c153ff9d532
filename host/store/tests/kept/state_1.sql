-- A database as version 1 left it. Never changed: later versions must read it.
PRAGMA auto_vacuum=INCREMENTAL;
BEGIN TRANSACTION;
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
INSERT INTO "change" VALUES(1,1795233601000,'api','health','https://a/','healthy','dead',0,'{"since":1795233596000,"lasted_ms":90061,"reason":"no answer in 10 s","cause":"reading","folded_into":"web/home"}');
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
INSERT INTO "delivery" VALUES(1,'n1','ops','api','health','{"notice":"n1"}','pending',2,1795233600000,1795233602000,NULL,'status 503');
CREATE TABLE host_state (
    kind  TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "host_state" VALUES('network','{"lost":false,"since":1795233600000}');
CREATE TABLE monitor_state (
    service TEXT NOT NULL,
    monitor TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (service, monitor)
) STRICT, WITHOUT ROWID;
INSERT INTO "monitor_state" VALUES('api','health','{"standing":{"health":"dead","since":1795233600000,"reason":"connection refused","cause":"reading"},"target":{"monitor":"api/health","address":"https://a/"},"flapping":false}');
CREATE TABLE space (
    owner TEXT NOT NULL,
    key   TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "space" VALUES('owner','key',X'00FF');
CREATE TABLE target_state (
    service TEXT NOT NULL,
    monitor TEXT NOT NULL,
    address TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (service, monitor, address)
) STRICT, WITHOUT ROWID;
INSERT INTO "target_state" VALUES('api','health','https://a/','{"standing":{"health":"dead","since":1795233600000,"reason":"connection refused","cause":"reading"},"streak":null,"judged_at":1795233601000,"fault":null,"changes":[],"flapping":null}');
CREATE TABLE told (
    route   TEXT NOT NULL,
    service TEXT NOT NULL,
    monitor TEXT NOT NULL,
    state   TEXT NOT NULL,
    PRIMARY KEY (route, service, monitor)
) STRICT, WITHOUT ROWID;
INSERT INTO "told" VALUES('ops','api','health','{"outage":{"health":"dead","since":1795233600000}}');
CREATE INDEX change_by_target ON change (service, monitor, address, id);
CREATE INDEX change_by_monitor ON change (service, monitor, id);
CREATE INDEX change_by_service ON change (service, id);
CREATE INDEX delivery_pending ON delivery (channel, id) WHERE state = 'pending';
CREATE INDEX delivery_by_state ON delivery (state, finished_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('change',1);
INSERT INTO "sqlite_sequence" VALUES('delivery',1);
COMMIT;
PRAGMA user_version=1;
