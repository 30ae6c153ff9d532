//! What a run is given.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_egress::address::AddressPolicy;
use watchkeeper_egress::grants::Grants;

use crate::limits::Limits;
use crate::notice::Notice;
use crate::run::StateSpace;
use crate::scrub::Scrubber;

/// What every run of a plugin is given.
#[derive(Clone)]
pub struct Context {
    /// Who runs it, for log lines: `service/monitor` or a channel's id.
    pub label: String,
    /// The configuration, a JSON object that the plugin's schema accepts, with
    /// secrets in it.
    pub config: Arc<str>,
    /// The hosts and ports that it may reach.
    pub grants: Arc<Grants>,
    /// The addresses that it may reach, whatever the names.
    pub policy: Arc<AddressPolicy>,
    /// What it may use.
    pub limits: Limits,
    /// The whole time it has, from the making of the instance on.
    pub timeout: Duration,
    /// The secrets of its configuration.
    pub secrets: Scrubber,
    /// What earlier runs kept.
    pub state: StateSpace,
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The configuration and the state may hold secrets.
        f.debug_struct("Context")
            .field("label", &self.label)
            .field("grants", &self.grants)
            .field("limits", &self.limits)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// One check to make.
#[derive(Clone, Debug)]
pub struct Check {
    /// What the run is given.
    pub context: Context,
    /// `service/monitor`, as the probe is told.
    pub monitor: String,
    /// The target as the operator wrote it.
    pub target: String,
}

/// One delivery to make.
#[derive(Clone, Debug)]
pub struct Notify {
    /// What the run is given.
    pub context: Context,
    /// What to tell.
    pub notice: Notice,
}
