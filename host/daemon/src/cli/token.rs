//! `watchkeeper token`: who may use the API.

use std::fmt::Write as _;

use clap::Subcommand;
use comfy_table::{Table, presets};
use serde_json::json;
use watchkeeper_config::Config;
use watchkeeper_store::{Scope, StoreError, Token, TokenBook, TokenId};

use super::{Exit, complain, print};
use crate::clock;
use crate::intake::digest;

/// How many random bytes a token has: as many as its digest, so that neither can
/// be guessed.
const RANDOM: usize = 32;

/// What every token begins with, so that people and scanners know one when they
/// see it.
const PREFIX: &str = "wk_";

/// The longest name, in characters.
const LONGEST_NAME: usize = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token and print it. It is shown this once: only its digest is kept
    Create {
        /// What to call it, so that you know whose it is
        name: String,
        /// What it may be used for: `read`, `report`, `write` (both and more) or `admin`; may be
        /// given several times
        #[arg(long = "scope", required = true, value_parser = scope)]
        scopes: Vec<Scope>,
    },
    /// List the tokens there are
    List,
    /// Make a token worthless, at once
    Revoke {
        /// Its number, as `list` shows it
        id: i64,
    },
}

impl TokenCommand {
    /// Does what was asked, in the data folder of `config`.
    pub(crate) fn run(self, config: &Config, json: bool) -> anyhow::Result<Exit> {
        let book = match TokenBook::open(&config.server.data, clock::wall()) {
            Ok(book) => book,
            Err(problem) => {
                complain(&format!("the tokens cannot be read: {problem}"));
                return Ok(Exit::Internal);
            }
        };
        match self {
            Self::Create { name, scopes } => create(&book, &name, scopes, json),
            Self::List => list(&book, json),
            Self::Revoke { id } => revoke(&book, id),
        }
    }
}

fn scope(word: &str) -> Result<Scope, String> {
    Scope::from_word(word).ok_or_else(|| {
        let words = Scope::ALL.map(Scope::as_str).join(", ");
        format!("the scopes are {words}")
    })
}

fn create(
    book: &TokenBook,
    name: &str,
    mut scopes: Vec<Scope>,
    json: bool,
) -> anyhow::Result<Exit> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        complain(&format!(
            "a name is one line of at most {LONGEST_NAME} characters"
        ));
        return Ok(Exit::Usage);
    }
    scopes.sort_unstable();
    scopes.dedup();
    let mut random = [0_u8; RANDOM];
    getrandom::fill(&mut random)?;
    let mut token = PREFIX.to_owned();
    for byte in random {
        write!(token, "{byte:02x}")?;
    }
    let id = book.add(name, &digest(&token), &scopes, clock::wall())?;
    if json {
        let shown = json!({ "id": id.0, "name": name, "scopes": words(&scopes), "token": token });
        print(&shown.to_string())?;
    } else {
        // The token alone, so that it can be piped into a file.
        print(&token)?;
    }
    Ok(Exit::Fine)
}

fn list(book: &TokenBook, json: bool) -> anyhow::Result<Exit> {
    let tokens = book.list()?;
    if json {
        let rows: Vec<_> = tokens.iter().map(as_json).collect();
        print(&serde_json::to_string_pretty(&rows)?)?;
        return Ok(Exit::Fine);
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["id", "name", "scopes", "made"]);
    for token in &tokens {
        table.add_row([
            token.id.0.to_string(),
            token.name.clone(),
            words(&token.scopes).join(", "),
            made(token),
        ]);
    }
    print(&table.trim_fmt())?;
    Ok(Exit::Fine)
}

fn revoke(book: &TokenBook, id: i64) -> Result<Exit, anyhow::Error> {
    let revoked: Result<bool, StoreError> = book.revoke(TokenId(id));
    if revoked? {
        return Ok(Exit::Fine);
    }
    complain(&format!("there is no token {id}"));
    Ok(Exit::Usage)
}

fn as_json(token: &Token) -> serde_json::Value {
    json!({
        "id": token.id.0,
        "name": token.name,
        "scopes": words(&token.scopes),
        "made": made(token),
    })
}

fn words(scopes: &[Scope]) -> Vec<&'static str> {
    scopes.iter().map(|scope| scope.as_str()).collect()
}

/// When it was made, to the second.
fn made(token: &Token) -> String {
    jiff::Timestamp::from_second(token.created_at.as_secs())
        .map(|at| at.to_string())
        .unwrap_or_default()
}
