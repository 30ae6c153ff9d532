//! What a table of tests says.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Deserialize;
use watchkeeper_sandbox::{Affected, Notice, Occasion, Verdict};

use super::files_of;
use crate::cli::setting::duration;

/// The largest table that is read, in bytes.
const MAX_BYTES: u64 = 4 << 20;

/// 2026-01-01T00:00:00Z: when the notices of tests happen.
const SINCE: Duration = Duration::from_hours(490_896);

/// The tests of one file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(rename = "test")]
    pub(super) tests: Vec<Case>,
}

/// One test. `{http}`, `{tcp}` and `{closed}` in its texts stand for the address
/// and port of the servers that it starts, and of one where nobody listens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    /// What a probe checks.
    pub(super) target: Option<String>,
    #[serde(default)]
    pub(super) config: toml::Table,
    /// Grants beyond those of target and configuration.
    #[serde(default)]
    pub(super) allow: Vec<String>,
    timeout: Option<String>,
    /// What the HTTP server answers, one after the other; the last goes on.
    #[serde(default)]
    pub(super) http: Vec<HttpAnswer>,
    /// What the TCP server does on each connection.
    #[serde(default)]
    pub(super) tcp: Vec<TcpStep>,
    /// What a notifier is told, where it matters.
    #[serde(default)]
    pub(super) notice: NoticePart,
    /// Begin with what the test before left in the plugin's state.
    #[serde(default)]
    pub(super) keep_state: bool,
    pub(super) expect: Expect,
}

/// An answer of the HTTP server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpAnswer {
    /// Only to requests of this method.
    pub(super) method: Option<String>,
    /// Only to requests of this path, query included.
    pub(super) path: Option<String>,
    /// 200 unless said otherwise.
    pub(super) status: Option<u16>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Option<String>,
    /// A body written as TOML and sent as JSON.
    pub(super) json: Option<toml::Value>,
    /// How long the answer takes.
    pub(super) delay: Option<String>,
    /// Close the connection instead of answering.
    #[serde(default)]
    pub(super) close: bool,
    /// Send this instead of an answer.
    pub(super) garbage: Option<String>,
}

/// A step of the TCP server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TcpStep {
    /// Wait for a line that contains this.
    pub(super) expect: Option<String>,
    /// Wait for so long.
    pub(super) delay: Option<String>,
    /// Send this.
    pub(super) send: Option<String>,
    /// Close the connection.
    #[serde(default)]
    pub(super) close: bool,
}

