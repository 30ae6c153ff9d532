//! How health is decided and who is told of it.
//!
//! Everything here is a function of its arguments: the state, a reading and the
//! time. This crate does no I/O, reads no clock, starts no task and knows
//! neither plugins nor storage nor configuration files, so that every rule can
//! be tested with a table and every outage can be replayed.

pub mod health;
pub mod id;
pub mod time;
