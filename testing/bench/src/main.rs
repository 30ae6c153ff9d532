//! `watchkeeper-bench`: what a check, the shipped binary and its page cost.
//!
//! A benchmark, not a test: it prints a table and writes `target/bench/results.json`,
//! and a goal that is missed is a line in them. What each figure means and how to
//! read it is in `docs/benchmarks.md`. `cargo xtask bench` builds what it needs and
//! starts it.
//!
//! Everything happens on the loopback interface. What it starts, it ends, however it
//! ends itself.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for a terminal"
)]
#![expect(
    clippy::cast_precision_loss,
    reason = "counts and times become figures of a few digits"
)]

mod arrivals;
mod client;
mod cpu;
mod daemon;
mod figure;
mod fleet;
mod hostile;
mod http;
mod js;
mod machine;
mod metrics;
mod page;
mod places;
mod plugins;
mod report;
mod rounds;
mod runtime;
mod sandbox;
mod script;
mod seen;
mod start;
mod storm;
mod subject;
mod swap;
mod target;
mod tell;
mod webhook;

use std::fmt::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::figure::Findings;
use crate::machine::Machine;
use crate::places::Places;

/// Exit code for a wrong command line, as in sysexits.h.
const USAGE_ERROR: u8 = 64;

/// One benchmark.
struct Bench {
    name: &'static str,
    about: &'static str,
    measure: fn(&Places) -> anyhow::Result<Findings>,
}

/// All of them, the quick ones first.
const BENCHES: [Bench; 15] = [
    Bench {
        name: "sandbox",
        about: "a fresh instance and a check that does nothing",
        measure: sandbox::measure,
    },
    Bench {
        name: "http",
        about: "an HTTP check on a new connection, beside a native one and curl",
        measure: http::measure,
    },
    Bench {
        name: "script",
        about: "a shell script with a request, beside sh, curl and jq",
        measure: script::measure,
    },
    Bench {
        name: "js",
        about: "a JavaScript probe with a fetch",
        measure: js::measure,
    },
    Bench {
        name: "start",
        about: "from start to the first byte of the page",
        measure: start::measure,
    },
    Bench {
        name: "plugins",
        about: "thirty plugins, compiled and from the cache",
        measure: plugins::measure,
    },
    Bench {
        name: "page",
        about: "the page of 1,000 monitors under load",
        measure: page::measure,
    },
    Bench {
        name: "webhook",
        about: "from a refused connection to the webhook",
        measure: webhook::measure,
    },
    Bench {
        name: "storm",
        about: "1,000 notices in one second over four channels",
        measure: storm::measure,
    },
    Bench {
        name: "tell",
        about: "from a change to the webhook, with 1,000 monitors running",
        measure: tell::measure,
    },
    Bench {
        name: "hang",
        about: "the same beside a channel that hangs",
        measure: tell::beside_one_that_hangs,
    },
    Bench {
        name: "hostile",
        about: "50 monitors among guests that misbehave",
        measure: hostile::measure,
    },
    Bench {
        name: "swap",
        about: "a plugin replaced under 1,000 monitors",
        measure: swap::measure,
    },
    Bench {
        name: "fleet-1000",
        about: "1,000 monitors every 10 s",
        measure: fleet::thousand,
    },
    Bench {
        name: "fleet-10000-slow",
        about: "10,000 monitors every 10 s whose targets answer after 5 s",
        measure: fleet::ten_thousand_slow,
    },
];

fn main() -> ExitCode {
    let names: Vec<String> = std::env::args().skip(1).collect();
    if names.iter().any(|name| name == "--help" || name == "-h") {
        print!("{}", usage());
        return ExitCode::SUCCESS;
    }
    let known = |name: &String| BENCHES.iter().any(|bench| bench.name == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        eprint!("watchkeeper-bench: no benchmark `{unknown}`\n\n{}", usage());
        return ExitCode::from(USAGE_ERROR);
    }
    match run(&names) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("watchkeeper-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> String {
    let mut text = "usage: watchkeeper-bench [NAME…]; without a name, all of\n\n".to_owned();
    for Bench { name, about, .. } in &BENCHES {
        writeln!(text, "  {name:<18}{about}").expect("writing to a string cannot fail");
    }
    text
}

/// Measures, tells and writes. A benchmark that cannot run is said to, and the
/// others go on.
fn run(names: &[String]) -> anyhow::Result<()> {
    let places = Places::find()?;
    cpu::raise_file_limit().context("cannot raise the limit of open files")?;
    let machine = Machine::look(&places);
    println!("{machine}");
    let mut all = Vec::new();
    let mut failed = Vec::new();
    for bench in &BENCHES {
        if !names.is_empty() && !names.iter().any(|name| name == bench.name) {
            continue;
        }
        eprintln!("watchkeeper-bench: {}: {}", bench.name, bench.about);
        match (bench.measure)(&places) {
            Ok(findings) => {
                println!("{}", report::table(bench.name, &findings));
                all.push((bench.name, findings));
            }
            Err(error) => {
                eprintln!("watchkeeper-bench: {}: {error:#}", bench.name);
                failed.push(bench.name);
            }
        }
        // Written after each: an interrupted session keeps what it found.
        let file = report::write(&places, &machine, &all)?;
        eprintln!("watchkeeper-bench: {}", file.display());
    }
    anyhow::ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    Ok(())
}
