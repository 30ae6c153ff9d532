//! The sandbox: the only crate that knows wasmtime.
//!
//! It loads a component, checks that it fits the plugin contract, asks it what it
//! is, and runs it: each check and each delivery in a fresh instance, within
//! limits, through gates. What it must not know: how a service is judged, what is
//! stored, how configuration is written. How bytes leave the machine is
//! `watchkeeper_egress`'s to know; this crate asks it for every name, connection
//! and datagram.
//!
//! Nothing that a guest does ends more than its own run: its memory, its
//! processor time, its wall time and all that the host holds for it are bounded,
//! and a panic in a host function is caught at the run.

mod api;
mod backtrace;
mod ceiling;
mod compiler;
mod context;
mod description;
mod ending;
mod engine;
mod host;
mod journal;
mod limits;
mod meter;
mod notice;
mod plugin;
mod run;
mod sandbox;
mod scrub;
mod turn;

#[cfg(test)]
mod tests;

pub use crate::context::{Check, Context, Notify};
pub use crate::description::{Capability, Description, Kind, PluginName, Untrue};
pub use crate::journal::{Level, LogLine};
pub use crate::limits::{LimitHit, Limits, MAX_MEMORY, MAX_TABLE_ELEMENTS};
pub use crate::notice::{Affected, Notice, Occasion};
pub use crate::plugin::{Complaint, MAX_COMPLAINTS, Plugin};
pub use crate::run::{
    CheckOutcome, Fault, HostCall, Measurement, NotifyOutcome, Reading, Run, StateSpace, Verdict,
};
pub use crate::sandbox::{
    LoadError, MAX_COMPONENT, MAX_CONCURRENCY, Sandbox, Settings, SetupError,
};
pub use crate::scrub::{Scrubber, is_hidden_everywhere};
