//! Tokens in SQL.

use rusqlite::{Connection, OptionalExtension as _, Row};
use watchkeeper_engine::time::Timestamp;

use crate::error::StoreError;
use crate::token::{Digest, Scope, Token, TokenId};

/// What [`token`] reads.
const SELECT: &str = "SELECT id, name, scopes, created_at, expires_at FROM token";

/// Keeps a token of which this is the digest.
pub(super) fn add(
    connection: &Connection,
    name: &str,
    digest: &Digest,
    scopes: &[Scope],
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<TokenId, StoreError> {
    let words: Vec<_> = scopes.iter().map(|scope| scope.as_str()).collect();
    let insert = "INSERT INTO token (name, digest, scopes, created_at, expires_at)
         VALUES (?, ?, ?, ?, ?)";
    let expires_at = expires_at.map(Timestamp::as_millis);
    let values = (name, digest, words.join(" "), now.as_millis(), expires_at);
    connection.execute(insert, values)?;
    Ok(TokenId(connection.last_insert_rowid()))
}

/// Every token, oldest first.
pub(super) fn all(connection: &Connection) -> Result<Vec<Token>, StoreError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} ORDER BY id"))?;
    let tokens = statement.query_map((), token)?;
    Ok(tokens.collect::<Result<_, _>>()?)
}

/// The token with this digest, be it good or not any more.
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
        expires_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
    })
}
