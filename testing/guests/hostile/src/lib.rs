//! A probe that misbehaves in whatever way its configuration says:
//! `{"do":"panic","with":"words"}`. What it finds out it puts into its reason.
//!
//! Its description can be changed in the built file: what stands between the
//! marks of [`SCRIPT`] is what `describe` does or says.

mod reach;
mod waste;

use std::hint::black_box;

use guest_deeds::Deed;
use watchkeeper_sdk::bindings::probe::{
    Fault, Guest, Health, Measurement, ProbeDescription, Reading, Request,
};
use watchkeeper_sdk::bindings::types::{Capability, Description};
use watchkeeper_sdk::bindings::validation::{self, Problem};
use watchkeeper_sdk::bindings::{log, probe_plugin, state, validated_plugin};

/// What a test writes over, padded with spaces: `panic`, `loop`, `exit`,
/// `reach`, or `name=…`, `version=…`, `schema=…`, `hosts=…`, `schemes=…`.
static SCRIPT: &str = "<<<                                                                >>>";

struct Hostile;

impl Guest for Hostile {
    fn describe() -> ProbeDescription {
        let script = black_box(SCRIPT).trim_matches(['<', '>', ' ']);
        match script {
            "panic" => panic!("nothing to say for myself"),
            "loop" => waste::processor(),
            "exit" => std::process::exit(1),
            "reach" => {
                let answer = reach::tcp("127.0.0.1:1");
                panic!("reached: {answer:?}");
            }
            _ => {}
        }
        let said = |part: &str, otherwise: &str| {
            script
                .strip_prefix(part)
                .and_then(|rest| rest.strip_prefix('='))
                .unwrap_or(otherwise)
                .to_owned()
        };
        ProbeDescription {
            general: Description {
                name: said("name", "hostile"),
                version: said("version", "0.1.0"),
                summary: "Misbehaves".to_owned(),
                config_schema: said("schema", r#"{"type":"object"}"#),
                asks: vec![
                    Capability::Http,
                    Capability::Tcp,
                    Capability::Udp,
                    Capability::Icmp,
                    Capability::Dns,
                    Capability::Tls,
                    Capability::State,
                ],
                hosts: vec![said("hosts", "api.example.com:443")],
            },
            schemes: vec![said("schemes", "hostile")],
        }
    }

    fn check(request: Request) -> Result<Reading, Fault> {
        let with = field(&request.config, "with");
        let word = field(&request.config, "do");
        let Some(deed) = Deed::from_word(word) else {
            return Err(Fault::Misconfigured(format!("no such deed: {word}")));
        };
        match deed {
            Deed::Nothing => Ok(healthy()),
            Deed::Sick => Ok(sick(with)),
            Deed::Dead => Ok(found(Health::Dead, with)),
            Deed::DeadWithoutReason => Ok(Reading {
                reason: None,
                ..found(Health::Dead, "")
            }),
            Deed::Misconfigured => Err(Fault::Misconfigured(with.to_owned())),
            Deed::Undecided => Err(Fault::Undecided(with.to_owned())),
            Deed::Panic => panic!("{with}"),
            Deed::Exit => std::process::exit(3),
            Deed::Say => Ok(say(with)),
            Deed::Measure => Ok(measure(number(with))),
            Deed::Reason => Ok(sick(&"x".repeat(number(with)))),
            Deed::Count => Ok(count()),
            Deed::FillState => Ok(fill_state()),
            Deed::SetThenPanic => {
                state::set("left", b"behind").expect("there is room");
                panic!("after setting");
            }
            Deed::Request => Ok(found(
                Health::Healthy,
                &format!("{} {} {}", request.monitor, request.target, request.timeout),
            )),

            Deed::Loop => waste::processor(),
            Deed::Sleep => {
                std::thread::sleep(std::time::Duration::from_hours(1));
                Ok(healthy())
            }
            Deed::Nap => {
                for _ in 0..number(with) {
                    std::thread::sleep(std::time::Duration::from_millis(15));
                }
                Ok(healthy())
            }
            Deed::Memory => waste::memory(),
            Deed::Recursion => Ok(sick(&waste::stack(1).to_string())),
            Deed::Resources => waste::resources(),
            Deed::Headers => waste::headers(),
            Deed::Randomness => Ok(sick(&waste::randomness(number(with)).to_string())),
            Deed::Log => Ok(waste::log(number(with))),
            Deed::Output => Ok(waste::output(number(with))),

            Deed::ReadFile => Ok(outcome(std::fs::read_to_string(with))),
            Deed::WriteFile => Ok(outcome(std::fs::write(with, "x"))),
            Deed::Environment => {
                let seen: Vec<_> = std::env::vars_os().collect();
                Ok(sick(&format!(
                    "{} variables, {} arguments",
                    seen.len(),
                    std::env::args().count()
                )))
            }
            Deed::Thread => Ok(outcome(std::thread::Builder::new().spawn(|| ()).map(drop))),
            Deed::Stdin => Ok(outcome(std::io::read_to_string(std::io::stdin()))),
            Deed::Http => Ok(outcome(reach::http(with, None))),
            Deed::HttpAs => {
                let (url, host) = with.split_once(' ').expect("two words");
                Ok(outcome(reach::http(url, Some(host))))
            }
            Deed::HttpIgnoringTheAnswer => {
                drop(reach::http(with, None));
                Ok(healthy())
            }
            Deed::HttpFollowing => Ok(outcome(reach::http_following(with))),
            Deed::Tcp => Ok(outcome(reach::tcp(with))),
            Deed::TcpTwice => {
                drop(reach::tcp(with));
                Ok(outcome(reach::tcp(with)))
            }
            Deed::TcpHanging => Ok(outcome(reach::tcp_hanging(with))),
            Deed::Connections => Ok(outcome(reach::connections(with))),
            Deed::Listen => Ok(outcome(std::net::TcpListener::bind(with).map(drop))),
            Deed::Udp => Ok(outcome(reach::udp(with))),
            Deed::LookUp => Ok(outcome(reach::look_up(with))),
            Deed::Tls => Ok(outcome(reach::tls(with))),
            Deed::Ping => Ok(outcome(reach::ping(with))),
            Deed::Dns => Ok(outcome(reach::dns(with))),
        }
    }
}

/// A configuration's string value, found without a parser: the tests write it.
fn field<'a>(config: &'a str, key: &str) -> &'a str {
    config
        .split_once(&format!("\"{key}\":\""))
        .and_then(|(_, rest)| rest.split_once('"'))
        .map_or("", |(value, _)| value)
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn healthy() -> Reading {
    Reading {
        health: Health::Healthy,
        reason: None,
        latency: None,
        measurements: Vec::new(),
    }
}

