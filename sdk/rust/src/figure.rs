//! What operators expect of one value that a check reads: a query's result, a
//! field of a server's statistics, the length of a queue.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Number, Value};

use crate::expect::{Operator, Rule, Test, excerpt};
use crate::{Health, Reading};

/// What is expected of one value. All keys are optional; without any the value is
/// only measured.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Figure {
    /// What the value is called in reasons and measurements: lower-case words
    /// joined by `-`.
    #[schemars(length(max = 64), regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub name: Option<String>,
    /// The measurement's unit: an `OpenMetrics` base unit (`seconds`, `bytes`,
    /// `ratio`) or a counted thing in the plural (`jobs`).
    #[schemars(length(max = 32), regex(pattern = "^[a-z][a-z0-9]*(-[a-z0-9]+)*$"))]
    pub unit: Option<String>,
    /// What must hold: what does not makes the target dead.
    pub expect: Option<Comparison>,
    /// What should hold: what does not makes the target sick.
    pub prefer: Option<Comparison>,
    /// Sick when the value is a number above this.
    pub sick_above: Option<f64>,
    /// Dead when the value is a number above this.
    pub dead_above: Option<f64>,
    /// Sick when the value is a number below this.
    pub sick_below: Option<f64>,
    /// Dead when the value is a number below this.
    pub dead_below: Option<f64>,
}

/// An operator and its operand.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Comparison {
    /// How to compare.
    pub op: Operator,
    /// What to compare with. With `exists`, `false` asks for absence.
    pub value: Option<Value>,
}

/// A [`Figure`] whose operators and operands fit, with its name.
#[derive(Debug)]
pub struct FigureRule {
    name: String,
    unit: String,
    comparisons: Vec<(Health, Test)>,
    bounds: Vec<(Health, Bound)>,
}

/// On which side of a limit a number must be.
#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Figure {
    /// Checks the figure that stands at `key` (`config.value`); the error names
    /// the key. `name` and `unit` are taken where the operator gave none.
    pub fn rule(&self, key: &str, name: &str, unit: &str) -> Result<FigureRule, String> {
        let mut comparisons = Vec::new();
        for (word, health, comparison) in [
            ("expect", Health::Dead, &self.expect),
            ("prefer", Health::Sick, &self.prefer),
        ] {
            if let Some(Comparison { op, value }) = comparison {
                let test = Test::new(*op, value.as_ref())
                    .map_err(|error| format!("{key}.{word}.{error}"))?;
                comparisons.push((health, test));
            }
        }
        // The worse first: a number beyond both limits is told with the outer.
        let bounds = [
            (Health::Dead, self.dead_above.map(Bound::AtMost)),
            (Health::Dead, self.dead_below.map(Bound::AtLeast)),
            (Health::Sick, self.sick_above.map(Bound::AtMost)),
            (Health::Sick, self.sick_below.map(Bound::AtLeast)),
        ];
        let own = |own: &Option<String>, other: &str| own.as_deref().unwrap_or(other).to_owned();
        Ok(FigureRule {
            name: own(&self.name, name),
            unit: own(&self.unit, unit),
            comparisons,
            bounds: bounds
                .into_iter()
                .filter_map(|(health, bound)| Some((health, bound?)))
                .collect(),
        })
    }
}

impl FigureRule {
    /// Judges what was found (none: there is no such value) and, where it is a
    /// number or a text that spells one, adds it as a measurement.
    pub fn judge(&self, mut reading: Reading, found: Option<&Value>) -> Reading {
        let number = found.and_then(number_of);
        if let Some(number) = number {
            reading = reading.measure(&self.name, number, &self.unit);
        }
        for (health, test) in &self.comparisons {
            if let Some(fault) = test.fault(found.into_iter(), Rule::All) {
                reading = reading.worsen(*health, format!("{} {fault}", self.name));
            }
        }
        for (health, bound) in &self.bounds {
            let fault = match number {
                Some(number) => bound.fault(number),
                None => Some(match found {
                    Some(value) => {
                        format!("is {}, expected a number", excerpt(&value.to_string()))
                    }
                    None => "is missing".to_owned(),
                }),
            };
            if let Some(fault) = fault {
                reading = reading.worsen(*health, format!("{} {fault}", self.name));
                break;
            }
        }
        reading
    }
}

