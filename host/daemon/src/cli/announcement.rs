//! `watchkeeper announcement`: what everyone should know, on the server that runs.

use clap::{Subcommand, ValueEnum};
use hyper::Method;
use serde_json::{Value, json};

use super::api::Connection;
use super::check::printable;
use super::past::{list, path, tell};
use super::{Exit, Global};

const PATH: &str = "/api/v1/announcements";

#[derive(Debug, Subcommand)]
pub(crate) enum AnnouncementCommand {
    /// Announce something. Needs a token with the scope `write`
    Add {
        /// The sentence to begin with
        title: String,
        /// What else there is to say, in Markdown
        #[arg(long, short = 'm', default_value = "")]
        text: String,
        /// What kind of announcement it is
        #[arg(long, value_enum, default_value = "information")]
        kind: KindWord,
        /// When it is shown from, such as `2026-12-01T02:00:00Z`; by default now
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// When it is shown no more; by default never
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Show it above the others
        #[arg(long)]
        pinned: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// List announcements. Needs a token with the scope `read`
    List {
        /// Also those that are not shown now
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Remove an announcement. Needs a token with the scope `write`
    Remove {
        /// Its id, as `list` shows it
        #[arg(value_parser = id)]
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// What kind of announcement it is.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum KindWord {
    /// Good to know
    Information,
    /// Something will be otherwise than people are used to
    Warning,
    /// Something does not work
    Outage,
    /// Something works again, or is there that was not
    Operational,
}

impl AnnouncementCommand {
    /// Does what was asked.
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Add {
                title,
                text,
                kind,
                from,
                until,
                pinned,
                connection,
            } => {
                let body = json!({
                    "title": title,
                    "text": text,
                    "kind": match kind {
                        KindWord::Information => "information",
                        KindWord::Warning => "warning",
                        KindWord::Outage => "outage",
                        KindWord::Operational => "operational",
                    },
                    "from": from,
                    "until": until,
                    "pinned": pinned,
                });
                let asked = connection
                    .ask(global, Method::POST, PATH, Some(&body))
                    .await;
                tell(asked, global, |answer| {
                    let id = answer["id"].as_str().unwrap_or_default();
                    format!("announcement {}", printable(id))
                })
            }
            Self::List { all, connection } => {
                let shown = (!all).then_some(("shown", "true"));
                let first = path(PATH, shown);
                let keys = ["id", "kind", "pinned", "from", "until", "title"];
                list(&connection, global, first, keys, |_| true).await
            }
            Self::Remove { id, connection } => {
                let path = format!("{PATH}/{id}");
                let asked = connection.ask(global, Method::DELETE, &path, None).await;
                tell(asked, global, |_: &Value| {
                    format!("announcement {id}: it is shown no more")
                })
            }
        }
    }
}

/// An id is part of an address.
fn id(text: &str) -> Result<String, String> {
    let fits = !text.is_empty()
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || it == b'-');
    if fits {
        Ok(text.to_owned())
    } else {
        Err("must be an id as `list` shows it".to_owned())
    }
}
