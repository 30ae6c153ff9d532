//! What is remembered from check to check: the registry's server, its last answer,
//! and when it may be asked again.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::Uri;
use watchkeeper_sdk::{Stop, Timestamp, Url, in_words, state};

use crate::registration::Finding;

/// The one key under which all is kept.
const KEY: &str = "domain";

/// How long a server from IANA's list is kept before the list is fetched again.
/// Servers move once in years; the list says itself that it may be kept for a day.
const SERVER_KEPT: Duration = Duration::from_hours(7 * 24);

/// How long an answer holds while no newer one is to be had.
const ANSWER_KEPT: Duration = Duration::from_hours(7 * 24);

/// What is remembered of one target.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Memory {
    /// What it is about: the name and the server that was configured, if any.
    subject: String,
    server: Option<Server>,
    kept: Option<Kept>,
    /// When the registry may be asked again, and why not before.
    pause: Option<Pause>,
}

/// An answer that was kept.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Kept {
    /// When it was given, in seconds since 1970.
    pub at: u64,
    /// What it was.
    pub finding: Finding,
}

#[derive(Debug, Deserialize, Serialize)]
struct Server {
    at: u64,
    url: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Pause {
    /// When it began: a clock that was set back would otherwise make it longer.
    from: u64,
    until: u64,
    why: String,
}

impl Memory {
    /// What is remembered about the domain; nothing after a change of the server in
    /// the configuration.
    pub(crate) fn recall(name: &str, rdap: Option<&Uri>) -> Self {
        let subject = match rdap {
            Some(rdap) => format!("{name} {}", rdap.url()),
            None => name.to_owned(),
        };
        match state::get::<Self>(KEY) {
            Some(memory) if memory.subject == subject => memory,
            _ => Self {
                subject,
                ..Self::default()
            },
        }
    }

    /// The answer, if it is younger than `patience` has for it.
    pub(crate) fn fresh(
        &self,
        now: Timestamp,
        patience: impl FnOnce(&Finding) -> Duration,
    ) -> Option<&Kept> {
        let kept = self.kept.as_ref()?;
        is_within(kept.at, patience(&kept.finding), now).then_some(kept)
    }

    /// The answer, if it is not too old to be judged at all.
    pub(crate) fn usable(&self, now: Timestamp) -> Option<&Kept> {
        let kept = self.kept.as_ref()?;
        is_within(kept.at, ANSWER_KEPT, now).then_some(kept)
    }

    /// Why the registry must not be asked yet, if so.
    pub(crate) fn waits(&self, now: Timestamp) -> Option<String> {
        let pause = self.pause.as_ref()?;
        let now = now.seconds();
        if !(pause.from..pause.until).contains(&now) {
            return None;
        }
        let left = in_words(Duration::from_secs(pause.until - now));
        Some(format!("{}; it is asked again in {left}", pause.why))
    }

    /// The server, if it is known from IANA's list.
    pub(crate) fn server(&self, now: Timestamp) -> Option<Url> {
        let server = self.server.as_ref()?;
        let is_fresh = is_within(server.at, SERVER_KEPT, now);
        is_fresh.then(|| Url::parse(&server.url).ok()).flatten()
    }

    /// Remembers the server.
    pub(crate) fn set_server(&mut self, server: &Url, now: Timestamp) {
        self.server = Some(Server {
            at: now.seconds(),
            url: server.to_string(),
        });
    }

    /// Remembers an answer.
    pub(crate) fn learn(&mut self, kept: Kept) {
        self.pause = None;
        self.kept = Some(kept);
    }

    /// Remembers that the registry is not to be asked for so long.
    pub(crate) fn wait(&mut self, why: &str, wait: Duration, now: Timestamp) {
        let from = now.seconds();
        self.pause = Some(Pause {
            from,
            until: from.saturating_add(wait.as_secs()),
            why: why.to_owned(),
        });
    }

    /// Keeps all of it for the next check.
    pub(crate) fn keep(&self) -> Result<(), Stop> {
        Ok(state::set(KEY, self)?)
    }
}

/// Whether `at` is less than `span` ago. A time to come is none that can be trusted.
fn is_within(at: u64, span: Duration, now: Timestamp) -> bool {
    now.seconds()
        .checked_sub(at)
        .is_some_and(|age| age < span.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn answers_age() {
        let memory = Memory {
            kept: Some(Kept {
                at: 1_000_000,
                finding: Finding::Unregistered,
            }),
            ..Memory::default()
        };
        let fresh = |seconds| memory.fresh(at(seconds), |_| HOUR).is_some();
        assert!(fresh(1_000_000) && fresh(1_003_599));
        assert!(!fresh(1_003_600), "an hour is over");
        assert!(!fresh(999_999), "the clock was set back");
        assert!(memory.usable(at(1_003_600)).is_some());
        assert!(memory.usable(at(1_000_000 + 7 * 86_400)).is_none());
    }

    #[test]
    fn a_pause_ends() {
        let memory = Memory {
            pause: Some(Pause {
                from: 1000,
                until: 4600,
                why: "rdap.test: status 500".to_owned(),
            }),
            ..Memory::default()
        };
        assert_eq!(
            memory.waits(at(2800)).as_deref(),
            Some("rdap.test: status 500; it is asked again in 30 min")
        );
        assert_eq!(memory.waits(at(4600)), None);
        assert_eq!(memory.waits(at(900)), None, "the clock was set back");
    }

    #[test]
    fn servers_are_looked_up_again_after_a_week() {
        let mut memory = Memory::default();
        let url = Url::parse("https://rdap.test/v1/").unwrap();
        memory.set_server(&url, at(1000));
        assert_eq!(memory.server(at(2000)), Some(url));
        assert_eq!(memory.server(at(1000 + 7 * 86_400)), None);
    }
}
