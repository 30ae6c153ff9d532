//! Filters at work.

use std::cmp::Ordering;

use serde_json::{Map, Number, Value};

use super::filter::{Filter, Operator};
use super::functions;

/// How many values a filter makes at most.
const MAX_VALUES: usize = 200_000;

/// Why a filter ends early.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    /// An error that `try` catches.
    Error(Value),
    Limit(String),
}

impl Fault {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self::Error(Value::String(what.into()))
    }
}

pub(super) type Outcome = Result<(), Fault>;

/// One run of a filter.
pub(super) struct Run {
    variables: Vec<(String, Value)>,
    /// Nanoseconds since 1970.
    pub(super) now: u64,
    made: usize,
}

impl Run {
    pub(super) fn new(variables: &Map<String, Value>, now: u64) -> Self {
        let variables = variables.iter();
        Self {
            variables: variables
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            now,
            made: 0,
        }
    }

    /// Adds what `filter` makes of `value`.
    pub(super) fn results(
        &mut self,
        filter: &Filter,
        value: &Value,
        results: &mut Vec<Value>,
    ) -> Outcome {
        self.made += 1;
        if self.made > MAX_VALUES {
            return Err(Fault::Limit(
                "a JSON filter makes too many values".to_owned(),
            ));
        }
        match filter {
            Filter::Same => results.push(value.clone()),
            Filter::Deep => deep(value, results),
            Filter::Literal(literal) => results.push(literal.clone()),
            Filter::Text(parts) => {
                let mut text = String::new();
                for (before, inner) in parts {
                    text.push_str(before);
                    if let Some(inner) = inner {
                        let inner = self.first(inner, value)?.unwrap_or_default();
                        text.push_str(&functions::text(&inner));
                    }
                }
                results.push(Value::String(text));
            }
            Filter::Variable(name) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                match known {
                    Some((_, value)) => results.push(value.clone()),
                    None => return Err(Fault::new(format!("${name} is not defined"))),
                }
            }
            Filter::Index(of, index) => {
                for of in self.all(of, value)? {
                    for index in self.all(index, value)? {
                        results.push(at(&of, &index)?);
                    }
                }
            }
            Filter::Slice(of, from, to) => {
                let mut bound = |bound: &Option<Box<Filter>>| match bound {
                    Some(filter) => self.first(filter, value),
                    None => Ok(None),
                };
                let (from, to) = (bound(from)?, bound(to)?);
                for of in self.all(of, value)? {
                    results.push(slice(&of, from.as_ref(), to.as_ref())?);
                }
            }
            Filter::Each(of) => {
                for of in self.all(of, value)? {
                    match of {
                        Value::Array(values) => results.extend(values),
                        Value::Object(values) => {
                            results.extend(values.into_iter().map(|(_, value)| value));
                        }
                        other => {
                            let what = format!("Cannot iterate over {}", kind(&other));
                            return Err(Fault::new(what));
                        }
                    }
                }
            }
            Filter::Try(body, otherwise) => match self.results(body, value, results) {
                Err(Fault::Error(error)) => {
                    if let Some(otherwise) = otherwise {
                        self.results(otherwise, &error, results)?;
                    }
                }
                other => return other,
            },
            Filter::Pipe(left, right) => {
                for value in self.all(left, value)? {
                    self.results(right, &value, results)?;
                }
            }
            Filter::Comma(left, right) => {
                self.results(left, value, results)?;
                self.results(right, value, results)?;
            }
            Filter::Bind(source, name, body) => {
                for bound in self.all(source, value)? {
                    self.bound(name, bound, |run| run.results(body, value, results))?;
                }
            }
            Filter::Binary(operator, left, right) => {
                for right in self.all(right, value)? {
                    for left in self.all(left, value)? {
                        results.push(binary(*operator, &left, &right)?);
                    }
                }
            }
            Filter::And(left, right) => {
                for left in self.all(left, value)? {
                    if !holds(&left) {
                        results.push(Value::Bool(false));
                        continue;
                    }
                    for right in self.all(right, value)? {
                        results.push(Value::Bool(holds(&right)));
                    }
                }
            }
            Filter::Or(left, right) => {
                for left in self.all(left, value)? {
                    if holds(&left) {
                        results.push(Value::Bool(true));
                        continue;
                    }
                    for right in self.all(right, value)? {
                        results.push(Value::Bool(holds(&right)));
                    }
                }
            }
            Filter::Alternative(left, right) => {
                let mut found = Vec::new();
                match self.results(left, value, &mut found) {
                    Ok(()) | Err(Fault::Error(_)) => {}
                    limit => return limit,
                }
                found.retain(holds);
                if found.is_empty() {
                    self.results(right, value, results)?;
                } else {
                    results.extend(found);
                }
            }
            Filter::Negative(inner) => {
                for inner in self.all(inner, value)? {
                    results.push(binary(Operator::Subtract, &Value::from(0), &inner)?);
                }
            }
            Filter::If(arms, otherwise) => {
                self.condition(arms, otherwise.as_deref(), value, results)?;
            }
            Filter::Reduce(source, name, start, step) => {
                let mut state = self.first(start, value)?.unwrap_or_default();
                for bound in self.all(source, value)? {
                    let mut next = Vec::new();
                    self.bound(name, bound, |run| run.results(step, &state, &mut next))?;
                    state = next.pop().unwrap_or_default();
                }
                results.push(state);
            }
            Filter::List(inner) => {
                let values = match inner {
                    Some(inner) => self.all(inner, value)?,
                    None => Vec::new(),
                };
                results.push(Value::Array(values));
            }
            Filter::Object(entries) => {
                let mut objects = vec![Map::new()];
                for (key, entry) in entries {
                    let mut next = Vec::new();
                    let (keys, values) = (self.all(key, value)?, self.all(entry, value)?);
                    for object in &objects {
                        for key in &keys {
                            let Value::String(key) = key else {
                                let what =
                                    format!("Object keys must be strings, not {}", kind(key));
                                return Err(Fault::new(what));
                            };
                            for value in &values {
                                let mut object = object.clone();
                                object.insert(key.clone(), value.clone());
                                next.push(object);
                            }
                        }
                    }
                    objects = next;
                }
                results.extend(objects.into_iter().map(Value::Object));
            }
            Filter::Call(name, arguments) => {
                functions::call(self, name, arguments, value, results)?;
            }
        }
        Ok(())
    }

    pub(super) fn all(&mut self, filter: &Filter, value: &Value) -> Result<Vec<Value>, Fault> {
        let mut results = Vec::new();
        self.results(filter, value, &mut results)?;
        Ok(results)
    }

    pub(super) fn first(&mut self, filter: &Filter, value: &Value) -> Result<Option<Value>, Fault> {
        Ok(self.all(filter, value)?.into_iter().next())
    }

    fn bound(
        &mut self,
        name: &str,
        value: Value,
        action: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        self.variables.push((name.to_owned(), value));
        let outcome = action(self);
        self.variables.pop();
        outcome
    }

    fn condition(
        &mut self,
        arms: &[(Filter, Filter)],
        otherwise: Option<&Filter>,
        value: &Value,
        results: &mut Vec<Value>,
    ) -> Outcome {
        let Some(((condition, then), rest)) = arms.split_first() else {
            return if let Some(otherwise) = otherwise {
                self.results(otherwise, value, results)
            } else {
                results.push(value.clone());
                Ok(())
            };
        };
        for condition in self.all(condition, value)? {
            if holds(&condition) {
                self.results(then, value, results)?;
            } else {
                self.condition(rest, otherwise, value, results)?;
            }
        }
        Ok(())
    }
}

