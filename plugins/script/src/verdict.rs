//! What a script's end means for the target.

use watchkeeper_sdk::{Context, Problem, Reading, Stop, Target, log};

use crate::config::Config;
use crate::shell::{Interrupt, Shell, Transcript};
use crate::syntax::{Origin, Script, SyntaxFault, parse};
use crate::world::{Sandboxed, World};

/// How many lines of a script's output go to the log.
const LOGGED: usize = 8;

/// Runs the script of `config` once.
pub(crate) fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
    let script = read(&config)?;
    let world = Sandboxed(context);
    let told = [
        ("TARGET", target.as_str().to_owned()),
        ("TIMEOUT", seconds(context)),
        ("MONITOR", context.monitor().unwrap_or_default().to_owned()),
    ];
    let ended = run(&script, config, &world, told)?;
    for line in &ended.transcript.traced {
        log::debug(line);
    }
    for line in ended.transcript.last_lines(LOGGED) {
        log::debug(&line);
    }
    Ok(ended.reading)
}

/// What is wrong with a script's text and its variables.
pub(crate) fn validate(config: &Config) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    if let Err(SyntaxFault { what, line, column }) = parse(&config.script, Origin::start()) {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        problems.push(Problem::new("script", what).at(number(line), number(column)));
    }
    for name in config.env.keys().filter(|name| !is_name(name)) {
        problems.push(Problem::new(
            "env",
            format!("no variable can be called `{name}`"),
        ));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The time that a script has, as it would write it.
fn seconds(context: &Context) -> String {
    let timeout = context.timeout();
    if timeout.subsec_millis() == 0 {
        timeout.as_secs().to_string()
    } else {
        format!("{:.3}", timeout.as_secs_f64())
    }
}

fn read(config: &Config) -> Result<Script, Stop> {
    parse(&config.script, Origin::start())
        .map_err(|fault| Stop::Misconfigured(format!("config.script: {fault}")))
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) reading: Reading,
    pub(crate) transcript: Transcript,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "the reading says it to the host")
    )]
    pub(crate) status: u8,
}

/// Runs a script to its end.
pub(crate) fn run(
    script: &Script,
    config: Config,
    world: &dyn World,
    told: [(&str, String); 3],
) -> Result<Ended, Stop> {
    let mut shell = Shell::new(world, config.args);
    for (name, value) in told {
        shell.variables.set(name, value);
    }
    for (name, value) in config.env {
        if !is_name(&name) {
            let what = format!("config.env.{name}: no variable can be called so");
            return Err(Stop::Misconfigured(what));
        }
        shell.variables.set(&name, value);
    }
    let status = match shell.run(script) {
        Ok(status) => status,
        Err(Interrupt::Undecided(why)) => return Err(Stop::Undecided(why)),
        // Every other end has a status.
        Err(_) => shell.status,
    };
    let transcript = shell.shared.transcript.take();
    let reason = transcript
        .last_line()
        .unwrap_or_else(|| format!("the script ended with status {status}"));
    let mut reading = match status {
        0 => Reading::healthy(),
        1 => Reading::sick(reason),
        _ => Reading::dead(reason),
    };
    reading.measurements = shell.shared.measurements.take();
    Ok(Ended {
        reading,
        transcript,
        status,
    })
}
