//! `state`, what outlives a check, and `measure`, what is recorded of it.

use watchkeeper_sdk::Measurement;

use super::{failed, misused};
use crate::shell::{Outcome, Shell};

/// What the host takes.
const MAX_MEASUREMENTS: usize = 64;

/// `state get KEY [DEFAULT]`, `state set KEY VALUE`, `state delete KEY`.
pub(super) fn state(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let kept = match words.as_slice() {
        ["get", key, rest @ ..] if rest.len() < 2 => {
            let found = shell.world.recall(key);
            let text = match (found, rest.first()) {
                (Some(bytes), _) => String::from_utf8_lossy(&bytes).into_owned(),
                (None, Some(default)) => (*default).to_owned(),
                (None, None) => return Ok(1),
            };
            shell.out(&format!("{text}\n"))?;
            return Ok(0);
        }
        ["set", key, value] => shell.world.keep(key, Some(value.as_bytes())),
        ["delete", key] => shell.world.keep(key, None),
        _ => {
            let what =
                "write `state get KEY [DEFAULT]`, `state set KEY VALUE` or `state delete KEY`";
            return misused(shell, "state", what);
        }
    };
    match kept {
        Ok(()) => Ok(0),
        Err(error) => failed(shell, "state", &error.to_string(), 1),
    }
}

/// `measure NAME VALUE UNIT`
pub(super) fn measure(shell: &mut Shell<'_>, words: &[String]) -> Outcome {
    let [name, value, unit] = words else {
        return misused(shell, "measure", "write `measure NAME VALUE UNIT`");
    };
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    if !plain(name) || !plain(unit) {
        let what = "a name and a unit are of lower-case letters, digits and `-`";
        return misused(shell, "measure", what);
    }
    let Some(value) = value
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|value| value.is_finite())
    else {
        return misused(shell, "measure", &format!("{value}: no number"));
    };
    let mut measurements = shell.shared.measurements.borrow_mut();
    if measurements.len() >= MAX_MEASUREMENTS {
        drop(measurements);
        let what = format!("more than {MAX_MEASUREMENTS} measurements");
        return failed(shell, "measure", &what, 1);
    }
    measurements.push(Measurement {
        name: name.clone(),
        value,
        unit: unit.clone(),
    });
    Ok(0)
}
