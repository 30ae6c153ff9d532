//! `watchkeeper maintenance`: what is planned, on the server that runs.

use clap::Subcommand;
use hyper::Method;
use serde_json::{Map, Value, json};
use watchkeeper_engine::id::MaintenanceId;

use super::api::Connection;
use super::check::printable;
use super::past::{list, path, tell};
use super::{Exit, Global};
use crate::clock;

#[derive(Debug, Subcommand)]
pub(crate) enum MaintenanceCommand {
    /// Begin a maintenance, or plan one: nobody is told of what it covers, and uptime leaves the time
    /// out. Needs a token with the scope `write`
    Start {
        /// A service that it covers, by its id; may be given again
        #[arg(
            long = "service",
            value_name = "ID",
            required_unless_present = "monitors"
        )]
        services: Vec<String>,
        /// A monitor that it covers, as `service/monitor`; may be given again
        #[arg(long = "monitor", value_name = "ID")]
        monitors: Vec<String>,
        /// How long it takes: `30m`, `1h30m`
        #[arg(long = "for", value_name = "SPAN")]
        lasts: String,
        /// When it begins, such as `2026-12-01T02:00:00Z`; by default now
        #[arg(long, value_name = "TIME", conflicts_with = "cron")]
        at: Option<String>,
        /// When it begins again and again, as in a crontab
        #[arg(long)]
        cron: Option<String>,
        /// The zone of `--cron` and of a time without an offset; by default the page's
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
        /// What is done, in a line
        #[arg(long)]
        title: Option<String>,
        /// What people will notice of it, in Markdown
        #[arg(long, short = 'm')]
        description: Option<String>,
        /// By what it is known; by default one is made
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// List what is planned or goes on. Needs a token with the scope `read`
    List {
        /// Also what is over or was called off
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// End what goes on: from now on people are told again. Needs a token with the scope `write`
    End {
        /// Its id, as `list` shows it
        #[arg(value_parser = id)]
        id: MaintenanceId,
        #[command(flatten)]
        connection: Connection,
    },
    /// Call a maintenance off. Needs a token with the scope `write`
    Cancel {
        /// Its id, as `list` shows it
        #[arg(value_parser = id)]
        id: MaintenanceId,
        #[command(flatten)]
        connection: Connection,
    },
}

impl MaintenanceCommand {
    /// Does what was asked.
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Start {
                services,
                monitors,
                lasts,
                at,
                cron,
                time_zone,
                title,
                description,
                id,
                connection,
            } => {
                let starts = at.or_else(|| cron.is_none().then(now));
                let mut body = Map::new();
                body.insert("services".to_owned(), json!(services));
                body.insert("monitors".to_owned(), json!(monitors));
                let texts = [
                    ("id", id),
                    ("title", title),
                    ("description", description),
                    ("starts", starts),
                    ("lasts", Some(lasts)),
                    ("cron", cron),
                    ("time_zone", time_zone),
                ];
                for (key, text) in texts {
                    if let Some(text) = text {
                        body.insert(key.to_owned(), text.into());
                    }
                }
                let body = Value::Object(body);
                let path = "/api/v1/maintenances";
                let asked = connection
                    .ask(global, Method::POST, path, Some(&body))
                    .await;
                tell(asked, global, said)
            }
            Self::List { all, connection } => {
                let first = path("/api/v1/maintenances", None);
                let keys = [
                    "id", "state", "window", "title", "services", "monitors", "source",
                ];
                let is_shown = |row: &Value| {
                    all || matches!(row["state"].as_str(), Some("scheduled" | "in-progress"))
                };
                list(&connection, global, first, keys, is_shown).await
            }
            Self::End { id, connection } => does(&connection, global, &id, "end").await,
            Self::Cancel { id, connection } => does(&connection, global, &id, "cancel").await,
        }
    }
}

/// Has the server do something to a maintenance.
async fn does(
    connection: &Connection,
    global: &Global,
    id: &MaintenanceId,
    what: &str,
) -> anyhow::Result<Exit> {
    let path = format!("/api/v1/maintenances/{id}/{what}");
    let asked = connection.ask(global, Method::POST, &path, None).await;
    tell(asked, global, said)
}

fn said(answer: &Value) -> String {
    let text = |value: &Value| printable(value.as_str().unwrap_or("-"));
    let window = &answer["window"];
    format!(
        "maintenance {}: {}, {} to {}",
        text(&answer["id"]),
        text(&answer["state"]),
        text(&window["starts"]),
        text(&window["ends"]),
    )
}

/// The time, to the millisecond, as the API takes it.
fn now() -> String {
    let at = jiff::Timestamp::from_millisecond(clock::wall().as_millis());
    at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

fn id(text: &str) -> Result<MaintenanceId, String> {
    MaintenanceId::new(text).map_err(|problem| problem.to_string())
}