impl Bound {
    fn fault(self, number: f64) -> Option<String> {
        match self {
            Self::AtMost(most) => (number > most).then(|| format!("is {number}, more than {most}")),
            Self::AtLeast(least) => {
                (number < least).then(|| format!("is {number}, less than {least}"))
            }
        }
    }
}

/// A text as the number that it spells, or else as a text: for protocols in which
/// every value is a text. A number too large or too fine for JSON stays a text.
pub fn number_or_text(text: &str) -> Value {
    if let Ok(whole) = text.parse::<i64>() {
        return Value::Number(whole.into());
    }
    text.parse()
        .ok()
        .and_then(Number::from_f64)
        .map_or_else(|| Value::String(text.to_owned()), Value::Number)
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(figure: &str, found: &Value) -> String {
        let figure: Figure = crate::config::parse(figure).unwrap();
        let rule = figure.rule("config.value", "value", "things").unwrap();
        let found = (*found != json!("absent")).then_some(found);
        let reading = rule.judge(Reading::healthy(), found);
        let measured: Vec<String> = reading
            .measurements
            .iter()
            .map(|it| format!(" [{} {} {}]", it.name, it.value, it.unit))
            .collect();
        format!(
            "{:?} {}{}",
            reading.health,
            reading.reason.unwrap_or_default(),
            measured.concat()
        )
    }

    #[test]
    fn numbers_are_judged_by_their_bounds_and_measured() {
        let lag = r#"{"name": "lag", "unit": "seconds", "sick_above": 10, "dead_above": 60}"#;
        for (found, expected) in [
            (json!(10), "Health::Healthy  [lag 10 seconds]"),
            (
                json!(10.5),
                "Health::Sick lag is 10.5, more than 10 [lag 10.5 seconds]",
            ),
            (
                json!("61"),
                "Health::Dead lag is 61, more than 60 [lag 61 seconds]",
            ),
            (json!("x"), r#"Health::Dead lag is "x", expected a number"#),
            (json!(null), "Health::Dead lag is null, expected a number"),
            (json!("absent"), "Health::Dead lag is missing"),
        ] {
            assert_eq!(judge(lag, &found), expected);
        }
        let replicas = r#"{"sick_below": 2, "dead_below": 1}"#;
        for (found, expected) in [
            (json!(2), "Health::Healthy  [value 2 things]"),
            (
                json!(1),
                "Health::Sick value is 1, less than 2 [value 1 things]",
            ),
            (
                json!(0),
                "Health::Dead value is 0, less than 1 [value 0 things]",
            ),
        ] {
            assert_eq!(judge(replicas, &found), expected);
        }
    }

    #[test]
    fn comparisons_decide_between_dead_and_sick() {
        let role = r#"{"expect": {"op": "matches", "value": "^(master|slave)$"}, "prefer": {"value": "master"}}"#;
        for (found, expected) in [
            (json!("master"), "Health::Healthy "),
            (
                json!("slave"),
                r#"Health::Sick value is "slave", expected "master""#,
            ),
            (
                json!("sentinel"),
                r#"Health::Dead value is "sentinel", expected a match of ^(master|slave)$"#,
            ),
            (json!("absent"), "Health::Dead value is missing"),
        ] {
            assert_eq!(judge(role, &found), expected);
        }
        let absent = r#"{"expect": {"op": "exists", "value": false}}"#;
        assert_eq!(judge(absent, &json!("absent")), "Health::Healthy ");
    }

    #[test]
    fn a_comparison_that_cannot_be_names_its_key() {
        let figure: Figure = crate::config::parse(r#"{"prefer": {"op": "<"}}"#).unwrap();
        assert_eq!(
            figure.rule("config.value", "value", "things").unwrap_err(),
            "config.value.prefer.value: is missing"
        );
    }

    #[test]
    fn texts_that_spell_numbers_become_numbers() {
        for (text, expected) in [
            ("12", json!(12)),
            ("-0.5", json!(-0.5)),
            ("1e3", json!(1000.0)),
            ("", json!("")),
            ("NaN", json!("NaN")),
            ("12 s", json!("12 s")),
            ("2026-01-01", json!("2026-01-01")),
        ] {
            assert_eq!(number_or_text(text), expected, "{text}");
        }
    }
}
