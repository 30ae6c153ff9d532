//! `awk`: the language that scripts take columns apart with.
//!
//! Patterns, actions, `BEGIN` and `END`, fields, variables, arrays, the usual
//! statements and functions. There is no `getline`, no function of one's own, no
//! pipe and no file.

mod parse;
mod program;
mod run;
mod value;

use super::options::Takes;
use super::{failed, inputs, misused};
use crate::shell::{Interrupt, Outcome, Shell};

use self::run::{End, Run};
use self::value::Value;

pub(super) fn awk(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let mut given = match Takes::new("", "Fv").leading().read(words) {
        Ok(given) => given,
        Err(what) => return misused(shell, "awk", &what),
    };
    if given.rest.is_empty() {
        return misused(shell, "awk", "a program is missing");
    }
    let text = given.rest.remove(0);
    let program = match parse::parse(&text) {
        Ok(program) => program,
        Err(what) => return misused(shell, "awk", &what),
    };
    let mut run = Run::new(&program);
    for assignment in given.values('v') {
        let Some((name, value)) = assignment.split_once('=') else {
            return misused(shell, "awk", &format!("-v {assignment}: write name=value"));
        };
        let (value, _) = crate::escape::echo(value);
        let value = String::from_utf8_lossy(&value).into_owned();
        run.set(name, Value::Input(value));
    }
    if let Some(separator) = given.value('F') {
        let (separator, _) = crate::escape::echo(separator);
        let separator = String::from_utf8_lossy(&separator).into_owned();
        run.set("FS", Value::Text(separator));
    }
    let outcome = if program.reads() {
        match inputs(shell, "awk", &given.rest)? {
            Some(inputs) => run.all(
                inputs
                    .iter()
                    .map(|(name, text)| (name.as_str(), text.as_str())),
            ),
            None => return Ok(2),
        }
    } else {
        run.all(std::iter::empty())
    };
    let (output, status) = (run.take_output(), run.status());
    shell.out(&output)?;
    match outcome {
        Ok(()) | Err(End::Exit) => Ok(status),
        Err(End::Wrong(what)) => failed(shell, "awk", &what, 2),
        Err(End::Limit(what)) => Err(Interrupt::Undecided(what)),
        Err(_) => Ok(0),
    }
}
