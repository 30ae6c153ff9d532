//! `jq` and `json`: values out of JSON.

mod filter;
mod functions;
mod parse;
mod run;

use serde_json::{Map, Value};

use self::run::{Fault, Run};
use super::options::Takes;
use super::{failed, input, misused};
use crate::shell::{Interrupt, Outcome, Shell};

pub(super) use parse::parse;

/// `jq`, with the filters that scripts use most.
pub(super) fn jq(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    apply(shell, "jq", words, false)
}

/// `jq` that writes texts as they are and values on one line.
pub(super) fn json(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    apply(shell, "json", words, true)
}

fn apply(shell: &mut Shell<'_>, name: &str, words: &[String], raw: bool) -> Outcome {
    let (words, variables) = match arguments(words) {
        Ok(found) => found,
        Err(what) => return misused(shell, name, &what),
    };
    let takes = Takes::new("rcensjSM", "").long(&[
        ("raw-output", 'r'),
        ("compact-output", 'c'),
        ("exit-status", 'e'),
        ("null-input", 'n'),
        ("slurp", 's'),
        ("join-output", 'j'),
        ("monochrome-output", 'M'),
    ]);
    let mut given = match takes.read(&words) {
        Ok(given) => given,
        Err(what) => return misused(shell, name, &what),
    };
    let filter = if given.rest.is_empty() {
        ".".to_owned()
    } else {
        given.rest.remove(0)
    };
    let filter = match parse(&filter) {
        Ok(filter) => filter,
        Err(what) => return failed(shell, name, &what, 3),
    };
    let values = if given.has('n') {
        vec![Value::Null]
    } else {
        let Some(text) = input(shell, name, &given.rest)? else {
            return Ok(2);
        };
        match read(&text) {
            Ok(values) if given.has('s') => vec![Value::Array(values)],
            Ok(values) => values,
            Err(what) => return failed(shell, name, &what, 2),
        }
    };
    let compact = raw || given.has('c');
    let raw = raw || given.has('r') || given.has('j');
    let end = if given.has('j') { "" } else { "\n" };
    let mut last = None;
    let mut status = 0;
    for value in values {
        let mut run = Run::new(&variables, shell.world.now());
        let mut results = Vec::new();
        let outcome = run.results(&filter, &value, &mut results);
        for result in results {
            let text = match &result {
                Value::String(text) if raw => text.clone(),
                result if compact => result.to_string(),
                result => serde_json::to_string_pretty(result).unwrap_or_default(),
            };
            shell.out(&text)?;
            shell.out(end)?;
            last = Some(result);
        }
        match outcome {
            Ok(()) => {}
            Err(Fault::Error(error)) => {
                let text = match error {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                status = failed(shell, name, &text, 5)?;
            }
            Err(Fault::Limit(what)) => return Err(Interrupt::Undecided(what)),
        }
    }
    if given.has('e') && status == 0 {
        return Ok(match last {
            None => 4,
            Some(Value::Null | Value::Bool(false)) => 1,
            Some(_) => 0,
        });
    }
    Ok(status)
}

/// `--arg NAME TEXT` and `--argjson NAME JSON`, and all other words.
fn arguments(words: &[String]) -> Result<(Vec<String>, Map<String, Value>), String> {
    let mut rest = Vec::new();
    let mut variables = Map::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let is_json = match word.as_str() {
            "--arg" => false,
            "--argjson" => true,
            _ => {
                rest.push(word.clone());
                continue;
            }
        };
        let (Some(name), Some(text)) = (words.next(), words.next()) else {
            return Err(format!("{word} needs a name and a value"));
        };
        let value = if is_json {
            serde_json::from_str(text).map_err(|error| format!("{text} is no JSON: {error}"))?
        } else {
            Value::String(text.clone())
        };
        variables.insert(name.clone(), value);
    }
    Ok((rest, variables))
}

/// The values in a text, one after another.
fn read(text: &str) -> Result<Vec<Value>, String> {
    serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .collect::<Result<_, _>>()
        .map_err(|error| {
            let start: String = text.trim().chars().take(40).collect();
            if start.is_empty() {
                "nothing to read".to_owned()
            } else {
                format!("this is no JSON: {error}: {start}")
            }
        })
}
