//! Reading the tables of a foreign file so that no key is passed over in silence.

use crate::context::Context;
use crate::input::ImportError;
use crate::node::{Node, Value};
use crate::report::Place;

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Field<'n> {
    pub(crate) node: &'n Node,
    pub(crate) place: Place,
}

/// The entries of a table, of which each is taken once.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'n> {
    pub(crate) place: Place,
    entries: &'n [(String, Node)],
    seen: Vec<bool>,
}

impl<'n> Field<'n> {
    /// The whole of a file.
    pub(crate) fn root(file: &str, node: &'n Node) -> Self {
        let place = Place {
            file: file.to_owned(),
            line: None,
            path: String::new(),
        };
        Self { node, place }
    }

    /// Its entries, if it is a table; reported if not.
    pub(crate) fn table(&self, cx: &mut Context<'_>) -> Option<Fields<'n>> {
        let Value::Table(entries) = &self.node.value else {
            self.mistyped("a table", cx);
            return None;
        };
        Some(Fields {
            place: self.place.clone(),
            entries,
            seen: vec![false; entries.len()],
        })
    }

    /// Its elements, if it is a list; a single value counts as a list of one.
    pub(crate) fn list(&self) -> Vec<Self> {
        match &self.node.value {
            Value::Null => Vec::new(),
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, node)| self.below(node, &format!("[{index}]")))
                .collect(),
            _ => vec![self.clone()],
        }
    }

    /// The text, if it is one or a number or boolean that people forgot to quote.
    pub(crate) fn text(&self, cx: &mut Context<'_>) -> Option<String> {
        match &self.node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Integer(number) => Some(number.to_string()),
            Value::Float(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            _ => {
                self.mistyped("a text", cx);
                None
            }
        }
    }

    /// The number, if it is one or a text that spells one.
    pub(crate) fn number(&self, cx: &mut Context<'_>) -> Option<f64> {
        let number = match &self.node.value {
            #[expect(
                clippy::cast_precision_loss,
                reason = "no configuration counts to 2^53"
            )]
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Bool(value) => Some(f64::from(u8::from(*value))),
            _ => None,
        };
        let number = number.filter(|number| number.is_finite());
        if number.is_none() {
            self.mistyped("a number", cx);
        }
        number
    }

    /// The whole number.
    pub(crate) fn integer(&self, cx: &mut Context<'_>) -> Option<i64> {
        let number = self.number(cx)?;
        // Beyond this not every whole number has a float of its own.
        if number.abs() > 9.0e15 {
            self.mistyped("a number of sensible size", cx);
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "bounded above")]
        Some(number.round() as i64)
    }

    /// The boolean; databases write 0 and 1.
    pub(crate) fn flag(&self, cx: &mut Context<'_>) -> Option<bool> {
        match &self.node.value {
            Value::Bool(value) => Some(*value),
            Value::Integer(number) => Some(*number != 0),
            Value::Text(text) if text == "true" => Some(true),
            Value::Text(text) if text == "false" => Some(false),
            _ => {
                self.mistyped("true or false", cx);
                None
            }
        }
    }

    pub(crate) fn below(&self, node: &'n Node, step: &str) -> Self {
        Self {
            node,
            place: Place {
                file: self.place.file.clone(),
                line: node.line.or(self.place.line),
                path: format!("{}{step}", self.place.path),
            },
        }
    }

    fn mistyped(&self, wanted: &str, cx: &mut Context<'_>) {
        cx.lost(&self.place, format!("should be {wanted} and is not"));
    }
}

impl<'n> Fields<'n> {
    /// The table that a whole file is.
    pub(crate) fn whole(file: &str, node: &'n Node) -> Result<Self, ImportError> {
        let place = Field::root(file, node).place;
        let Value::Table(entries) = &node.value else {
            return Err(ImportError::new(
                file,
                "has no keys at its top",
                "check that it is the right file and the right kind",
            )
            .at(node.line));
        };
        Ok(Self {
            place,
            entries,
            seen: vec![false; entries.len()],
        })
    }

    /// Whether there is a key, taken or not.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name == key)
    }

    /// The value of a key; none where it is absent or null.
    pub(crate) fn take(&mut self, key: &str) -> Option<Field<'n>> {
        let mut found = None;
        for (at, (name, node)) in self.entries.iter().enumerate() {
            if name == key {
                self.seen[at] = true;
                found = Some(node);
            }
        }
        found
            .filter(|node| !matches!(node.value, Value::Null))
            .map(|node| self.field(key, node))
    }

    /// All keys that were not taken yet, with their values.
    pub(crate) fn take_rest(&mut self) -> Vec<(&'n str, Field<'n>)> {
        let mut rest = Vec::new();
        for (at, (name, node)) in self.entries.iter().enumerate() {
            if !self.seen[at] {
                self.seen[at] = true;
                rest.push((name.as_str(), self.field(name, node)));
            }
        }
        rest
    }

    pub(crate) fn text(&mut self, key: &str, cx: &mut Context<'_>) -> Option<String> {
        self.take(key)?.text(cx)
    }

    /// The text, unless it is blank.
    pub(crate) fn filled(&mut self, key: &str, cx: &mut Context<'_>) -> Option<String> {
        self.text(key, cx).filter(|text| !text.trim().is_empty())
    }

    pub(crate) fn number(&mut self, key: &str, cx: &mut Context<'_>) -> Option<f64> {
        self.take(key)?.number(cx)
    }

    pub(crate) fn integer(&mut self, key: &str, cx: &mut Context<'_>) -> Option<i64> {
        self.take(key)?.integer(cx)
    }

    pub(crate) fn flag(&mut self, key: &str, cx: &mut Context<'_>) -> Option<bool> {
        self.take(key)?.flag(cx)
    }

    pub(crate) fn table(&mut self, key: &str, cx: &mut Context<'_>) -> Option<Self> {
        self.take(key)?.table(cx)
    }

    pub(crate) fn list(&mut self, key: &str) -> Vec<Field<'n>> {
        self.take(key).map(|field| field.list()).unwrap_or_default()
    }

    /// Takes keys that mean nothing for the result: what is shown or remembered
    /// there and found out anew here.
    pub(crate) fn skip(&mut self, keys: &[&str]) {
        for key in keys {
            self.take(key);
        }
    }

    /// Reports keys that have no counterpart, with the reason, where they are
    /// there and say something.
    pub(crate) fn lose(&mut self, keys: &[&str], why: &str, cx: &mut Context<'_>) {
        for key in keys {
            if let Some(field) = self.take(key)
                && !says_nothing(field.node)
            {
                cx.lost(&field.place, why);
            }
        }
    }

    /// Reports all keys that nobody took.
    pub(crate) fn finish(mut self, cx: &mut Context<'_>) {
        for (_, field) in self.take_rest() {
            if !says_nothing(field.node) {
                cx.lost(&field.place, "this key has no counterpart");
            }
        }
    }

    fn field(&self, key: &str, node: &'n Node) -> Field<'n> {
        let dot = if self.place.path.is_empty() { "" } else { "." };
        Field {
            node,
            place: Place {
                file: self.place.file.clone(),
                line: node.line.or(self.place.line),
                path: format!("{}{dot}{key}", self.place.path),
            },
        }
    }
}

/// Whether a value is one by which systems say that there is none.
fn says_nothing(node: &Node) -> bool {
    match &node.value {
        Value::Null | Value::Bool(false) => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Table(entries) => entries.is_empty(),
        Value::Bool(true) | Value::Integer(_) | Value::Float(_) => false,
    }
}
