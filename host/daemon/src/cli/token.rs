//! `watchkeeper token`: who may use the API.

use clap::Subcommand;
use comfy_table::{Table, presets};
use serde_json::json;
use watchkeeper_config::Config;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::{AccessBook, Act, Acted, Scope, Token, TokenId};

use super::user::deed;
use super::{Exit, complain, print};
use crate::clock;
use crate::intake::digest;
use crate::staff::{self, TOKEN_PREFIX};

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
        /// For how many days it is good; without it, until it is revoked
        #[arg(long = "expires", value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires: Option<u32>,
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
        let mut book = match AccessBook::open(&config.server.data, clock::wall()) {
            Ok(book) => book,
            Err(problem) => {
                complain(&format!("the tokens cannot be read: {problem}"));
                return Ok(Exit::Internal);
            }
        };
        match self {
            Self::Create {
                name,
                scopes,
                expires,
            } => create(&mut book, &name, scopes, expires, json),
            Self::List => list(&book, json),
            Self::Revoke { id } => revoke(&mut book, id),
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
    book: &mut AccessBook,
    name: &str,
    mut scopes: Vec<Scope>,
    expires: Option<u32>,
    json: bool,
) -> anyhow::Result<Exit> {
    let name = match staff::name_of(name) {
        Ok(name) => name,
        Err(why) => {
            complain(why);
            return Ok(Exit::Usage);
        }
    };
    scopes.sort_unstable();
    scopes.dedup();
    let token = staff::secret(TOKEN_PREFIX)?;
    let act = Act::AddToken {
        name: name.to_owned(),
        digest: digest(&token),
        scopes: scopes.clone(),
        expires_at: expires.map(|days| staff::in_days(clock::wall(), days)),
    };
    let subject = format!("{name}: {}", words(&scopes).join(", "));
    let Acted::Token(id) = book.act(&act, &deed("token.create", subject))? else {
        anyhow::bail!("the token was not made");
    };
    if json {
        let shown = json!({ "id": id.0, "name": name, "scopes": words(&scopes), "token": token });
        print(&shown.to_string())?;
    } else {
        // The token alone, so that it can be piped into a file.
        print(&token)?;
    }
    Ok(Exit::Fine)
}

fn list(book: &AccessBook, json: bool) -> anyhow::Result<Exit> {
    let tokens = book.tokens()?;
    if json {
        let rows: Vec<_> = tokens.iter().map(as_json).collect();
        print(&serde_json::to_string_pretty(&rows)?)?;
        return Ok(Exit::Fine);
    }
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["id", "name", "scopes", "made", "expires"]);
    for token in &tokens {
        table.add_row([
            token.id.0.to_string(),
            token.name.clone(),
            words(&token.scopes).join(", "),
            moment(token.created_at),
            token.expires_at.map_or_else(|| "never".to_owned(), moment),
        ]);
    }
    print(&table.trim_fmt())?;
    Ok(Exit::Fine)
}

fn revoke(book: &mut AccessBook, id: i64) -> anyhow::Result<Exit> {
    let token = TokenId(id);
    let tokens = book.tokens()?;
    let found = tokens.into_iter().find(|known| known.id == token);
    let act = Act::RevokeToken { token };
    if let Some(found) = found
        && book.act(&act, &deed("token.revoke", found.name))?.is_done()
    {
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
        "made": moment(token.created_at),
        "expires": token.expires_at.map(moment),
    })
}

fn words(scopes: &[Scope]) -> Vec<&'static str> {
    scopes.iter().map(|scope| scope.as_str()).collect()
}

/// A time, to the second.
pub(super) fn moment(at: Timestamp) -> String {
    jiff::Timestamp::from_second(at.as_secs())
        .map(|at| at.to_string())
        .unwrap_or_default()
}
