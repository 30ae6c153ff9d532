//! Comparing a value with what is expected of it.

use std::cmp::Ordering;

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

/// How to compare.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
pub enum Operator {
    /// Equal; numbers by value, so that `1` equals `1.0`.
    #[default]
    #[serde(rename = "==")]
    Equal,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEqual,
    /// Less: numbers by value, texts by their characters.
    #[serde(rename = "<")]
    Less,
    /// Less or equal.
    #[serde(rename = "<=")]
    LessOrEqual,
    /// Greater.
    #[serde(rename = ">")]
    Greater,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GreaterOrEqual,
    /// A text that has this text in it, a list that has this value among its
    /// own, an object that has this key.
    #[serde(rename = "contains")]
    Contains,
    /// A text, number or boolean in which this regular expression matches.
    #[serde(rename = "matches")]
    Matches,
    /// Present, or absent with the value `false`.
    #[serde(rename = "exists")]
    Exists,
}

/// An operator with its operand, ready to be applied.
#[derive(Debug)]
pub enum Test {
    /// An ordering or equality.
    Order(Operator, Value),
    /// Contains this.
    Contains(Value),
    /// Is matched by this.
    Matches(Regex),
    /// Is there, or is not.
    Exists(bool),
}

impl Test {
    /// Checks that operator and operand fit; the error says what does not.
    pub fn new(operator: Operator, value: Option<&Value>) -> Result<Self, String> {
        let given = || value.cloned().ok_or_else(|| "value: is missing".to_owned());
        Ok(match operator {
            Operator::Exists => match value {
                None => Self::Exists(true),
                Some(Value::Bool(exists)) => Self::Exists(*exists),
                Some(_) => return Err("value: must be true or false with \"exists\"".to_owned()),
            },
            Operator::Matches => match given()? {
                Value::String(pattern) => {
                    Self::Matches(regex(&pattern).map_err(|error| format!("value: {error}"))?)
                }
                _ => return Err("value: must be a regular expression with \"matches\"".to_owned()),
            },
            Operator::Contains => Self::Contains(given()?),
            Operator::Equal | Operator::NotEqual => Self::Order(operator, given()?),
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => match given()? {
                value @ (Value::Number(_) | Value::String(_)) => Self::Order(operator, value),
                _ => {
                    return Err(
                        "value: must be a number or a text to be compared by size".to_owned()
                    );
                }
            },
        })
    }

    /// What is wrong with `found`, to be read after the value's name: `is 3, expected
    /// less than 3`; none: nothing is. Where nothing was found it `is missing`.
    pub fn fault<'a>(&self, found: impl Iterator<Item = &'a Value>, rule: Rule) -> Option<String> {
        let mut faults = Vec::new();
        let mut any = false;
        for value in found {
            any = true;
            match (self.fault_of(value), rule) {
                (None, Rule::Any) => return None,
                (Some(fault), Rule::All) => return Some(fault),
                (Some(fault), Rule::Any) => faults.push(fault),
                (None, Rule::All) => {}
            }
        }
        match self {
            Self::Exists(false) if !any => None,
            _ if !any => Some("is missing".to_owned()),
            _ => faults.into_iter().next(),
        }
    }

    fn fault_of(&self, found: &Value) -> Option<String> {
        let (holds, wanted) = match self {
            Self::Exists(exists) => (*exists, "absent".to_owned()),
            Self::Matches(regex) => (
                regex.is_match(&plain(found)),
                format!("a match of {}", regex.as_str()),
            ),
            Self::Contains(part) => (contains(found, part), format!("with {} in it", shown(part))),
            Self::Order(operator, value) => {
                let order = compare(found, value);
                let (holds, sign) = match operator {
                    Operator::NotEqual => (order != Some(Ordering::Equal), "not "),
                    Operator::Less => (order == Some(Ordering::Less), "less than "),
                    Operator::LessOrEqual => (order.is_some_and(Ordering::is_le), "at most "),
                    Operator::Greater => (order == Some(Ordering::Greater), "more than "),
                    Operator::GreaterOrEqual => (order.is_some_and(Ordering::is_ge), "at least "),
                    _ => (order == Some(Ordering::Equal), ""),
                };
                (holds, format!("{sign}{}", shown(value)))
            }
        };
        (!holds).then(|| format!("is {}, expected {wanted}", shown(found)))
    }
}

/// Of which of several values an assertion must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Of each.
    All,
    /// Of at least one.
    Any,
}

/// Compiles a pattern of [regex-lite](https://docs.rs/regex-lite), which knows no
/// Unicode classes; the error names it.
pub fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("{pattern:?} is no regular expression: {error}"))
}

