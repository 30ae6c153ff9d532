//! Watchkeeper: an uptime monitor and status page whose every check and every
//! notification is a sandboxed WebAssembly component.
//!
//! A reading flows one way: the scheduler starts a check, the sandbox runs it,
//! the engine judges it, the store keeps what changed together with the notices
//! that tell of it, the outbox delivers those through the sandbox again, and the
//! page shows it all. The modules stand in that order.

use std::process::ExitCode;

use clap::Parser as _;

mod bundled;
mod clock;
mod telemetry;

mod trust;

mod asking;

mod planning;
mod plugins;

mod source;

mod assignment;

mod items;

mod spaces;

mod scheduler;

mod run;

mod aside;
mod intake;

mod links;

mod staff;

mod console;

mod orders;

mod announcing;
mod apply;

mod board;

mod history;

mod notice;

mod templating;

mod outbox;

mod dead_man;

mod page;

mod catalogue;
mod control;

mod publish;

mod desk;
mod survey;

mod figures;
mod levels;

mod reload;

mod serve;

mod cli;

fn main() -> ExitCode {
    match cli::Cli::try_parse() {
        Ok(cli) => cli.run(),
        Err(error) => cli::refuse(&error),
    }
}
