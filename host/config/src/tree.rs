//! The values of the files with the places they stand at, merged into one tree.

use toml::de::{DeTable, DeValue};
use toml::{Spanned, de::DeArray};

use crate::source::At;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The value itself; of a table with a header, the header.
    pub(crate) at: At,
    pub(crate) value: Value,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// `None`: more digits than 64 bits hold.
    Integer(Option<i64>),
    Float(f64),
    Bool(bool),
    /// As it is written.
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

/// The entries of a table, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: At,
    pub(crate) node: Node,
}

impl Node {
    /// What kind of value it is, with its article.
    pub(crate) fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a number",
            Value::Float(_) => "a fraction",
            Value::Bool(_) => "true or false",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }
}

impl Table {
    /// The entry with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The values of a document, whose text is source number `file`.
    pub(crate) fn from_document(document: &DeTable<'_>, file: usize) -> Self {
        table(document, file)
    }

    /// Adds the entries of the next file: lists under the same key are joined,
    /// `[plugins]` tables are joined key by key, and every other key that was
    /// there before is handed to `twice` with its earlier place.
    pub(crate) fn merge(&mut self, next: Self, twice: &mut dyn FnMut(&Entry, At)) {
        for entry in next.entries {
            let Some(known) = self.entries.iter_mut().find(|known| known.key == entry.key) else {
                self.entries.push(entry);
                continue;
            };
            match (&mut known.node.value, entry.node.value) {
                (Value::Array(list), Value::Array(more)) => list.extend(more),
                (Value::Table(table), Value::Table(more)) if entry.key == "plugins" => {
                    for entry in more.entries {
                        match table.get(&entry.key) {
                            Some(known) => twice(&entry, known.key_at),
                            None => table.entries.push(entry),
                        }
                    }
                }
                (_, value) => {
                    let node = Node {
                        at: entry.node.at,
                        value,
                    };
                    twice(&Entry { node, ..entry }, known.key_at);
                }
            }
        }
    }
}

fn table(table: &DeTable<'_>, file: usize) -> Table {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_at: At {
                file,
                start: key.span().start,
                end: key.span().end,
            },
            node: node(value, file),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at);
    Table { entries }
}

fn array(array: &DeArray<'_>, file: usize) -> Vec<Node> {
    array.iter().map(|value| node(value, file)).collect()
}

// Recursion ends: the parser refuses more than 80 levels.
fn node(spanned: &Spanned<DeValue<'_>>, file: usize) -> Node {
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => {
            Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Bool(*value),
        DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
        DeValue::Array(values) => Value::Array(array(values, file)),
        DeValue::Table(values) => Value::Table(table(values, file)),
    };
    Node {
        at: At {
            file,
            start: spanned.span().start,
            end: spanned.span().end,
        },
        value,
    }
}
