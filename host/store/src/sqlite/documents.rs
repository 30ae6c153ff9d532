//! Documents in SQL.

use std::collections::BTreeMap;

use rusqlite::{Connection, named_params};
use tracing::error;
use watchkeeper_engine::time::Timestamp;

use crate::document::{Document, DocumentKey, DocumentKind};
use crate::error::StoreError;

/// Every document. One of a kind that this version does not know is left out and
/// stays as it is.
pub(super) fn all(connection: &Connection) -> Result<BTreeMap<DocumentKey, Document>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, id, revision, created_at, updated_at, content FROM document",
    )?;
    let mut rows = statement.query(())?;
    let mut all = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (kind, id): (String, String) = (row.get(0)?, row.get(1)?);
        let Some(kind) = DocumentKind::from_word(&kind) else {
            error!(kind, id, "document in the database cannot be read");
            continue;
        };
        let key = DocumentKey {
            kind,
            id: id.into(),
        };
        let document = Document {
            revision: row.get(2)?,
            created_at: Timestamp::from_millis(row.get(3)?),
            updated_at: Timestamp::from_millis(row.get(4)?),
            content: row.get(5)?,
        };
        all.insert(key, document);
    }
    Ok(all)
}

/// Writes a document, or removes it.
pub(super) fn put(
    connection: &Connection,
    key: &DocumentKey,
    document: Option<&Document>,
) -> Result<(), StoreError> {
    let (kind, id) = (key.kind.as_str(), &*key.id);
    let Some(document) = document else {
        connection
            .prepare_cached("DELETE FROM document WHERE (kind, id) = (?, ?)")?
            .execute((kind, id))?;
        return Ok(());
    };
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO document VALUES
                 (:kind, :id, :revision, :created_at, :updated_at, :content)",
        )?
        .execute(named_params! {
            ":kind": kind,
            ":id": id,
            ":revision": document.revision,
            ":created_at": document.created_at.as_millis(),
            ":updated_at": document.updated_at.as_millis(),
            ":content": document.content,
        })?;
    Ok(())
}
