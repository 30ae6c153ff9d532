//! Notifiers: what they implement, what they are told, why a delivery failed.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::bindings::notifier as wit;
use crate::probe::nanos;
use crate::{Capability, Context, Error, Health, Problem, Timestamp, config};

pub use crate::bindings::notifier::Occasion;

/// A plugin that tells people. [`notifier!`](crate::notifier!) exports it.
pub trait Notifier {
    /// The channel's configuration; see [`Probe::Config`](crate::Probe::Config).
    type Config: DeserializeOwned + JsonSchema;

    /// Unique among a host's plugins: `[a-z][a-z0-9-]{0,39}`.
    const NAME: &'static str;

    /// One line for people.
    const SUMMARY: &'static str;

    /// The ways out of the sandbox that it needs; all others are refused.
    const ASKS: &'static [Capability];

    /// Hosts it needs beyond those of its configuration: `host:port`,
    /// `*.host:port`.
    const HOSTS: &'static [&'static str] = &[];

    /// The JSON Schema (2020-12) of [`Config`](Self::Config), derived at run time.
    /// A plugin that embeds it as a file is 100 KB smaller:
    /// `include_str!("../config.schema.json").into()`, kept true by a test that
    /// calls [`config::assert_schema_file`].
    fn schema() -> Cow<'static, str> {
        config::schema::<Self::Config>().into()
    }

    /// What is wrong with a configuration that fits the schema; see
    /// [`Probe::validate`](crate::Probe::validate).
    fn validate(config: &Self::Config) -> Result<(), Vec<Problem>> {
        _ = config;
        Ok(())
    }

    /// Delivers one notice. Called again, in a fresh instance and with the same
    /// [`Notice::id`], after a temporary failure.
    fn notify(config: Self::Config, notice: &Notice, context: &Context) -> Result<(), Failure>;
}

/// What happened.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The same for every attempt to deliver this notice: the idempotency key
    /// where the receiving service takes one.
    pub id: String,
    /// What kind of event this is.
    pub occasion: Occasion,
    /// The health now.
    pub health: Health,
    /// The health before.
    pub previous: Option<Health>,
    /// When it happened.
    pub at: Timestamp,
    /// One line, already in words: `API is dead: connection refused`.
    pub title: String,
    /// More lines of plain text; may be empty.
    pub body: String,
    /// The targets that it is about.
    pub affected: Vec<Affected>,
    /// How long it has lasted, for reminders and recoveries.
    pub lasted: Option<Duration>,
    /// 0 for the first notice, then 1, 2, … for reminders.
    pub reminder: u32,
    /// The status page's title.
    pub page_title: String,
    /// The status page's address.
    pub page_url: String,
    /// The address of the incident's page.
    pub incident_url: Option<String>,
    /// The same for every notice about one outage or incident, its recovery
    /// included: what alerting services take as a deduplication key, and what
    /// threads messages.
    pub thread: String,
    /// When the outage or incident began.
    pub started: Option<Timestamp>,
    /// A signed address where a person acknowledges; opening it changes nothing
    /// by itself.
    pub acknowledge_url: Option<String>,
}

/// A target that a notice is about.
#[derive(Clone, Debug)]
pub struct Affected {
    /// `service:monitor:target`, as in the status page's JSON.
    pub id: String,
    /// The service's label.
    pub service: String,
    /// The monitor's label.
    pub monitor: String,
    /// The target's health now.
    pub health: Health,
    /// Why, where known.
    pub reason: Option<String>,
    /// Since when it has this health.
    pub since: Timestamp,
}

/// Why a notice was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Trying again later may work.
    Temporary {
        /// What went wrong, in one line.
        reason: String,
        /// How long the receiver asked to wait.
        wait: Option<Duration>,
    },
    /// Trying again cannot work; says why.
    Permanent(String),
}

impl Failure {
    /// A failure that trying again may cure, whenever the host thinks best.
    pub fn temporary(reason: impl Into<String>) -> Self {
        Self::Temporary {
            reason: reason.into(),
            wait: None,
        }
    }

    /// A failure that trying again cannot cure.
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self::Permanent(reason.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Denied(_) | Error::TooLarge(_) | Error::Invalid(_) => Self::Permanent(reason),
            _ => Self::temporary(reason),
        }
    }
}

/// Answers the host's `notify`.
#[doc(hidden)]
pub fn deliver<N: Notifier>(request: wit::Request) -> Result<(), wit::Failure> {
    let context = Context::new(None, Duration::from_nanos(request.timeout));
    let config = config::parse(&request.config).map_err(wit::Failure::Permanent)?;
    N::notify(config, &request.notice.into(), &context).map_err(|failure| match failure {
        Failure::Temporary { reason, wait } => wit::Failure::Temporary((reason, wait.map(nanos))),
        Failure::Permanent(reason) => wit::Failure::Permanent(reason),
    })
}

impl From<wit::Notice> for Notice {
    fn from(notice: wit::Notice) -> Self {
        Self {
            id: notice.id,
            occasion: notice.occasion,
            health: notice.health,
            previous: notice.previous,
            at: Timestamp::from_nanos(notice.at),
            title: notice.title,
            body: notice.body,
            affected: notice.affected.into_iter().map(Affected::from).collect(),
            lasted: notice.lasted.map(Duration::from_nanos),
            reminder: notice.reminder,
            page_title: notice.page_title,
            page_url: notice.page_url,
            incident_url: notice.incident_url,
            thread: notice.thread,
            started: notice.started.map(Timestamp::from_nanos),
            acknowledge_url: notice.acknowledge_url,
        }
    }
}

impl From<wit::Affected> for Affected {
    fn from(affected: wit::Affected) -> Self {
        Self {
            id: affected.id,
            service: affected.service,
            monitor: affected.monitor,
            health: affected.health,
            reason: affected.reason,
            since: Timestamp::from_nanos(affected.since),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_temporary_unless_trying_again_cannot_help() {
        assert_eq!(
            Failure::from(Error::Refused),
            Failure::temporary("connection refused")
        );
        assert_eq!(
            Failure::from(Error::Denied("x".to_owned())),
            Failure::permanent("denied: x")
        );
    }
}