fn sick(reason: &str) -> Reading {
    found(Health::Sick, reason)
}

fn found(health: Health, reason: &str) -> Reading {
    Reading {
        health,
        reason: Some(reason.to_owned()),
        ..healthy()
    }
}

/// Looks at configurations as its configuration says.
impl validation::Guest for Hostile {
    fn validate(config: String) -> Vec<Problem> {
        let with = field(&config, "with");
        match field(&config, "validate") {
            "loop" => waste::processor(),
            "panic" => panic!("{with}"),
            "reach" => vec![problem(
                &outcome(reach::tcp("127.0.0.1:1"))
                    .reason
                    .unwrap_or_default(),
            )],
            "many" => vec![problem(with); 10_000],
            "long" => vec![problem(&with.repeat(100_000))],
            "one" => vec![Problem {
                instead: Some(with.to_owned()),
                position: Some((2, 3)),
                ..problem(with)
            }],
            _ => Vec::new(),
        }
    }
}

fn problem(what: &str) -> Problem {
    Problem {
        pointer: "/with".to_owned(),
        what: what.to_owned(),
        instead: None,
        position: None,
    }
}

/// What a probe makes of what it reached for: dead, if it did not get it.
fn outcome<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> Reading {
    match result {
        Ok(got) => found(Health::Healthy, &format!("got {got:?}")),
        Err(error) => found(Health::Dead, &error.to_string()),
    }
}

/// Says its words in every way that leaves it.
fn say(words: &str) -> Reading {
    log::log(log::Level::Error, words);
    print(words);
    Reading {
        measurements: vec![Measurement {
            name: words.to_owned(),
            value: 1.0,
            unit: words.to_owned(),
        }],
        ..sick(words)
    }
}

fn measure(count: usize) -> Reading {
    let measurement = |index: usize| Measurement {
        name: format!("number-{index}"),
        value: if index == 1 { f64::NAN } else { 0.5 },
        unit: String::new(),
    };
    Reading {
        latency: Some(1_500_000),
        measurements: (0..count).map(measurement).collect(),
        ..healthy()
    }
}

fn count() -> Reading {
    let before = state::get("runs")
        .and_then(|bytes| bytes.first().copied())
        .unwrap_or(0);
    let kept = state::set("runs", &[before + 1]);
    found(Health::Healthy, &format!("{before} {kept:?}"))
}

fn fill_state() -> Reading {
    let mut kept = 0;
    let refused = loop {
        match state::set(&format!("key-{kept}"), &[0; 1000]) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    let long_key = state::set(&"k".repeat(129), &[]);
    sick(&format!("{kept} kept, then {refused:?}; {long_key:?}"))
}

/// Writes to both outputs.
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "what the host makes of it is tested"
)]
fn print(words: &str) {
    println!("{words}");
    eprintln!("{words}");
}

probe_plugin::export_probe!(Hostile with_types_in probe_plugin);
validated_plugin::export_validation!(Hostile with_types_in validated_plugin);
