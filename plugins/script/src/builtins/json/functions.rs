//! The functions of filters.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::filter::Filter;
use super::run::{Fault, Outcome, Run, add, holds, kind, number, order};
use crate::escape;

/// Every function with how many filters it takes.
const ALL: &[(&str, usize)] = &[
    ("@base64", 0),
    ("@csv", 0),
    ("@json", 0),
    ("@sh", 0),
    ("@text", 0),
    ("@tsv", 0),
    ("abs", 0),
    ("add", 0),
    ("all", 0),
    ("all", 1),
    ("any", 0),
    ("any", 1),
    ("arrays", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("ceil", 0),
    ("contains", 1),
    ("empty", 0),
    ("endswith", 1),
    ("error", 0),
    ("error", 1),
    ("first", 0),
    ("first", 1),
    ("flatten", 0),
    ("floor", 0),
    ("from_entries", 0),
    ("fromjson", 0),
    ("group_by", 1),
    ("has", 1),
    ("index", 1),
    ("inside", 1),
    ("join", 1),
    ("keys", 0),
    ("keys_unsorted", 0),
    ("last", 0),
    ("last", 1),
    ("length", 0),
    ("limit", 2),
    ("ltrimstr", 1),
    ("map", 1),
    ("map_values", 1),
    ("max", 0),
    ("max_by", 1),
    ("min", 0),
    ("min_by", 1),
    ("not", 0),
    ("now", 0),
    ("nulls", 0),
    ("numbers", 0),
    ("objects", 0),
    ("range", 1),
    ("range", 2),
    ("reverse", 0),
    ("round", 0),
    ("rtrimstr", 1),
    ("select", 1),
    ("sort", 0),
    ("sort_by", 1),
    ("split", 1),
    ("sqrt", 0),
    ("startswith", 1),
    ("strings", 0),
    ("test", 1),
    ("to_entries", 0),
    ("tojson", 0),
    ("tonumber", 0),
    ("tostring", 0),
    ("trim", 0),
    ("type", 0),
    ("unique", 0),
    ("unique_by", 1),
    ("values", 0),
];

pub(super) fn exists(name: &str, arguments: usize) -> bool {
    ALL.contains(&(name, arguments))
}

/// A value as text: texts as they are, everything else as JSON.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number without what comes after the point.
#[expect(clippy::cast_possible_truncation, reason = "saturates, as is meant")]
pub(super) fn whole(value: &Value) -> Option<i64> {
    value
        .as_i64()
        .or_else(|| value.as_f64().map(|number| number.floor() as i64))
}

pub(super) fn call(
    run: &mut Run,
    name: &str,
    arguments: &[Filter],
    value: &Value,
    results: &mut Vec<Value>,
) -> Outcome {
    match (name, arguments) {
        ("empty", []) => {}
        ("select", [condition]) => {
            for condition in run.all(condition, value)? {
                if holds(&condition) {
                    results.push(value.clone());
                }
            }
        }
        ("map", [filter]) => {
            let mut mapped = Vec::new();
            for item in items(value)? {
                run.results(filter, &item, &mut mapped)?;
            }
            results.push(Value::Array(mapped));
        }
        ("map_values", [filter]) => results.push(map_values(run, filter, value)?),
        ("first", [filter]) => results.extend(run.first(filter, value)?),
        ("last", [filter]) => results.extend(run.all(filter, value)?.pop()),
        ("limit", [count, filter]) => {
            let count = run
                .first(count, value)?
                .as_ref()
                .and_then(whole)
                .unwrap_or(0);
            let all = run.all(filter, value)?;
            results.extend(all.into_iter().take(usize::try_from(count).unwrap_or(0)));
        }
        ("range", bounds) => {
            let mut numbers = Vec::new();
            for bound in bounds {
                let bound = run.first(bound, value)?;
                numbers.push(bound.as_ref().and_then(whole).unwrap_or(0));
            }
            let (from, to) = match numbers.as_slice() {
                [to] => (0, *to),
                [from, to] => (*from, *to),
                _ => (0, 0),
            };
            if to.saturating_sub(from) > 100_000 {
                return Err(Fault::Limit(
                    "a JSON filter makes too many values".to_owned(),
                ));
            }
            results.extend((from..to).map(Value::from));
        }
        ("any" | "all", [filter]) => {
            let mut found = Vec::new();
            for item in items(value)? {
                run.results(filter, &item, &mut found)?;
            }
            let verdict = if name == "any" {
                found.iter().any(holds)
            } else {
                found.iter().all(holds)
            };
            results.push(verdict.into());
        }
        ("sort_by" | "min_by" | "max_by" | "unique_by" | "group_by", [filter]) => {
            results.push(by(run, name, filter, value)?);
        }
        ("now", []) => {
            let seconds = run.now / 1_000_000_000;
            let micros = run.now / 1000 % 1_000_000;
            let text = format!("{seconds}.{micros:06}");
            results.push(number(text.parse().unwrap_or_default()));
        }
        ("error", []) => return Err(Fault::Error(value.clone())),
        ("error", [message]) => {
            let message = run.first(message, value)?.unwrap_or_default();
            return Err(Fault::Error(message));
        }
        (name, [argument]) => {
            for argument in run.all(argument, value)? {
                results.push(with_argument(name, value, &argument)?);
            }
        }
        (name, _) => results.extend(plain(name, value)?),
    }
    Ok(())
}

fn items(value: &Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(values) => Ok(values.clone()),
        Value::Object(values) => Ok(values.values().cloned().collect()),
        other => Err(Fault::new(format!("Cannot iterate over {}", kind(other)))),
    }
}

