//! Reading a tree of values into what the file says, collecting every mistake
//! on the way.
//!
//! A table is declared once, with [`table!`](crate::read::table): from that one
//! declaration come the type, the reader and the JSON Schema, so that they
//! cannot drift apart.

pub(crate) mod address;
pub(crate) mod brand;
pub(crate) mod list;
pub(crate) mod scalar;

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use crate::source::{At, Sources};
use crate::suggest::nearest;
use crate::tree::{Node, Table, Value};

/// A value, where it stands and the path of its key.
#[derive(Clone, Debug)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) at: At,
    pub(crate) key: String,
}

/// A mistake as the reader notes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) at: At,
    pub(crate) key: String,
    pub(crate) what: String,
    pub(crate) instead: Option<String>,
    pub(crate) related: Vec<(At, String)>,
    /// It says that something is not there. Where the TOML itself is broken,
    /// what is missing may well have been written.
    pub(crate) is_absence: bool,
}

impl Finding {
    pub(crate) fn new(at: At, what: impl Into<String>) -> Self {
        Self {
            at,
            key: String::new(),
            what: what.into(),
            instead: None,
            related: Vec::new(),
            is_absence: false,
        }
    }

    /// What to write instead.
    pub(crate) fn instead(mut self, instead: impl Into<String>) -> Self {
        self.instead = Some(instead.into());
        self
    }

    /// `did you mean`, if one of `known` is near what was written.
    pub(crate) fn nearest<'a>(
        mut self,
        written: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        if let Some(word) = nearest(written, known) {
            self.instead = Some(format!("did you mean `{word}`?"));
        }
        self
    }

    /// Another place to look at, and what stands there.
    pub(crate) fn related(mut self, at: At, what: &str) -> Self {
        self.related.push((at, what.to_owned()));
        self
    }

    /// The path of the key, where it is not the one being read.
    pub(crate) fn key(mut self, key: &str) -> Self {
        key.clone_into(&mut self.key);
        self
    }

    /// Says that something is not there.
    pub(crate) fn absence(mut self) -> Self {
        self.is_absence = true;
        self
    }
}

/// What every reader shares.
pub(crate) struct Context<'a> {
    pub(crate) sources: &'a Arc<Sources>,
    /// The environment, for references to secrets.
    pub(crate) env: &'a dyn Fn(&str) -> Option<String>,
    /// Every mistake so far.
    pub(crate) findings: Vec<Finding>,
    /// Texts that may be secrets and must not be shown.
    pub(crate) masks: Vec<At>,
    path: String,
}

impl<'a> Context<'a> {
    pub(crate) fn new(sources: &'a Arc<Sources>, env: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            sources,
            env,
            findings: Vec::new(),
            masks: Vec::new(),
            path: String::new(),
        }
    }

    /// Notes a mistake in the key that is being read.
    pub(crate) fn report(&mut self, mut finding: Finding) {
        if finding.key.is_empty() {
            finding.key.clone_from(&self.path);
        }
        self.findings.push(finding);
    }

    /// Whether a mistake was noted in the key with this path or below it: what
    /// could not be read was written all the same.
    pub(crate) fn is_noted(&self, path: &str) -> bool {
        let mut findings = self.findings.iter();
        findings.any(|finding| finding.key.starts_with(path))
    }

    /// Reads the key `name` of the table being read.
    pub(crate) fn within<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let separator = if self.path.is_empty() { "" } else { "." };
        self.nested(format_args!("{separator}{name}"), read)
    }

    /// Reads one element of the list being read.
    pub(crate) fn within_element<T>(
        &mut self,
        label: impl fmt::Display,
        read: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.nested(format_args!("[{label}]"), read)
    }

    fn nested<T>(&mut self, step: fmt::Arguments<'_>, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(&step.to_string());
        let result = read(self);
        self.path.truncate(length);
        result
    }

    /// The path of the key that is being read.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The name of the key that is being read, without the tables around it.
    pub(crate) fn name(&self) -> &str {
        self.path
            .rsplit_once('.')
            .map_or(self.path.as_str(), |(_, name)| name)
    }

    /// Notes that `node` is of another kind than the key takes.
    pub(crate) fn mismatch(&mut self, node: &Node, expected: &str, instead: Option<String>) {
        let what = format!("`{}` must be {expected}, not {}", self.name(), node.kind());
        let mut finding = Finding::new(node.at, what);
        finding.instead = instead;
        self.report(finding);
    }
}

/// What can be read from one value.
pub(crate) trait FromNode: Sized {
    /// The value, or `None` after the mistake was noted.
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self>;

    /// The JSON Schema of what [`FromNode::read`] takes.
    fn schema() -> Json;
}

/// What can be read from a table with a fixed set of keys.
pub(crate) trait FromTable: Sized {
    /// The names of its keys.
    fn names() -> Vec<&'static str>;

    /// Its keys with all that the schema says of them.
    fn keys() -> Vec<KeyInfo>;

    /// Takes each key from the table.
    fn take(reader: &mut TableReader<'_, '_, '_>) -> Self;
}

/// A key of a table.
pub(crate) struct KeyInfo {
    pub(crate) name: &'static str,
    pub(crate) doc: String,
    pub(crate) need: Need,
    pub(crate) schema: Json,
}

/// What happens where a key is absent.
pub(crate) enum Need {
    /// That is a mistake.
    Required,
    /// Nothing.
    Optional,
    /// This value holds.
    Default(Json),
}

/// A table while its keys are being taken.
pub(crate) struct TableReader<'n, 'c, 'a> {
    table: &'n Table,
    at: At,
    cx: &'c mut Context<'a>,
}

