//! Parts of the configuration in SQL.

use rusqlite::{Connection, Row};
use watchkeeper_engine::time::Timestamp;

use crate::error::StoreError;
use crate::item::{ItemChange, ItemRow};

/// Every part, in the order in which they were made.
pub(super) fn all(connection: &Connection) -> Result<Vec<ItemRow>, StoreError> {
    let select = "SELECT kind, id, text, version, created_at, updated_at FROM item \
                  ORDER BY created_at, kind, id";
    let mut statement = connection.prepare_cached(select)?;
    let items = statement.query_map((), item)?;
    Ok(items.collect::<Result<_, _>>()?)
}

/// Makes all of `changes`, in order.
pub(super) fn change(connection: &Connection, changes: &[ItemChange]) -> Result<(), StoreError> {
    let put = "INSERT INTO item (kind, id, text, version, created_at, updated_at) \
               VALUES (?, ?, ?, ?, ?, ?) \
               ON CONFLICT (kind, id) DO UPDATE SET text = excluded.text, \
               version = excluded.version, created_at = excluded.created_at, \
               updated_at = excluded.updated_at";
    for change in changes {
        match change {
            ItemChange::Put(row) => {
                let values = (
                    &row.kind,
                    &row.id,
                    &row.text,
                    row.version,
                    row.created_at.as_millis(),
                    row.updated_at.as_millis(),
                );
                connection.prepare_cached(put)?.execute(values)?;
            }
            ItemChange::Remove { kind, id } => {
                let remove = "DELETE FROM item WHERE kind = ? AND id = ?";
                connection.prepare_cached(remove)?.execute((kind, id))?;
            }
        }
    }
    Ok(())
}

fn item(row: &Row<'_>) -> rusqlite::Result<ItemRow> {
    Ok(ItemRow {
        kind: row.get(0)?,
        id: row.get(1)?,
        text: row.get(2)?,
        version: row.get(3)?,
        created_at: Timestamp::from_millis(row.get(4)?),
        updated_at: Timestamp::from_millis(row.get(5)?),
    })
}