fn map_values(run: &mut Run, filter: &Filter, value: &Value) -> Result<Value, Fault> {
    match value {
        Value::Object(values) => {
            let mut mapped = Map::new();
            for (key, value) in values {
                if let Some(value) = run.first(filter, value)? {
                    mapped.insert(key.clone(), value);
                }
            }
            Ok(Value::Object(mapped))
        }
        other => {
            let mut mapped = Vec::new();
            for item in items(other)? {
                mapped.extend(run.first(filter, &item)?);
            }
            Ok(Value::Array(mapped))
        }
    }
}

/// What orders an array by something of its values.
fn by(run: &mut Run, name: &str, filter: &Filter, value: &Value) -> Result<Value, Fault> {
    let mut keyed = Vec::new();
    for item in items(value)? {
        let key = Value::Array(run.all(filter, &item)?);
        keyed.push((key, item));
    }
    keyed.sort_by(|(left, _), (right, _)| order(left, right));
    Ok(match name {
        "min_by" => keyed
            .into_iter()
            .next()
            .map(|(_, item)| item)
            .unwrap_or_default(),
        "max_by" => keyed.pop().map(|(_, item)| item).unwrap_or_default(),
        "unique_by" => {
            keyed.dedup_by(|(left, _), (right, _)| left == right);
            keyed.into_iter().map(|(_, item)| item).collect()
        }
        "group_by" => {
            let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
            for (key, item) in keyed {
                match groups.last_mut() {
                    Some((known, group)) if *known == key => group.push(item),
                    _ => groups.push((key, vec![item])),
                }
            }
            groups
                .into_iter()
                .map(|(_, group)| Value::Array(group))
                .collect()
        }
        _ => keyed.into_iter().map(|(_, item)| item).collect(),
    })
}