impl<'n, 'c, 'a> TableReader<'n, 'c, 'a> {
    /// Takes keys from the table that stands at `at`.
    pub(crate) fn new(table: &'n Table, at: At, cx: &'c mut Context<'a>) -> Self {
        Self { table, at, cx }
    }

    /// Reads the key `name`, if it is there.
    pub(crate) fn take<T: FromNode>(&mut self, name: &str, is_required: bool) -> Option<Placed<T>> {
        let Some(entry) = self.table.get(name) else {
            if is_required {
                let what = format!("`{name}` is missing");
                self.cx
                    .within(name, |cx| cx.report(Finding::new(self.at, what).absence()));
            }
            return None;
        };
        self.cx.within(name, |cx| {
            let value = T::read(&entry.node, cx)?;
            Some(Placed {
                value,
                at: entry.node.at,
                key: cx.path().to_owned(),
            })
        })
    }
}

/// Reads a table and notes every key that it does not have.
pub(crate) fn read_table<T: FromTable>(node: &Node, cx: &mut Context<'_>) -> Option<T> {
    let Value::Table(table) = &node.value else {
        cx.mismatch(node, "a table", None);
        return None;
    };
    let names = T::names();
    for entry in &table.entries {
        if !names.contains(&entry.key.as_str()) {
            report_unknown(&entry.key, entry.key_at, &names, cx);
        }
    }
    Some(T::take(&mut TableReader::new(table, node.at, cx)))
}

/// Notes a key that is not among `names`.
pub(crate) fn report_unknown(key: &str, at: At, names: &[&str], cx: &mut Context<'_>) {
    let finding = Finding::new(at, format!("unknown key `{key}`"))
        .instead(format!("the keys here are {}", quoted(names)))
        .nearest(key, names.iter().copied());
    cx.within(key, |cx| cx.report(finding));
}

/// `` `a`, `b` and `c` ``
pub(crate) fn quoted(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}

/// The JSON Schema of a table.
pub(crate) fn table_schema<T: FromTable>() -> Json {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for key in T::keys() {
        let mut schema = key.schema;
        if let Json::Object(schema) = &mut schema {
            let own = schema.get("description").and_then(Json::as_str);
            let doc = own.map_or_else(|| key.doc.clone(), |own| format!("{} {own}", key.doc));
            schema.insert("description".to_owned(), doc.into());
            if let Need::Default(default) = key.need {
                schema.insert("default".to_owned(), default);
            } else if matches!(key.need, Need::Required) {
                required.push(key.name);
            }
        }
        properties.insert(key.name.to_owned(), schema);
    }
    let mut schema =
        json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (Json::Object(schema), false) = (&mut schema, required.is_empty()) {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

/// Declares a table: what the file says, before anything is filled in.
///
/// Each field is `[need] name: Type`, where the need is `required`, `optional`
/// or `default` and the JSON of that default, and the documentation is what an
/// editor shows. A key that is no Rust name follows after `as`. After the
/// fields, `flatten name: Type` adds the keys of another table.
macro_rules! table {
    (
        $(#[doc = $table_doc:literal])*
        struct $table:ident {
            $(
                $(#[doc = $doc:literal])+
                [$($need:tt)+] $field:ident $(as $key:literal)? : $ty:ty,
            )*
            $(flatten $flat:ident : $flat_ty:ty,)?
        }
    ) => {
        $(#[doc = $table_doc])*
        #[derive(Clone, Debug)]
        pub(crate) struct $table {
            $(
                $(#[doc = $doc])+
                pub(crate) $field: Option<$crate::read::Placed<$ty>>,
            )*
            $(
                /// The keys that it shares with another table.
                pub(crate) $flat: $flat_ty,
            )?
        }

        impl $crate::read::FromTable for $table {
            fn names() -> Vec<&'static str> {
                let own = [$($crate::read::key_name!($field $($key)?)),*].into_iter();
                own$(.chain(<$flat_ty as $crate::read::FromTable>::names()))?.collect()
            }

            fn keys() -> Vec<$crate::read::KeyInfo> {
                let own = [$(
                    $crate::read::KeyInfo {
                        name: $crate::read::key_name!($field $($key)?),
                        doc: [$($doc),+].map(str::trim).join(" "),
                        need: $crate::read::need!($($need)+),
                        schema: <$ty as $crate::read::FromNode>::schema(),
                    }
                ),*].into_iter();
                own$(.chain(<$flat_ty as $crate::read::FromTable>::keys()))?.collect()
            }

            fn take(reader: &mut $crate::read::TableReader<'_, '_, '_>) -> Self {
                Self {
                    $($field: reader.take(
                        $crate::read::key_name!($field $($key)?),
                        matches!($crate::read::need!($($need)+), $crate::read::Need::Required),
                    ),)*
                    $($flat: <$flat_ty as $crate::read::FromTable>::take(reader),)?
                }
            }
        }

        impl $crate::read::FromNode for $table {
            fn read(
                node: &$crate::tree::Node,
                cx: &mut $crate::read::Context<'_>,
            ) -> Option<Self> {
                $crate::read::read_table(node, cx)
            }

            fn schema() -> serde_json::Value {
                $crate::read::table_schema::<Self>()
            }
        }
    };
}

/// The key of a field: its name unless another one is given.
macro_rules! key_name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $key:literal) => {
        $key
    };
}

/// The [`Need`] that a declaration states.
macro_rules! need {
    (required) => {
        $crate::read::Need::Required
    };
    (optional) => {
        $crate::read::Need::Optional
    };
    (default $value:tt) => {
        $crate::read::Need::Default(serde_json::json!($value))
    };
}

pub(crate) use {key_name, need, table};
