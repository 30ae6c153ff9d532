-- Services, monitors, channels and routes that were made while the program ran, each
-- as the JSON that was said. Times are milliseconds since 1970-01-01T00:00:00Z.
CREATE TABLE item (
    kind       TEXT NOT NULL,
    id         TEXT NOT NULL,
    text       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