fn with_argument(name: &str, value: &Value, argument: &Value) -> Result<Value, Fault> {
    let texts = || match (value, argument) {
        (Value::String(value), Value::String(argument)) => Ok((value.as_str(), argument.as_str())),
        _ => Err(Fault::new(format!("{name}() requires string inputs"))),
    };
    Ok(match name {
        "has" => match (value, argument) {
            (Value::Object(values), Value::String(key)) => values.contains_key(key).into(),
            (Value::Array(values), index) => whole(index)
                .and_then(|index| usize::try_from(index).ok())
                .is_some_and(|index| index < values.len())
                .into(),
            _ => {
                let what = format!("Cannot check whether {} has a key", kind(value));
                return Err(Fault::new(what));
            }
        },
        "contains" => contains(value, argument).into(),
        "inside" => contains(argument, value).into(),
        "startswith" => texts()?.0.starts_with(texts()?.1).into(),
        "endswith" => texts()?.0.ends_with(texts()?.1).into(),
        "ltrimstr" => match texts() {
            Ok((text, prefix)) => text.strip_prefix(prefix).unwrap_or(text).into(),
            Err(_) => value.clone(),
        },
        "rtrimstr" => match texts() {
            Ok((text, suffix)) => text.strip_suffix(suffix).unwrap_or(text).into(),
            Err(_) => value.clone(),
        },
        "test" => {
            let (text, pattern) = texts()?;
            let regex = regex_lite::Regex::new(pattern)
                .map_err(|error| Fault::new(format!("{pattern} is no expression: {error}")))?;
            regex.is_match(text).into()
        }
        "split" => {
            let (text, separator) = texts()?;
            if text.is_empty() {
                json!([])
            } else {
                text.split(separator).map(Value::from).collect()
            }
        }
        "join" => {
            let Value::String(separator) = argument else {
                return Err(Fault::new("join() requires a string"));
            };
            let parts: Vec<String> = items(value)?
                .iter()
                .map(|item| match item {
                    Value::Null => String::new(),
                    item => text(item),
                })
                .collect();
            parts.join(separator).into()
        }
        "index" => {
            let (text, part) = texts()?;
            match text.find(part) {
                Some(at) => text.get(..at).unwrap_or_default().chars().count().into(),
                None => Value::Null,
            }
        }
        other => return Err(Fault::new(format!("{other}/1 is not known here"))),
    })
}

fn contains(value: &Value, part: &Value) -> bool {
    match (value, part) {
        (Value::String(value), Value::String(part)) => value.contains(part.as_str()),
        (Value::Array(values), Value::Array(parts)) => parts
            .iter()
            .all(|part| values.iter().any(|value| contains(value, part))),
        (Value::Object(values), Value::Object(parts)) => parts
            .iter()
            .all(|(key, part)| values.get(key).is_some_and(|value| contains(value, part))),
        (value, part) => order(value, part).is_eq(),
    }
}

