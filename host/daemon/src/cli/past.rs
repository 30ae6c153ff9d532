//! `watchkeeper incident` and `watchkeeper deliveries`: what happened and who was
//! told of it, asked of the server that runs.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use form_urlencoded::Serializer;
use hyper::Method;
use serde_json::{Value, json};
use watchkeeper_engine::id::ChannelId;

use super::api::Connection;
use super::check::printable;
use super::{Exit, Global, print};

/// How many rows one answer holds.
const PAGE: &str = "200";

/// How many rows are asked for at most; more are for programs, with `--json`.
const MOST: usize = 2_000;

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// List incidents, newest first. Needs a token with the scope `read`
    List {
        /// Also those that are over
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Open an incident by hand. Needs a token with the scope `write`
    Open {
        /// What happened, in a line
        title: String,
        /// A service that it hits, by its id; may be given again
        #[arg(long = "service", value_name = "ID", required = true)]
        services: Vec<String>,
        /// How bad it is: `minor`, `major` or `critical`
        #[arg(long, default_value = "minor")]
        severity: String,
        /// How far the work is: `investigating`, `identified`, `monitoring` or `resolved`
        #[arg(long, default_value = "investigating")]
        state: String,
        /// What to say first, in Markdown
        #[arg(long, short = 'm', default_value = "")]
        text: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Say what is going on in an incident. Needs a token with the scope `write`
    Update {
        /// Its number, as `list` shows it
        id: u32,
        /// What is going on, in Markdown
        text: String,
        /// How far the work is from now on: `investigating`, `identified`, `monitoring` or `resolved`
        #[arg(long)]
        state: Option<String>,
        /// Show it to nobody but those who may use the API
        #[arg(long)]
        internal: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Go on with an incident as another one. Needs a token with the scope `write`
    Merge {
        /// Its number, as `list` shows it
        id: u32,
        /// The number of the one that it is part of from now on
        into: u32,
        #[command(flatten)]
        connection: Connection,
    },
    /// Take an incident: nobody is reminded of it any more. Needs a token with the scope `write`
    Ack {
        /// Its number, as `list` shows it
        id: u32,
        /// Who takes it; by default whoever the token is called after
        #[arg(long, default_value = "")]
        by: String,
        /// What the others should know
        #[arg(long, short = 'm', default_value = "")]
        note: String,
        #[command(flatten)]
        connection: Connection,
    },
}

/// List notices and how far they are, newest first. Needs a token with the scope `read`
#[derive(Debug, Args)]
pub(crate) struct Deliveries {
    /// Only those that were given up
    #[arg(long)]
    failed: bool,
    /// Only those that wait to be delivered
    #[arg(long, conflicts_with = "failed")]
    pending: bool,
    /// Only those to this channel
    #[arg(long, value_parser = channel)]
    channel: Option<ChannelId>,
    /// Try the one with this number again, which was given up. Needs a token with the scope `write`
    #[arg(long, value_name = "ID", conflicts_with_all = ["failed", "pending", "channel"])]
    retry: Option<i64>,
    #[command(flatten)]
    connection: Connection,
}

impl IncidentCommand {
    /// Does what was asked.
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::List { all, connection } => {
                let state = (!all).then_some(("state", "open"));
                let first = path("/api/v1/incidents", state);
                let keys = ["id", "state", "severity", "started", "resolved", "title"];
                list(&connection, global, first, keys, |_| true).await
            }
            Self::Open {
                title,
                services,
                severity,
                state,
                text,
                connection,
            } => {
                let body = json!({
                    "title": title,
                    "services": services,
                    "severity": severity,
                    "state": state,
                    "text": text,
                });
                does(&connection, global, "", Some(&body)).await
            }
            Self::Update {
                id,
                text,
                state,
                internal,
                connection,
            } => {
                let body = json!({ "text": text, "state": state, "public": !internal });
                does(&connection, global, &format!("/{id}/updates"), Some(&body)).await
            }
            Self::Merge {
                id,
                into,
                connection,
            } => {
                let body = json!({ "into": into });
                does(&connection, global, &format!("/{id}/merge"), Some(&body)).await
            }
            Self::Ack {
                id,
                by,
                note,
                connection,
            } => {
                let path = format!("/api/v1/incidents/{id}/ack");
                let body = json!({ "by": by, "note": note });
                let asked = connection
                    .ask(global, Method::POST, &path, Some(&body))
                    .await;
                tell(asked, global, |answer| {
                    format!(
                        "incident {id}: acknowledged by {}",
                        printable(answer["by"].as_str().unwrap_or_default())
                    )
                })
            }
        }
    }
}

