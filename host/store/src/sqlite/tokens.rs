//! Tokens in SQL, and the way to them for a command beside a running server.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Row};
use watchkeeper_engine::time::Timestamp;

use super::database;
use super::folder::Folder;
use super::{STATE, STATE_SCHEMA};
use crate::error::StoreError;
use crate::token::{Digest, Scope, Token, TokenId};

/// The tokens of a data folder, whether a server uses the folder or not.
///
/// Beside a server this writes to the server's database: a few rows now and then,
/// for which both wait for each other. Blocks the thread.
pub struct TokenBook {
    connection: Connection,
    /// Held where no server does.
    _folder: Option<Folder>,
}

impl TokenBook {
    /// Opens the tokens of the data folder `path`; makes the folder where it is
    /// missing.
    pub fn open(path: &Path, now: Timestamp) -> Result<Self, StoreError> {
        database::assert_version()?;
        match Folder::claim(path) {
            Ok(folder) => Ok(Self {
                connection: database::open_writer(&folder.file(STATE), &STATE_SCHEMA, now)?,
                _folder: Some(folder),
            }),
            Err(StoreError::InUse { .. }) => Ok(Self {
                connection: database::open_beside(&path.join(STATE), &STATE_SCHEMA)?,
                _folder: None,
            }),
            Err(error) => Err(error),
        }
    }

    /// Keeps a token of which this is the digest.
    pub fn add(
        &self,
        name: &str,
        digest: &Digest,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<TokenId, StoreError> {
        let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
        let insert = "INSERT INTO token (name, digest, scopes, created_at) VALUES (?, ?, ?, ?)";
        let values = (name, digest, words.join(" "), now.as_millis());
        self.connection.execute(insert, values)?;
        Ok(TokenId(self.connection.last_insert_rowid()))
    }

    /// Every token, oldest first.
    pub fn list(&self) -> Result<Vec<Token>, StoreError> {
        let select = format!("{SELECT} ORDER BY id");
        let mut statement = self.connection.prepare(&select)?;
        let tokens = statement.query_map((), token)?;
        Ok(tokens.collect::<Result<_, _>>()?)
    }

    /// Forgets a token, at once and for good. Whether there was one.
    pub fn revoke(&self, id: TokenId) -> Result<bool, StoreError> {
        let delete = "DELETE FROM token WHERE id = ?";
        Ok(self.connection.execute(delete, [id.0])? > 0)
    }
}

/// What [`token`] reads.
const SELECT: &str = "SELECT id, name, scopes, created_at FROM token";

/// The token with this digest.
///
/// How long the search takes tells something of the digest at most, from which
/// nothing follows about the token.
pub(super) fn find(connection: &Connection, digest: &Digest) -> Result<Option<Token>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE digest = ?"))?;
    Ok(statement.query_row([digest], token).optional()?)
}

fn token(row: &Row<'_>) -> rusqlite::Result<Token> {
    let scopes: String = row.get(2)?;
    Ok(Token {
        id: TokenId(row.get(0)?),
        name: row.get(1)?,
        // A word that a newer version knows grants nothing in this one.
        scopes: scopes.split(' ').filter_map(Scope::from_word).collect(),
        created_at: Timestamp::from_millis(row.get(3)?),
    })
}
