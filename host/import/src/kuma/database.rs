//! The tables of `kuma.db` as a tree.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use super::{Kuma, plain_key};
use crate::input::{ImportError, Input, Source};
use crate::node::{Node, Value};

/// The most rows of one table: nobody has so many monitors.
const MAX_ROWS: usize = 20_000;

/// The longest text of a column, in bytes; what is longer is left out.
const MAX_TEXT: usize = 1 << 20;

/// The tables that matter, and what they are called here.
const TABLES: [(&str, &str); 13] = [
    ("monitor", "monitors"),
    ("notification", "notifications"),
    ("monitor_notification", "monitornotification"),
    ("maintenance", "maintenances"),
    ("monitor_maintenance", "monitormaintenance"),
    ("status_page", "statuspages"),
    ("group", "groups"),
    ("monitor_group", "monitorgroup"),
    ("incident", "incidents"),
    ("proxy", "proxies"),
    ("tag", "tags"),
    ("docker_host", "dockerhosts"),
    ("api_key", "apikeys"),
];

/// Reads the database; none if the input is something else.
pub(super) fn read(input: &Input) -> Result<Option<Kuma>, ImportError> {
    let Source::Path(path) = &input.source else {
        return Ok(None);
    };
    if path.is_dir() {
        let file = path.join("kuma.db");
        if file.is_file() {
            return open(&file).map(Some);
        }
        let what = "is a folder without `kuma.db`";
        let instead = "name the data folder of Uptime Kuma, or a file";
        return Err(ImportError::new(path.display().to_string(), what, instead));
    }
    let mut start = Vec::new();
    if let Ok(file) = File::open(path)
        && file.take(16).read_to_end(&mut start).is_ok()
        && start == b"SQLite format 3\0"
    {
        return open(path).map(Some);
    }
    Ok(None)
}

fn open(path: &Path) -> Result<Kuma, ImportError> {
    let file = path.display().to_string();
    let failed = |error: rusqlite::Error| {
        ImportError::new(
            file.clone(),
            format!("the database cannot be read: {error}"),
            "stop Uptime Kuma, copy `kuma.db` with the files `kuma.db-wal` and `kuma.db-shm` beside it, and import the copy",
        )
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    let mut entries = Vec::new();
    for (table, name) in TABLES {
        let exists: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?1",
                [table],
                |row| row.get(0),
            )
            .map_err(failed)?;
        if exists > 0 {
            let rows = rows(&connection, table).map_err(failed)?;
            entries.push((name.to_owned(), Node::bare(Value::List(rows))));
        }
    }
    Ok(Kuma {
        file,
        root: Node::bare(Value::Table(entries)),
    })
}

fn rows(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Node>> {
    // The names are those of a list above.
    let mut statement =
        connection.prepare(&format!("SELECT * FROM \"{table}\" LIMIT {MAX_ROWS}"))?;
    let names: Vec<_> = statement.column_names().map(plain_key).collect();
    let mut found = Vec::new();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut entries = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let value = match row.get_ref(at)? {
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Real(number) => Value::Float(number),
                ValueRef::Text(bytes) if bytes.len() <= MAX_TEXT => {
                    Value::Text(String::from_utf8_lossy(bytes).into_owned())
                }
                ValueRef::Text(_) | ValueRef::Blob(_) | ValueRef::Null => Value::Null,
            };
            entries.push((name.clone(), Node::bare(value)));
        }
        found.push(Node::bare(Value::Table(entries)));
    }
    Ok(found)
}
