//! From TOML text to a validated configuration, with every mistake named at
//! once.
//!
//! A file, or the files of a folder, become one tree in which each value knows
//! its place; the tree is read into what the files say; and that becomes what
//! the program runs on, with every default filled in and every reference
//! checked. Each step goes on past a mistake, so that one run tells them all.
//!
//! What a program keeps elsewhere can be added to the files, see [`items`].
//!
//! This crate starts nothing: it does not know plugins, storage or the network,
//! and reads no files but those of the configuration, of its secrets and of the
//! certificate authorities that it names.

pub mod config;
pub mod cron;
pub mod hours;
pub mod items;
pub mod limits;
pub mod load;
pub mod maintenance;
pub mod monitor;
pub mod passive;
pub mod place;
pub mod plugin_config;
pub mod problem;
pub mod schema;
pub mod secret;
pub mod sla;
pub mod template;

mod duration;
mod file;
mod read;
mod resolve;
mod size;
mod source;
mod suggest;
mod tree;

pub use config::Config;
pub use load::{Loaded, load, load_merged, load_texts};
pub use problem::{Problem, Problems};
pub use schema::{item_schema, schema};
