//! What the script returned, as a reading.

use std::time::Duration;

use serde_json::{Map, Value};
use watchkeeper_sdk::expect::excerpt;
use watchkeeper_sdk::{Health, Reading, Stop};

/// The longest latency that is taken, in milliseconds: a day.
const LONGEST: f64 = 86_400_000.0;

/// The reading that a returned value stands for: an object with `health`, and
/// `reason`, `latency` and `measurements` if there are any; a health alone; nothing,
/// which is healthy.
pub(crate) fn reading(returned: Option<&Value>) -> Result<Reading, Stop> {
    match returned {
        None => Ok(Reading::healthy()),
        Some(Value::String(health)) => judged(health, None),
        Some(Value::Object(fields)) => of_fields(fields),
        Some(other) => Err(wrong(&format!(
            "returned {}: an object with health is needed",
            excerpt(&other.to_string())
        ))),
    }
}

fn of_fields(fields: &Map<String, Value>) -> Result<Reading, Stop> {
    const KEYS: [&str; 4] = ["health", "reason", "latency", "measurements"];
    if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(wrong(&format!(
            "returned {key:?}, which means nothing: the keys are {}",
            KEYS.join(", ")
        )));
    }
    let reason = match fields.get("reason") {
        None | Some(Value::Null) => None,
        Some(Value::String(reason)) => Some(reason.as_str()),
        Some(_) => return Err(wrong("returned a reason that is no text")),
    };
    let Some(Value::String(health)) = fields.get("health") else {
        return Err(wrong(
            "returned no health: \"healthy\", \"sick\" or \"dead\" is needed",
        ));
    };
    let mut reading = judged(health, reason)?;
    match fields.get("latency") {
        None | Some(Value::Null) => {}
        Some(latency) => match latency.as_f64() {
            Some(millis) if (0.0..=LONGEST).contains(&millis) => {
                reading = reading.latency(Duration::from_secs_f64(millis / 1000.0));
            }
            _ => {
                return Err(wrong(
                    "returned a latency that is no number of milliseconds",
                ));
            }
        },
    }
    match fields.get("measurements") {
        None | Some(Value::Null) => Ok(reading),
        Some(Value::Object(figures)) => {
            figures.iter().try_fold(reading, |reading, (name, figure)| {
                measured(reading, name, figure)
            })
        }
        Some(_) => Err(wrong(
            "returned measurements that are none: write { name: [value, \"unit\"] }",
        )),
    }
}

fn judged(health: &str, reason: Option<&str>) -> Result<Reading, Stop> {
    let health = match health {
        "healthy" => return Ok(Reading::healthy()),
        "sick" => Health::Sick,
        "dead" => Health::Dead,
        other => {
            return Err(wrong(&format!(
                "returned the health {:?}: \"healthy\", \"sick\" or \"dead\" is needed",
                excerpt(other)
            )));
        }
    };
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    Ok(Reading::healthy().worsen(health, reason.unwrap_or("the script gives no reason")))
}

/// `[value, "unit"]`, or a value alone, which counts units. A value that is not
/// there is left out: scripts compute figures from answers that lack some.
fn measured(reading: Reading, name: &str, figure: &Value) -> Result<Reading, Stop> {
    let wrong_one = || {
        wrong(&format!(
            "returned the measurement {:?}, which is none: write [value, \"unit\"]",
            excerpt(name)
        ))
    };
    let (value, unit) = match figure {
        Value::Array(pair) => match pair.as_slice() {
            [value, Value::String(unit)] => (value, unit.as_str()),
            _ => return Err(wrong_one()),
        },
        value => (value, "units"),
    };
    match value {
        Value::Null => Ok(reading),
        Value::Number(number) => {
            let value = number.as_f64().ok_or_else(wrong_one)?;
            Ok(reading.measure(name, value, unit))
        }
        _ => Err(wrong_one()),
    }
}

fn wrong(what: &str) -> Stop {
    Stop::Misconfigured(format!("config.script: check {what}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(returned: &Value, expected: &str) {
        let found = match reading(Some(returned)) {
            Ok(reading) => {
                let figures: Vec<String> = reading
                    .measurements
                    .iter()
                    .map(|figure| format!("{} {} {}", figure.name, figure.value, figure.unit))
                    .collect();
                format!(
                    "{:?} {} {:?} [{}]",
                    reading.health,
                    reading.reason.unwrap_or_default(),
                    reading.latency,
                    figures.join(", ")
                )
            }
            Err(stop) => format!("{stop:?}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_returned_is_a_reading() {
        check(&json!("healthy"), "Health::Healthy  None []");
        check(
            &json!("dead"),
            "Health::Dead the script gives no reason None []",
        );
        check(
            &json!({"health": "sick", "reason": "slow", "latency": 1500,
                "measurements": {"depth": [3, "messages"], "x": 0.5, "gone": null}}),
            "Health::Sick slow Some(1.5s) [depth 3 messages, x 0.5 units]",
        );
        check(
            &json!({"health": "healthy", "reason": "all is well"}),
            "Health::Healthy  None []",
        );
        assert_eq!(reading(None), Ok(Reading::healthy()));
    }

    #[test]
    fn what_is_no_reading_is_a_mistake() {
        for (returned, expected) in [
            (
                json!(true),
                "returned true: an object with health is needed",
            ),
            (
                json!("fine"),
                r#"returned the health "fine": "healthy", "sick" or "dead" is needed"#,
            ),
            (
                json!({"reason": "x"}),
                r#"returned no health: "healthy", "sick" or "dead" is needed"#,
            ),
            (
                json!({"health": "sick", "reason": 1}),
                "returned a reason that is no text",
            ),
            (
                json!({"health": "sick", "latency": -1}),
                "returned a latency that is no number of milliseconds",
            ),
            (
                json!({"health": "sick", "measurements": {"a": [1]}}),
                r#"returned the measurement "a", which is none: write [value, "unit"]"#,
            ),
            (
                json!({"health": "sick", "measurements": [1]}),
                r#"returned measurements that are none: write { name: [value, "unit"] }"#,
            ),
            (
                json!({"heatlh": "sick"}),
                r#"returned "heatlh", which means nothing: the keys are health, reason, latency, measurements"#,
            ),
        ] {
            let stop = Stop::Misconfigured(format!("config.script: check {expected}"));
            check(&returned, &format!("{stop:?}"));
        }
    }
}
