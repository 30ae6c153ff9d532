//! One kind of check on a service, as the program runs it.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::attempts::Plan;
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::monitor::{Combine, Weight};
use watchkeeper_engine::target::TargetRules;

use crate::config::{PluginName, Tag};
use crate::items::Made;
use crate::limits::LimitOverrides;
use crate::passive::Passive;
use crate::place::Position;
use crate::plugin_config::PluginConfig;
use crate::sla::Sla;

/// A monitor. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitor {
    /// Unique in a configuration.
    pub id: MonitorId,
    /// Where it was written.
    pub made: Made,
    /// The name people read.
    pub label: Arc<str>,
    /// One sentence on what it checks.
    pub description: Option<Arc<str>>,
    /// Words by which routes find it: its own and those of its service, each once.
    pub tags: Arc<[Tag]>,
    /// What is promised of it.
    pub sla: Option<Sla>,
    /// Whether only those who work with the host may know of it: because it says so
    /// itself, or its service.
    pub private: bool,
    /// Who checks.
    pub probe: ProbeChoice,
    /// What is checked: at least one, each once. Of a passive monitor: the one
    /// thing that it is told of, or nothing where replicas make themselves known.
    pub targets: Arc<[TargetId]>,
    /// How it is told, if it does not ask. What is said here of probes then means
    /// nothing.
    pub passive: Option<Passive>,
    /// The time from the start of one check of a target to the start of the
    /// next, 1 s to 1 day. A check that takes longer delays the next: checks of
    /// one target never overlap.
    pub every: Duration,
    /// The whole time that one run of the probe has, 100 ms to 5 min.
    pub timeout: Duration,
    /// How checks are repeated within one run.
    pub plan: Plan,
    /// How readings move the health of a target.
    pub rules: TargetRules,
    /// How the healths of the targets make the monitor's.
    pub combine: Combine,
    /// What the monitor means to its service.
    pub weight: Weight,
    /// Monitors whose death explains this one's. Known, without a circle.
    pub depends_on: Arc<[MonitorId]>,
    /// Limits where they differ from the plugin's.
    pub limits: LimitOverrides,
    /// What the plugin gets to know.
    pub config: PluginConfig,
    /// Where it stands.
    pub position: Position,
}

/// Which probe checks a monitor's targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeChoice {
    /// This one.
    Named(PluginName),
    /// The one that says it judges the targets' scheme. Every target has one.
    ByScheme,
}

/// The scheme of an address such as `https://example.com`, in the case it was
/// written in; `None` if it has none.
pub fn scheme(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let valid = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b));
    (valid && !rest.is_empty()).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_what_stands_before_the_two_slashes() {
        assert_eq!(scheme("https://example.com"), Some("https"));
        assert_eq!(scheme("git+ssh://x"), Some("git+ssh"));
        for none in [
            "localhost:80",
            "//x",
            "://x",
            "a b://x",
            "https://",
            "1a://x",
            "mailto:a@b",
        ] {
            assert_eq!(scheme(none), None, "{none}");
        }
    }
}