fn plain(name: &str, value: &Value) -> Result<Option<Value>, Fault> {
    let float = |change: fn(f64) -> f64| match value.as_f64() {
        Some(float) => Ok(number(change(float))),
        None => Err(Fault::new(format!("{} number required", kind(value)))),
    };
    let cased = |change: fn(&str) -> String| match value {
        Value::String(text) => Ok(Value::from(change(text))),
        other => Err(Fault::new(format!("{} cannot be cased", kind(other)))),
    };
    Ok(Some(match name {
        "length" => match value {
            Value::Null => 0.into(),
            Value::String(text) => text.chars().count().into(),
            Value::Array(values) => values.len().into(),
            Value::Object(values) => values.len().into(),
            Value::Number(_) => float(f64::abs)?,
            Value::Bool(_) => return Err(Fault::new("boolean has no length")),
        },
        "keys" | "keys_unsorted" => match value {
            Value::Object(values) => {
                let mut keys: Vec<&String> = values.keys().collect();
                if name == "keys" {
                    keys.sort();
                }
                keys.into_iter()
                    .map(|key| Value::from(key.as_str()))
                    .collect()
            }
            Value::Array(values) => (0..values.len()).map(Value::from).collect(),
            other => return Err(Fault::new(format!("{} has no keys", kind(other)))),
        },
        "not" => (!holds(value)).into(),
        "type" => kind(value).into(),
        "tostring" | "@text" => text(value).into(),
        "tojson" | "@json" => value.to_string().into(),
        "fromjson" => match value {
            Value::String(text) => serde_json::from_str(text)
                .map_err(|error| Fault::new(format!("{text} is no JSON: {error}")))?,
            other => return Err(Fault::new(format!("{} is no text", kind(other)))),
        },
        "tonumber" => match value {
            Value::Number(_) => value.clone(),
            Value::String(text) => match text.trim().parse() {
                Ok(parsed) => number(parsed),
                Err(_) => return Err(Fault::new(format!("Cannot parse '{text}' as a number"))),
            },
            other => return Err(Fault::new(format!("{} is no number", kind(other)))),
        },
        "add" => {
            let mut sum = Value::Null;
            for item in items(value)? {
                sum = add(&sum, &item)?;
            }
            sum
        }
        "any" => items(value)?.iter().any(holds).into(),
        "all" => items(value)?.iter().all(holds).into(),
        "first" => items(value)?.into_iter().next().unwrap_or_default(),
        "last" => items(value)?.pop().unwrap_or_default(),
        "reverse" => match value {
            Value::String(text) => text.chars().rev().collect::<String>().into(),
            Value::Null => json!([]),
            other => items(other)?.into_iter().rev().collect(),
        },
        "sort" | "unique" | "min" | "max" => {
            let mut sorted = items(value)?;
            sorted.sort_by(order);
            match name {
                "min" => sorted.into_iter().next().unwrap_or_default(),
                "max" => sorted.pop().unwrap_or_default(),
                "unique" => {
                    sorted.dedup();
                    sorted.into()
                }
                _ => sorted.into(),
            }
        }
        "flatten" => {
            let mut flat = Vec::new();
            flatten(value, &mut flat);
            flat.into()
        }
        "to_entries" => match value {
            Value::Object(values) => values
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect(),
            other => return Err(Fault::new(format!("{} has no keys", kind(other)))),
        },
        "from_entries" => from_entries(value)?,
        "floor" => float(f64::floor)?,
        "ceil" => float(f64::ceil)?,
        "round" => float(f64::round)?,
        "abs" => float(f64::abs)?,
        "sqrt" => float(f64::sqrt)?,
        "ascii_downcase" => cased(str::to_ascii_lowercase)?,
        "ascii_upcase" => cased(str::to_ascii_uppercase)?,
        "trim" => cased(|text| text.trim().to_owned())?,
        "@base64" => STANDARD.encode(text(value)).into(),
        "@sh" => escape::quoted(&text(value)).into(),
        "@tsv" => rows(value, |item| text(item).replace('\t', "\\t"), "\t")?,
        "@csv" => rows(
            value,
            |item| match item {
                Value::String(text) => format!("\"{}\"", text.replace('"', "\"\"")),
                item => text(item),
            },
            ",",
        )?,
        "values" => return Ok((*value != Value::Null).then(|| value.clone())),
        kind_of => {
            let wanted = kind_of.strip_suffix('s').unwrap_or(kind_of);
            return Ok((kind(value) == wanted).then(|| value.clone()));
        }
    }))
}

fn flatten(value: &Value, flat: &mut Vec<Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| flatten(value, flat)),
        other => flat.push(other.clone()),
    }
}

fn from_entries(value: &Value) -> Result<Value, Fault> {
    let mut object = Map::new();
    for entry in items(value)? {
        let part = |names: [&str; 2]| names.iter().find_map(|name| entry.get(name).cloned());
        let key = part(["key", "name"]).unwrap_or_default();
        object.insert(text(&key), part(["value", "Value"]).unwrap_or_default());
    }
    Ok(Value::Object(object))
}

fn rows(value: &Value, shown: impl Fn(&Value) -> String, joint: &str) -> Result<Value, Fault> {
    let cells: Vec<String> = items(value)?
        .iter()
        .map(|item| match item {
            Value::Null => String::new(),
            item => shown(item),
        })
        .collect();
    Ok(cells.join(joint).into())
}