/// A text cut to what fits into a reason: 80 characters.
pub fn excerpt(text: &str) -> String {
    const LENGTH: usize = 80;
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(LENGTH).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

/// None where the two cannot be compared. A text is compared with a number as
/// the number that it spells: headers are all texts.
fn compare(found: &Value, expected: &Value) -> Option<Ordering> {
    match (found, expected) {
        (Value::Number(found), Value::Number(expected)) => {
            match (found.as_i64(), expected.as_i64()) {
                (Some(found), Some(expected)) => Some(found.cmp(&expected)),
                _ => found.as_f64()?.partial_cmp(&expected.as_f64()?),
            }
        }
        (Value::String(found), Value::Number(expected)) => found
            .trim()
            .parse::<f64>()
            .ok()?
            .partial_cmp(&expected.as_f64()?),
        (Value::String(found), Value::String(expected)) => Some(found.cmp(expected)),
        (found, expected) => (found == expected).then_some(Ordering::Equal),
    }
}

fn contains(found: &Value, part: &Value) -> bool {
    match (found, part) {
        (Value::String(text), part) => text.contains(&*plain(part)),
        (Value::Array(values), part) => values
            .iter()
            .any(|value| compare(value, part) == Some(Ordering::Equal)),
        (Value::Object(object), Value::String(key)) => object.contains_key(key),
        _ => false,
    }
}

/// A text without its quotes, anything else as JSON.
fn plain(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}

fn shown(value: &Value) -> String {
    excerpt(&value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(found: &Value, op: &str, value: Value, expected: &str) {
        let operator: Operator = serde_json::from_value(op.into()).unwrap();
        let value = (!value.is_null()).then_some(value);
        let found = match Test::new(operator, value.as_ref()) {
            Ok(test) => test
                .fault(std::iter::once(found), Rule::All)
                .unwrap_or_default(),
            Err(error) => error,
        };
        assert_eq!(found, expected, "{op} {value:?}");
    }

    #[test]
    fn each_operator_says_what_it_found() {
        check(&json!("up"), "==", json!("up"), "");
        check(
            &json!("down"),
            "==",
            json!("up"),
            r#"is "down", expected "up""#,
        );
        check(&json!(1), "==", json!(1.0), "");
        check(&json!(u64::MAX), "==", json!(u64::MAX), "");
        check(&json!("12"), "==", json!(12), "");
        check(&json!({"a": 1}), "==", json!({"a": 1}), "");
        check(
            &json!("up"),
            "!=",
            json!("up"),
            r#"is "up", expected not "up""#,
        );
        check(&json!(null), "!=", json!("up"), "");
        check(&json!(5), "<", json!(5), "is 5, expected less than 5");
        check(&json!(5), "<=", json!(5), "");
        check(&json!("9"), "<", json!(10), "");
        check(&json!("1.2.0"), ">=", json!("1.1"), "");
        check(&json!(true), ">", json!(1), "is true, expected more than 1");
        check(&json!("a b"), "contains", json!(" "), "");
        check(&json!(["a", 1]), "contains", json!(1), "");
        check(
            &json!({"a": 1}),
            "contains",
            json!("b"),
            r#"is {"a":1}, expected with "b" in it"#,
        );
        check(&json!("v1.2"), "matches", json!(r"^v\d"), "");
        check(
            &json!(12),
            "matches",
            json!("^3"),
            "is 12, expected a match of ^3",
        );
        check(&json!(null), "exists", Value::Null, "");
        check(&json!(1), "exists", json!(false), "is 1, expected absent");
    }

    #[test]
    fn operands_that_do_not_fit_are_named() {
        check(&json!(1), "==", Value::Null, "value: is missing");
        check(
            &json!(1),
            "<",
            json!(true),
            "value: must be a number or a text to be compared by size",
        );
        check(
            &json!(1),
            "exists",
            json!(1),
            "value: must be true or false with \"exists\"",
        );
        check(
            &json!(1),
            "matches",
            json!(1),
            "value: must be a regular expression with \"matches\"",
        );
    }

    #[test]
    fn several_values_are_judged_by_the_rule() {
        let test = Test::new(Operator::Equal, Some(&json!("up"))).unwrap();
        let values = [json!("up"), json!("down")];
        assert!(test.fault(values.iter(), Rule::All).is_some());
        assert!(test.fault(values.iter(), Rule::Any).is_none());
        assert_eq!(
            test.fault([].iter(), Rule::Any).as_deref(),
            Some("is missing")
        );
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        assert_eq!(excerpt(&"é".repeat(81)), format!("{}…", "é".repeat(80)));
    }
}