/// Has the server do something to an incident.
async fn does(
    connection: &Connection,
    global: &Global,
    place: &str,
    body: Option<&Value>,
) -> anyhow::Result<Exit> {
    let path = format!("/api/v1/incidents{place}");
    let asked = connection.ask(global, Method::POST, &path, body).await;
    tell(asked, global, |answer| {
        let state = answer["state"].as_str().unwrap_or_default();
        format!("incident {}: {}", answer["id"], printable(state))
    })
}

impl Deliveries {
    /// Does what was asked.
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        if let Some(id) = self.retry {
            let path = format!("/api/v1/deliveries/{id}/retry");
            let asked = self.connection.ask(global, Method::POST, &path, None).await;
            return tell(asked, global, |_| {
                format!("delivery {id}: it is tried again")
            });
        }
        let state = match (self.failed, self.pending) {
            (true, _) => Some(("state", "failed")),
            (_, true) => Some(("state", "pending")),
            _ => None,
        };
        let channel = self.channel.as_ref().map(|id| ("channel", id.as_str()));
        let first = path("/api/v1/deliveries", state.into_iter().chain(channel));
        let keys = [
            "id", "channel", "state", "attempts", "created", "title", "error",
        ];
        list(&self.connection, global, first, keys, |_| true).await
    }
}

fn channel(text: &str) -> Result<ChannelId, String> {
    ChannelId::new(text).map_err(|problem| problem.to_string())
}

pub(super) fn path<'a>(start: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("limit", PAGE).extend_pairs(pairs);
    format!("{start}?{}", query.finish())
}

/// Prints what `is_shown` of every page of a list that begins at `first`.
pub(super) async fn list<const N: usize>(
    connection: &Connection,
    global: &Global,
    first: String,
    keys: [&str; N],
    is_shown: impl Fn(&Value) -> bool,
) -> anyhow::Result<Exit> {
    let mut rows = Vec::new();
    let mut next = Some(first);
    while let Some(path) = next.filter(|_| rows.len() < MOST) {
        let mut page = match connection.ask(global, Method::GET, &path, None).await {
            Ok(page) => page,
            Err(exit) => return Ok(exit),
        };
        next = page["next"].as_str().map(str::to_owned);
        if let Value::Array(items) = page["items"].take() {
            rows.extend(items.into_iter().filter(&is_shown));
        }
    }
    if global.json {
        print(&Value::Array(rows).to_string())?;
        return Ok(Exit::Fine);
    }
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(keys);
    for row in &rows {
        table.add_row(keys.map(|key| cell(&row[key])));
    }
    print(table.trim_fmt().trim_end())?;
    Ok(Exit::Fine)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => printable(text),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(span) if span.contains_key("starts") => {
            format!("{} to {}", cell(&span["starts"]), cell(&span["ends"]))
        }
        other => other.to_string(),
    }
}

/// Says what was done.
pub(super) fn tell(
    asked: Result<Value, Exit>,
    global: &Global,
    words: impl Fn(&Value) -> String,
) -> anyhow::Result<Exit> {
    match asked {
        Ok(answer) => {
            if global.json {
                print(&answer.to_string())?;
            } else {
                print(&words(&answer))?;
            }
            Ok(Exit::Fine)
        }
        Err(exit) => Ok(exit),
    }
}
