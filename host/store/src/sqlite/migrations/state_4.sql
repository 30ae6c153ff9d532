-- What people wrote: maintenances and announcements. `content` is JSON that only
-- whoever wrote it understands. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE document (
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    content    TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