fn deep(value: &Value, results: &mut Vec<Value>) {
    results.push(value.clone());
    match value {
        Value::Array(values) => values.iter().for_each(|value| deep(value, results)),
        Value::Object(values) => values.values().for_each(|value| deep(value, results)),
        _ => {}
    }
}

/// Everything but `null` and `false` is true.
pub(super) fn holds(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false))
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn at(of: &Value, index: &Value) -> Result<Value, Fault> {
    match (of, index) {
        (Value::Null, Value::String(_) | Value::Number(_)) => Ok(Value::Null),
        (Value::Object(values), Value::String(key)) => {
            Ok(values.get(key).cloned().unwrap_or_default())
        }
        (Value::Array(values), Value::Number(_)) => {
            let number = functions::whole(index).unwrap_or(i64::MAX);
            let number = if number < 0 {
                number + i64::try_from(values.len()).unwrap_or(i64::MAX)
            } else {
                number
            };
            let found = usize::try_from(number).ok().and_then(|at| values.get(at));
            Ok(found.cloned().unwrap_or_default())
        }
        (of, Value::String(key)) => Err(Fault::new(format!(
            "Cannot index {} with \"{key}\"",
            kind(of)
        ))),
        (of, index) => Err(Fault::new(format!(
            "Cannot index {} with {}",
            kind(of),
            kind(index)
        ))),
    }
}

