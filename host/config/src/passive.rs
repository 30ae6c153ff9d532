//! How monitors are told that do not ask.

use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::passive::heartbeat::HeartbeatRules;
use watchkeeper_engine::passive::report::ReportRules;

use crate::secret::Secret;

/// How a monitor is told. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Passive {
    /// By processes that report their load.
    Push {
        /// How they are judged.
        rules: ReportRules,
        /// The monitor of the queue that they work on. It exists and is not
        /// passive.
        queue: Option<MonitorId>,
    },
    /// By agents that report health.
    Local {
        /// How they are judged.
        rules: ReportRules,
    },
    /// By a job that calls a URL.
    Heartbeat {
        /// The secret part of that URL, unlike that of any other monitor.
        token: Secret,
        /// When it is missed.
        rules: HeartbeatRules,
    },
    /// By people.
    Manual,
}

impl Passive {
    /// The word used in configuration, API and logs.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Push { .. } => "push",
            Self::Local { .. } => "local",
            Self::Heartbeat { .. } => "heartbeat",
            Self::Manual => "manual",
        }
    }

    /// What the one target of such a monitor is called; `None` where replicas
    /// make themselves known.
    pub const fn target(&self) -> Option<&'static str> {
        match self {
            Self::Push { .. } | Self::Local { .. } => None,
            Self::Heartbeat { .. } | Self::Manual => Some(self.as_str()),
        }
    }
}
