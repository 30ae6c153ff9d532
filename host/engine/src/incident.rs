//! Incidents: what is told of an outage as one story.
//!
//! An incident opens by itself when a service dies, collects every monitor whose
//! change belongs to the outage, and is resolved once all of them are well. A
//! service that dies again soon after goes on with the same incident, so that one
//! that comes and goes makes one story and not twenty.
//!
//! What belongs together is decided by [`Book`], which holds them all.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::health::Health;
use crate::id::{MonitorId, ServiceId};
use crate::monitor::{self, Weight};
use crate::time::Timestamp;

mod book;

pub use book::{Book, Opening, Refused, Revision, Stands};

/// The number of an incident, in the order in which they were opened. People say
/// it and it stands in addresses, so that it is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(u32);

/// By what incidents open and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether they open by themselves at all.
    pub automatic: bool,
    /// For how long a monitor is sick before that opens one; `None`: never, only
    /// death does.
    pub sick_after: Option<Duration>,
    /// Within which time of its end an incident is gone on with, and for how long
    /// everything must have been well before one that was gone on with ends. Zero:
    /// every outage is an incident of its own.
    pub reopen_within: Duration,
}

/// Who opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An outage. Its end is the incident's.
    Outage,
    /// People. Only they end it.
    People,
}

/// How far the work on it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The cause is looked for.
    Investigating,
    /// The cause is known: of an outage, that it is the one of something on which
    /// others depend.
    Identified,
    /// All is well, and it is watched whether it stays so.
    Monitoring,
    /// It is over.
    Resolved,
}

/// How bad it is. Each is worse than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A service works, but slowly or only in part.
    Minor,
    /// A service is dead, but some of its monitors are not.
    Major,
    /// All monitors of a service are dead.
    Critical,
}

/// Somebody has taken it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Who, in their own words or by the name of a token.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// A monitor's part in an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How it last stood; never unknown, as not to know ends nothing.
    pub health: Health,
    /// Since when.
    pub since: Timestamp,
    /// The worst it was.
    pub worst: Health,
    /// Whether the incident waits for it: it is neither well again nor gone to
    /// another incident.
    pub ails: bool,
    /// The dead monitor whose outage explains this one.
    pub root: Option<MonitorId>,
}

/// What is remembered of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Who opened it.
    pub origin: Origin,
    /// The service whose outage it is.
    pub service: ServiceId,
    /// The services that it hits besides, by people's word.
    pub affects: BTreeSet<ServiceId>,
    /// The services whose outages belong to it while it goes on, because incidents
    /// of theirs were merged into it.
    pub absorbs: BTreeSet<ServiceId>,
    /// The incident as which it goes on.
    pub merged_into: Option<IncidentId>,
    /// How bad it has been at worst.
    pub severity: Severity,
    /// How far the work on it is.
    pub stage: Stage,
    /// When the outage began, which is before it was confirmed.
    pub started: Timestamp,
    /// When it ended; never before `started`. `None` while it goes on.
    pub resolved: Option<Timestamp>,
    /// Since when all is well; `None` while it is not.
    pub well_since: Option<Timestamp>,
    /// How often it was gone on with after it seemed to be over.
    pub reopened: u32,
    /// Who has taken it.
    pub acknowledged: Option<Acknowledgement>,
    /// Every monitor that has been part of it.
    pub parts: BTreeMap<MonitorId, Part>,
}

/// What became of an incident, for its timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// It began.
    Opened,
    /// It had ended, and goes on.
    Reopened,
    /// A monitor became part of it, or stands otherwise than before.
    Part {
        /// Which one.
        monitor: MonitorId,
        /// How it stood; healthy if it was no part.
        from: Health,
        /// How it stands; never unknown, never `from` but for a new explanation.
        to: Health,
        /// The dead monitor whose outage explains it.
        root: Option<MonitorId>,
    },
    /// The incident waits for a monitor no longer: it belongs to another one, or
    /// is not watched any more.
    Left {
        /// Which one.
        monitor: MonitorId,
    },
    /// It is worse than was known.
    Worsened(Severity),
    /// The work on it is at another stage.
    Stage(Stage),
    /// Somebody has taken it.
    Acknowledged,
    /// People say that it is so bad.
    Judged(Severity),
    /// Another incident is part of it now.
    Absorbed(IncidentId),
    /// It goes on as another one.
    MergedInto(IncidentId),
}