fn slice(of: &Value, from: Option<&Value>, to: Option<&Value>) -> Result<Value, Fault> {
    let length = match of {
        Value::Null => return Ok(Value::Null),
        Value::Array(values) => values.len(),
        Value::String(text) => text.chars().count(),
        other => {
            let what = format!("Cannot index {} with object", kind(other));
            return Err(Fault::new(what));
        }
    };
    let bound = |bound: Option<&Value>, default: usize| {
        let Some(number) = bound.and_then(functions::whole) else {
            return default;
        };
        let number = if number < 0 {
            number + i64::try_from(length).unwrap_or(i64::MAX)
        } else {
            number
        };
        usize::try_from(number).unwrap_or(0).min(length)
    };
    let (from, to) = (bound(from, 0), bound(to, length));
    let count = to.saturating_sub(from);
    Ok(match of {
        Value::Array(values) => values.iter().skip(from).take(count).cloned().collect(),
        Value::String(text) => Value::String(text.chars().skip(from).take(count).collect()),
        _ => Value::Null,
    })
}

/// A number as JSON writes it: whole ones without a point.
#[expect(clippy::cast_possible_truncation, reason = "checked to be exact")]
pub(super) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Value::from(value as i64);
    }
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn binary(operator: Operator, left: &Value, right: &Value) -> Result<Value, Fault> {
    let ordered = || order(left, right);
    Ok(match operator {
        Operator::Equal => ordered().is_eq().into(),
        Operator::Unequal => ordered().is_ne().into(),
        Operator::Less => ordered().is_lt().into(),
        Operator::LessOrEqual => ordered().is_le().into(),
        Operator::Greater => ordered().is_gt().into(),
        Operator::GreaterOrEqual => ordered().is_ge().into(),
        Operator::Add => return add(left, right),
        Operator::Subtract => match (left, right) {
            (Value::Array(left), Value::Array(right)) => left
                .iter()
                .filter(|value| !right.contains(value))
                .cloned()
                .collect(),
            _ => return calculate("subtracted", left, right, |left, right| Ok(left - right)),
        },
        Operator::Multiply => {
            return calculate("multiplied", left, right, |left, right| Ok(left * right));
        }
        Operator::Divide => match (left, right) {
            (Value::String(left), Value::String(right)) if !right.is_empty() => {
                left.split(right.as_str()).map(Value::from).collect()
            }
            _ => {
                return calculate("divided", left, right, |left, right| {
                    if right == 0.0 {
                        return Err(Fault::new("the divisor is zero"));
                    }
                    Ok(left / right)
                });
            }
        },
        Operator::Remainder => {
            return calculate("divided", left, right, |left, right| {
                let (left, right) = (left.trunc(), right.trunc());
                if right == 0.0 {
                    return Err(Fault::new("the divisor is zero"));
                }
                Ok(left % right)
            });
        }
    })
}

pub(super) fn add(left: &Value, right: &Value) -> Result<Value, Fault> {
    Ok(match (left, right) {
        (Value::Null, other) | (other, Value::Null) => other.clone(),
        (Value::String(left), Value::String(right)) => format!("{left}{right}").into(),
        (Value::Array(left), Value::Array(right)) => left.iter().chain(right).cloned().collect(),
        (Value::Object(left), Value::Object(right)) => {
            let mut object = left.clone();
            object.extend(right.clone());
            Value::Object(object)
        }
        _ => return calculate("added", left, right, |left, right| Ok(left + right)),
    })
}

fn calculate(
    what: &str,
    left: &Value,
    right: &Value,
    operation: impl Fn(f64, f64) -> Result<f64, Fault>,
) -> Result<Value, Fault> {
    match (left.as_f64(), right.as_f64()) {
        (Some(left), Some(right)) => operation(left, right).map(number),
        _ => Err(Fault::new(format!(
            "{} and {} cannot be {what}",
            kind(left),
            kind(right)
        ))),
    }
}

/// The order of all values: null, false, true, numbers, texts, arrays, objects.
pub(super) fn order(left: &Value, right: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            let number = |number: &Number| number.as_f64().unwrap_or(f64::NAN);
            number(left).total_cmp(&number(right))
        }
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Array(left), Value::Array(right)) => left
            .iter()
            .zip(right)
            .map(|(left, right)| order(left, right))
            .find(|order| order.is_ne())
            .unwrap_or_else(|| left.len().cmp(&right.len())),
        (Value::Object(left), Value::Object(right)) => {
            let sorted = |object: &Map<String, Value>| {
                let mut keys: Vec<String> = object.keys().cloned().collect();
                keys.sort();
                keys
            };
            let keys = sorted(left);
            keys.cmp(&sorted(right)).then_with(|| {
                keys.iter()
                    .filter_map(|key| Some(order(left.get(key)?, right.get(key)?)))
                    .find(|order| order.is_ne())
                    .unwrap_or(Ordering::Equal)
            })
        }
        _ => rank(left).cmp(&rank(right)),
    }
}
