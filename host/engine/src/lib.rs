//! How health is decided and who is told of it.
//!
//! Everything here is a function of its arguments: the state, a reading and the
//! time. This crate does no I/O, reads no clock, starts no task and knows
//! neither plugins nor storage nor configuration files, so that every rule can
//! be tested with a table and every outage can be replayed.
//!
//! The modules stand in the order in which a reading passes them: when a check
//! is due, what one run found, what that means for the target, the monitor, the
//! service and the page, and whether people hear of it.

pub mod health;
pub mod id;
pub mod time;

pub mod schedule;

pub mod reading;

pub mod attempts;

pub mod passive;

pub mod change;

pub mod target;

pub mod monitor;

pub mod dependencies;

pub mod network;

pub mod maintenance;

pub mod telling;

pub mod incident;

pub mod reminding;

pub mod folding;

pub mod pacing;

pub mod uptime;

pub mod sla;
