//! A foreign text as a tree in which each value knows its line, whatever the
//! notation.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_saphyr::Spanned;
use toml::de::{DeTable, DeValue};

use crate::input::ImportError;

/// How deep values may be nested: no configuration of the systems read here
/// needs a fifth of it.
const MAX_DEPTH: usize = 40;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The line, from 1 on, where there are lines.
    pub(crate) line: Option<u32>,
    pub(crate) value: Value,
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

impl Node {
    /// A value that stands nowhere in particular.
    pub(crate) fn bare(value: Value) -> Self {
        Self { line: None, value }
    }
}

/// Reads TOML.
pub(crate) fn toml(name: &str, text: &str) -> Result<Node, ImportError> {
    let lines = Lines::new(text);
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| lines.line(span.start));
        let unquoted = text.contains("${");
        let instead = if unquoted {
            "mend it; where a `${NAME}` stands without quotes, write its value in"
        } else {
            "mend it, or check that it is the right file"
        };
        ImportError::new(name, format!("is no TOML: {}", error.message()), instead).at(line)
    })?;
    let span = table.span();
    let line = lines.line(span.start);
    from_toml_table(table.get_ref(), line, &lines, 0).map_err(|Deep(line)| too_deep(name, line))
}

/// Reads YAML. An empty file is an empty table.
pub(crate) fn yaml(name: &str, text: &str) -> Result<Node, ImportError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH },
        with_snippet: false,
    };
    let root: Option<Spanned<Raw>> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| {
            let line = error.location().and_then(|at| line_of(at.line()));
            ImportError::new(
                name,
                format!(
                    "is no YAML that can be read: {}",
                    first_line(&error.to_string())
                ),
                "mend it, or check that it is the right file",
            )
            .at(line)
        })?;
    Ok(root.map_or_else(|| Node::bare(Value::Table(Vec::new())), from_spanned))
}

/// Reads JSON.
pub(crate) fn json(name: &str, text: &str) -> Result<Node, ImportError> {
    let failed = |error: &serde_json::Error| {
        ImportError::new(
            name,
            format!("is no JSON: {error}"),
            "mend it, or check that it is the right file",
        )
        .at(u32::try_from(error.line()).ok().filter(|line| *line > 0))
    };
    let root: &RawValue = serde_json::from_str(text).map_err(|error| failed(&error))?;
    let lines = Lines::new(text);
    let start = text.as_ptr().addr();
    from_raw_json(root, start, &lines, 0).map_err(|problem| match problem {
        JsonProblem::Deep(line) => too_deep(name, line),
        JsonProblem::Broken(error) => failed(&error),
    })
}

struct Deep(u32);

fn too_deep(name: &str, line: u32) -> ImportError {
    ImportError::new(
        name,
        format!("is nested more than {MAX_DEPTH} deep"),
        "check that it is the right file",
    )
    .at(Some(line))
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn line_of(line: u64) -> Option<u32> {
    u32::try_from(line).ok().filter(|line| *line > 0)
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(breaks).collect())
    }

    /// The line of an offset, from 1 on.
    fn line(&self, offset: usize) -> u32 {
        let line = self.0.partition_point(|start| *start <= offset);
        u32::try_from(line).unwrap_or(u32::MAX)
    }
}

fn from_toml_table(
    table: &DeTable<'_>,
    line: u32,
    lines: &Lines,
    depth: usize,
) -> Result<Node, Deep> {
    let mut entries = Vec::new();
    for (key, value) in table {
        let line = lines.line(key.span().start);
        let node = from_toml(value.get_ref(), line, lines, depth + 1)?;
        entries.push((key.get_ref().to_string(), node));
    }
    // The parser orders keys by name; people look for them in their own order.
    entries.sort_by_key(|(_, node)| node.line);
    Ok(Node {
        line: Some(line),
        value: Value::Table(entries),
    })
}