impl IncidentId {
    /// The first there is.
    pub const FIRST: Self = Self(1);

    /// The incident with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The one after it.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Default for Rules {
    /// By themselves, for deaths alone, gone on with for ten minutes.
    fn default() -> Self {
        Self {
            automatic: true,
            sick_after: None,
            reopen_within: Duration::from_mins(10),
        }
    }
}

impl Incident {
    /// Whether it goes on.
    pub const fn is_open(&self) -> bool {
        self.resolved.is_none()
    }

    /// How long it lasted, or has until `now`.
    pub fn lasted(&self, now: Timestamp) -> Duration {
        self.resolved.unwrap_or(now).since(self.started)
    }

    /// The services that have been hit: first that whose outage it is.
    pub fn services(&self) -> Vec<&ServiceId> {
        let mut services = vec![&self.service];
        let parts = self.parts.keys().map(MonitorId::service);
        for service in parts.chain(&self.affects) {
            if !services.contains(&service) {
                services.push(service);
            }
        }
        services
    }

    /// Whether it waits for no monitor.
    fn is_well(&self) -> bool {
        self.parts.values().all(|part| !part.ails)
    }
}

/// How bad it is for a service that its monitors stand so; `None` if it is healthy
/// or nothing is known.
pub fn severity(monitors: impl IntoIterator<Item = (Health, Weight)>) -> Option<Severity> {
    let monitors: Vec<_> = monitors.into_iter().collect();
    match monitor::service(monitors.iter().copied()) {
        Health::Healthy | Health::Unknown => None,
        Health::Sick => Some(Severity::Minor),
        Health::Dead if monitors.iter().all(|(health, _)| *health == Health::Dead) => {
            Some(Severity::Critical)
        }
        Health::Dead => Some(Severity::Major),
    }
}

macro_rules! words {
    ($name:ident, $($variant:ident => $word:literal),+ $(,)?) => {
        impl $name {
            /// Every one, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word used in storage, API and logs.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }

            /// The one that [`Self::as_str`] names.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| each.as_str() == word)
            }
        }
    };
}

words!(Origin, Outage => "outage", People => "people");
words!(
    Stage,
    Investigating => "investigating",
    Identified => "identified",
    Monitoring => "monitoring",
    Resolved => "resolved",
);
words!(Severity, Minor => "minor", Major => "major", Critical => "critical");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_hit_as_hard_as_its_monitors_say() {
        use Health::{Dead, Healthy, Sick, Unknown};
        use Weight::{Critical, Minor};

        let check = |monitors: &[(Health, Weight)], expected| {
            assert_eq!(severity(monitors.iter().copied()), expected, "{monitors:?}");
        };
        check(&[], None);
        check(&[(Healthy, Critical), (Unknown, Critical)], None);
        check(
            &[(Healthy, Critical), (Sick, Critical)],
            Some(Severity::Minor),
        );
        check(&[(Dead, Minor), (Healthy, Critical)], Some(Severity::Minor));
        check(
            &[(Dead, Critical), (Healthy, Critical)],
            Some(Severity::Major),
        );
        check(&[(Dead, Critical), (Dead, Minor)], Some(Severity::Critical));
    }

    #[test]
    fn words_are_read_back() {
        for stage in Stage::ALL {
            assert_eq!(Stage::from_word(stage.as_str()), Some(*stage));
        }
        assert_eq!(Severity::from_word("major"), Some(Severity::Major));
        assert_eq!(Origin::from_word("nobody"), None);
    }
}