/// What differs from the notice that tests deliver: a target that has died.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoticePart {
    id: Option<String>,
    occasion: Option<OccasionWord>,
    health: Option<HealthWord>,
    previous: Option<HealthWord>,
    title: Option<String>,
    body: Option<String>,
    lasted: Option<String>,
    reminder: Option<u32>,
    page_title: Option<String>,
    page_url: Option<String>,
    incident_url: Option<String>,
    thread: Option<String>,
    acknowledge_url: Option<String>,
    affected: Option<Vec<AffectedPart>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AffectedPart {
    #[serde(default)]
    id: String,
    service: String,
    monitor: String,
    health: HealthWord,
    reason: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HealthWord {
    Healthy,
    Sick,
    Dead,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OccasionWord {
    Startup,
    Changed,
    Reminder,
    Incident,
    Maintenance,
    Announcement,
    Breach,
    Trial,
}

/// What has to come out; what is not said may be anything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expect {
    /// `healthy`, `sick`, `dead`, or how a run ends without a verdict:
    /// `misconfigured`, `undecided`, `denied`, `limit`, `trap`.
    pub(super) health: Option<HealthOrFault>,
    /// `delivered`, `temporary`, `permanent`, or how a run ends otherwise.
    pub(super) delivery: Option<DeliveryOrFault>,
    pub(super) reason: Option<Words>,
    #[serde(default)]
    pub(super) measurements: BTreeMap<String, Figure>,
    /// A part of each of these calls to the host, in this order.
    #[serde(default)]
    pub(super) calls: Vec<String>,
    /// A part of each of these log lines, in this order.
    #[serde(default)]
    pub(super) log: Vec<String>,
    /// What the HTTP server must have been asked, in this order, and nothing else.
    pub(super) requests: Option<Vec<RequestPart>>,
    /// What the TCP server must have received, each a part of it, in this order.
    #[serde(default)]
    pub(super) received: Vec<String>,
    /// The configuration must be refused by the schema, with these words.
    pub(super) refused: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum HealthOrFault {
    Healthy,
    Sick,
    Dead,
    Misconfigured,
    Undecided,
    Denied,
    Limit,
    Trap,
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DeliveryOrFault {
    Delivered,
    Temporary,
    Permanent,
    Misconfigured,
    Undecided,
    Denied,
    Limit,
    Trap,
    Host,
}

/// A whole text, or a part of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Words {
    Whole(String),
    Part(Containing),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Containing {
    pub(super) contains: String,
}

/// A measurement's value, with or without its unit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Figure {
    Value(f64),
    Full(FullFigure),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FullFigure {
    pub(super) value: Option<f64>,
    pub(super) unit: Option<String>,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

/// What a request must have been like.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestPart {
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// A part of the body.
    pub(super) body: Option<String>,
}

impl Table {
    /// Reads the tables that `path` stands for, or says which is wrong where.
    pub(super) fn read_all(path: &Path) -> Result<Vec<(PathBuf, Self)>, String> {
        let read = |file: PathBuf| match Self::read(&file) {
            Ok(table) => Ok((file, table)),
            Err(problem) => Err(format!("{}{problem}", file.display())),
        };
        files_of(path)?.into_iter().map(read).collect()
    }

    fn read(file: &Path) -> Result<Self, String> {
        let said = |problem: std::io::Error| format!(": {problem}");
        if file.metadata().map_err(said)?.len() > MAX_BYTES {
            return Err(format!(": has more than {} MiB", MAX_BYTES >> 20));
        }
        let text = std::fs::read_to_string(file).map_err(said)?;
        let table: Self = toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            format!(":{line}: {}", error.message())
        })?;
        for case in &table.tests {
            case.check()
                .map_err(|problem| format!(": {}: {problem}", case.name))?;
        }
        Ok(table)
    }
}

impl Case {
    /// How long the run may take: 10 s unless the test says otherwise.
    pub(super) fn timeout(&self) -> anyhow::Result<Duration> {
        span(self.timeout.as_deref().unwrap_or("10s"))
    }

    pub(super) fn config_json(&self) -> anyhow::Result<serde_json::Value> {
        serde_json::to_value(&self.config).context("`config` has no JSON")
    }

    /// The notice that is delivered.
    pub(super) fn notice(&self) -> Notice {
        let part = &self.notice;
        let text = |given: &Option<String>, otherwise: &str| {
            given.clone().unwrap_or_else(|| otherwise.to_owned())
        };
        let affected = match &part.affected {
            Some(affected) => affected.iter().map(AffectedPart::whole).collect(),
            None => vec![Affected {
                id: "api:health:https://api.example.com/health".to_owned(),
                service: "API".to_owned(),
                monitor: "Health".to_owned(),
                health: Verdict::Dead,
                reason: Some("connection refused".to_owned()),
                since: SINCE,
            }],
        };
        // Checked when the table was read.
        let lasted = part.lasted.as_deref().and_then(duration);
        Notice {
            id: text(&part.id, "test-notice"),
            occasion: part.occasion.map_or(Occasion::Changed, OccasionWord::whole),
            health: part.health.map_or(Verdict::Dead, HealthWord::whole),
            previous: Some(part.previous.map_or(Verdict::Healthy, HealthWord::whole)),
            at: SINCE,
            title: text(&part.title, "API is dead: connection refused"),
            body: text(&part.body, ""),
            affected,
            lasted,
            reminder: part.reminder.unwrap_or(0),
            page_title: text(&part.page_title, "Status"),
            page_url: text(&part.page_url, "https://status.example.com"),
            incident_url: part.incident_url.clone(),
            thread: text(&part.thread, "test-thread"),
            started: Some(SINCE.saturating_sub(lasted.unwrap_or_default())),
            acknowledge_url: part.acknowledge_url.clone(),
        }
    }

    /// What the types do not say: spans of time, and that something is expected.
    fn check(&self) -> anyhow::Result<()> {
        self.timeout().context("timeout")?;
        if let Some(lasted) = &self.notice.lasted {
            span(lasted).context("notice.lasted")?;
        }
        let delays = self.http.iter().map(|answer| &answer.delay);
        for delay in delays
            .chain(self.tcp.iter().map(|step| &step.delay))
            .flatten()
        {
            span(delay).context("delay")?;
        }
        for answer in &self.http {
            if answer.body.is_some() && answer.json.is_some() {
                anyhow::bail!("an answer has either `body` or `json`");
            }
            if !(200..600).contains(&answer.status.unwrap_or(200)) {
                anyhow::bail!("`status` must be from 200 to 599");
            }
        }
        let expect = &self.expect;
        if expect.health.is_none() && expect.delivery.is_none() && expect.refused.is_none() {
            anyhow::bail!(
                "`expect` needs `health` for a probe, `delivery` for a notifier, or `refused`"
            );
        }
        Ok(())
    }
}

/// A span of time of a table.
pub(super) fn span(text: &str) -> anyhow::Result<Duration> {
    duration(text).with_context(|| format!("`{text}`: write a duration such as `500ms` or `10s`"))
}

impl HealthWord {
    fn whole(self) -> Verdict {
        match self {
            Self::Healthy => Verdict::Healthy,
            Self::Sick => Verdict::Sick,
            Self::Dead => Verdict::Dead,
        }
    }
}

impl OccasionWord {
    fn whole(self) -> Occasion {
        match self {
            Self::Startup => Occasion::Startup,
            Self::Changed => Occasion::Changed,
            Self::Reminder => Occasion::Reminder,
            Self::Incident => Occasion::Incident,
            Self::Maintenance => Occasion::Maintenance,
            Self::Announcement => Occasion::Announcement,
            Self::Breach => Occasion::Breach,
            Self::Trial => Occasion::Trial,
        }
    }
}

impl AffectedPart {
    fn whole(&self) -> Affected {
        Affected {
            id: self.id.clone(),
            service: self.service.clone(),
            monitor: self.monitor.clone(),
            health: self.health.whole(),
            reason: self.reason.clone(),
            since: SINCE,
        }
    }
}