fn from_toml(value: &DeValue<'_>, line: u32, lines: &Lines, depth: usize) -> Result<Node, Deep> {
    if depth > MAX_DEPTH {
        return Err(Deep(line));
    }
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Text(number.to_string()), Value::Integer),
        DeValue::Float(number) => number
            .as_str()
            .parse()
            .map_or_else(|_| Value::Text(number.to_string()), Value::Float),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(time) => Value::Text(time.to_string()),
        DeValue::Array(items) => {
            let mut list = Vec::new();
            for item in items {
                let line = lines.line(item.span().start);
                list.push(from_toml(item.get_ref(), line, lines, depth + 1)?);
            }
            Value::List(list)
        }
        DeValue::Table(table) => return from_toml_table(table, line, lines, depth),
    };
    Ok(Node {
        line: Some(line),
        value,
    })
}

enum JsonProblem {
    Deep(u32),
    Broken(serde_json::Error),
}

fn from_raw_json(
    raw: &RawValue,
    start: usize,
    lines: &Lines,
    depth: usize,
) -> Result<Node, JsonProblem> {
    let text = raw.get();
    let line = lines.line(text.as_ptr().addr().saturating_sub(start));
    if depth > MAX_DEPTH {
        return Err(JsonProblem::Deep(line));
    }
    let value = match text.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) = serde_json::from_str(text).map_err(JsonProblem::Broken)?;
            let mut table = Vec::new();
            for (key, raw) in entries {
                table.push((key, from_raw_json(raw, start, lines, depth + 1)?));
            }
            Value::Table(table)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(JsonProblem::Broken)?;
            let items = items.into_iter();
            Value::List(
                items
                    .map(|raw| from_raw_json(raw, start, lines, depth + 1))
                    .collect::<Result<_, _>>()?,
            )
        }
        _ => from_json(&serde_json::from_str(text).map_err(JsonProblem::Broken)?).value,
    };
    Ok(Node {
        line: Some(line),
        value,
    })
}

/// A value of JSON without lines, such as one within a column of a database.
pub(crate) fn from_json(value: &serde_json::Value) -> Node {
    use serde_json::Value as Json;
    Node::bare(match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => number.as_i64().map_or_else(
            || Value::Float(number.as_f64().unwrap_or(f64::MAX)),
            Value::Integer,
        ),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => Value::Table(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), from_json(value)))
                .collect(),
        ),
    })
}

/// The entries of a JSON object, unread.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry::<String, &'de RawValue>()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// A value of YAML, its parts with their places.
enum Raw {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Self>>),
    Table(Vec<(String, Spanned<Self>)>),
}

fn from_spanned(spanned: Spanned<Raw>) -> Node {
    let line = line_of(spanned.referenced.line());
    let value = match spanned.value {
        Raw::Null => Value::Null,
        Raw::Bool(value) => Value::Bool(value),
        Raw::Integer(value) => Value::Integer(value),
        Raw::Float(value) => Value::Float(value),
        Raw::Text(text) => Value::Text(text),
        Raw::List(items) => Value::List(items.into_iter().map(from_spanned).collect()),
        Raw::Table(entries) => Value::Table(
            entries
                .into_iter()
                .map(|(key, value)| (key, from_spanned(value)))
                .collect(),
        ),
    };
    Node { line, value }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawReader)
    }
}

struct RawReader;

impl<'de> Visitor<'de> for RawReader {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Raw, E> {
        // A number so large is a name, such as a chat's or a phone's.
        Ok(i64::try_from(value).map_or_else(|_| Raw::Text(value.to_string()), Raw::Integer))
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or_else(|_| Raw::Text(value.to_string()), Raw::Integer))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Raw, E> {
        Ok(i64::try_from(value).map_or_else(|_| Raw::Text(value.to_string()), Raw::Integer))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Raw, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Raw::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut entries = Vec::new();
        while let Some((Key(key), value)) = map.next_entry::<Key, Spanned<Raw>>()? {
            entries.push((key, value));
        }
        Ok(Raw::Table(entries))
    }
}

/// A key as a text, even one that is a number or a word such as `on`.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}
