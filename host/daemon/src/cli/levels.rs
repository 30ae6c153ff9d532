//! `watchkeeper sla` and `watchkeeper breach`: how well promises are kept, asked of the
//! server that runs.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use form_urlencoded::Serializer;
use hyper::Method;
use serde_json::Value;

use super::api::Connection;
use super::check::printable;
use super::{Exit, Global, past, print};

/// Tell how well promises are kept: uptime, error budget, outages. Needs a token with the scope
/// `read`
#[derive(Debug, Args)]
pub(crate) struct Sla {
    /// `service` or `service/monitor`; none: all of which something is promised
    item: Option<String>,
    /// `day`, `week`, `month`, `quarter`, `year`, or a span such as `30d`; by default that of each
    /// promise
    #[arg(long)]
    period: Option<String>,
    /// A day in the period, such as `2026-11-21`; by default today
    #[arg(long, value_name = "DAY")]
    at: Option<String>,
    /// Instead of a period: the first day, or a time such as `2026-11-21T08:00:00Z`
    #[arg(long, conflicts_with_all = ["period", "at"], value_name = "DAY")]
    from: Option<String>,
    /// With `--from`: the last day, or a time; by default now
    #[arg(long, requires = "from", value_name = "DAY")]
    to: Option<String>,
    /// Print a table as CSV
    #[arg(long)]
    csv: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BreachCommand {
    /// Acknowledge a breach. Needs a token with the scope `write`
    Ack {
        /// Its number, as `list` shows it
        id: i64,
        #[command(flatten)]
        connection: Connection,
    },
    /// List broken promises, newest first
    List {
        /// Also those that somebody has acknowledged
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        connection: Connection,
    },
}

impl BreachCommand {
    /// Does what was asked.
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Ack { id, connection } => {
                let path = format!("/api/v1/sla/breaches/{id}/ack");
                let asked = connection.ask(global, Method::POST, &path, None).await;
                past::tell(asked, global, |answer| {
                    let by = answer["acknowledged"]["by"].as_str().unwrap_or_default();
                    format!("breach {id}: acknowledged by {}", printable(by))
                })
            }
            Self::List { all, connection } => {
                let state = (!all).then_some(("acknowledged", "false"));
                let first = past::path("/api/v1/sla/breaches", state);
                let keys = [
                    "id", "service", "monitor", "period", "starts", "target", "kept", "found",
                ];
                past::list(&connection, global, first, keys, |_| true).await
            }
        }
    }
}

impl Sla {
    /// Does what was asked.
    pub(crate) async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let mut query = Serializer::new(String::new());
        let pairs = [
            ("item", &self.item),
            ("period", &self.period),
            ("at", &self.at),
            ("from", &self.from),
            ("to", &self.to),
        ];
        for (key, value) in pairs {
            if let Some(value) = value {
                query.append_pair(key, value);
            }
        }
        // What was not promised has no period of its own, but may be asked for.
        let is_of_promises = self.period.is_none() && self.from.is_none();
        let list = if is_of_promises { "sla" } else { "analytics" };
        let ending = if self.csv { ".csv" } else { "" };
        let path = format!("/api/v1/{list}{ending}?{}", query.finish());
        let answer = match self
            .connection
            .fetch(global, Method::GET, &path, None)
            .await
        {
            Ok(answer) => answer,
            Err(exit) => return Ok(exit),
        };
        if self.csv {
            print(answer.text.trim_end())?;
        } else if global.json {
            print(&answer.body.to_string())?;
        } else {
            print(table(&answer.body).trim_fmt().trim_end())?;
        }
        Ok(Exit::Fine)
    }
}

fn table(report: &Value) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header([
        "what",
        "period",
        "target",
        "uptime",
        "met",
        "budget left",
        "outages",
        "longest",
        "mttr",
        "p95",
    ]);
    for item in report["items"].as_array().into_iter().flatten() {
        let text = |key: &str| item[key].as_str().unwrap_or_default();
        let name = match item["monitor"].as_str() {
            Some(monitor) => format!("{}/{monitor}", text("service")),
            None => text("service").to_owned(),
        };
        let percent = |key: &str| match item[key].as_f64() {
            Some(share) => format!("{share} %"),
            None => "-".to_owned(),
        };
        let met = match item["met"].as_bool() {
            Some(true) => "yes",
            Some(false) => "no",
            None => "-",
        };
        table.add_row([
            printable(&name),
            printable(text("period")),
            percent("target"),
            percent("uptime"),
            met.to_owned(),
            time(&item["budget"]["left_s"]),
            item["outages"]["count"].to_string(),
            time(&item["outages"]["longest_s"]),
            time(&item["outages"]["mttr_s"]),
            match item["latency"]["p95_ms"].as_f64() {
                Some(millis) => format!("{millis:.0} ms"),
                None => "-".to_owned(),
            },
        ]);
    }
    table
}

/// Seconds in words.
fn time(seconds: &Value) -> String {
    let Some(seconds) = seconds.as_f64() else {
        return "-".to_owned();
    };
    let sign = if seconds < 0.0 { "-" } else { "" };
    let span = std::time::Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
    format!("{sign}{}", watchkeeper_engine::time::spell(span))
}
