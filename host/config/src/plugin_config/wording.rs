//! What a violation of a schema is called where people write TOML.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value as Json;

use crate::suggest::nearest;

/// The longest message, in characters: a plugin's schema may hold anything.
const MAX_MESSAGE: usize = 400;

/// What the alternatives of a schema have in common in refusing a value.
pub(super) enum Alternatives<'e> {
    /// One of them was meant, and this is what it says.
    Nearest(&'e [ValidationError<'static>]),
    /// They are constants.
    Constants(Vec<Json>),
    /// They are of other types.
    Types(BTreeSet<String>),
    /// Nothing.
    Other,
}

pub(super) fn alternatives<'e>(
    branches: &'e [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Alternatives<'e> {
    let is_here = |error: &ValidationError<'_>| error.instance_path().as_str() == pointer;
    let is_type = |error: &ValidationError<'_>| {
        is_here(error) && matches!(error.kind(), ValidationErrorKind::Type { .. })
    };
    let is_constant = |error: &ValidationError<'_>| is_here(error) && !constants(error).is_empty();
    let errors = || branches.iter().flatten();
    if errors().any(is_constant) && errors().all(|error| is_constant(error) || is_type(error)) {
        return Alternatives::Constants(errors().flat_map(constants).collect());
    }
    if errors().next().is_some() && errors().all(is_type) {
        return Alternatives::Types(errors().flat_map(|error| types(error)).collect());
    }
    // A value of the right type that is wrong within was meant for that branch.
    let mut meant = branches.iter().filter(|branch| !branch.iter().any(is_type));
    match (meant.next(), meant.next()) {
        (Some(branch), None) => Alternatives::Nearest(branch),
        _ => Alternatives::Other,
    }
}

/// The values that the violated keyword would have taken.
pub(super) fn constants(error: &ValidationError<'_>) -> Vec<Json> {
    match error.kind() {
        ValidationErrorKind::Enum { options } => options.as_array().cloned().unwrap_or_default(),
        ValidationErrorKind::Constant { expected_value } => vec![(**expected_value).clone()],
        _ => Vec::new(),
    }
}

/// The types that the violated keyword would have taken, in words.
pub(super) fn types(error: &ValidationError<'_>) -> BTreeSet<String> {
    match error.kind() {
        ValidationErrorKind::Type {
            kind: TypeKind::Single(kind),
        } => BTreeSet::from([word(&kind.to_string())]),
        ValidationErrorKind::Type {
            kind: TypeKind::Multiple(kinds),
        } => kinds.iter().map(|kind| word(&kind.to_string())).collect(),
        _ => BTreeSet::new(),
    }
}

/// What a JSON type is called where people write TOML.
fn word(kind: &str) -> String {
    match kind {
        "string" => "a text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        other => other,
    }
    .to_owned()
}

pub(super) fn mismatch(name: &str, expected: &BTreeSet<String>, found: &Json) -> String {
    // An absent key is TOML's null: nobody can write it.
    let expected: Vec<_> = expected
        .iter()
        .map(String::as_str)
        .filter(|word| *word != "null")
        .collect();
    let found = match found {
        Json::Null => "nothing",
        Json::Bool(_) => "true or false",
        Json::Number(number) if number.is_f64() => "a fraction",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a table",
    };
    format!("`{name}` must be {}, not {found}", expected.join(" or "))
}

pub(super) fn one_of(
    name: &str,
    options: &[Json],
    written: Option<&str>,
) -> (String, Option<String>) {
    let shown: Vec<_> = options
        .iter()
        .filter(|option| !option.is_null())
        .map(ToString::to_string)
        .collect();
    let what = format!("`{name}` must be one of {}", shown.join(", "));
    let words = options.iter().filter_map(Json::as_str);
    let instead = written.and_then(|written| nearest(written, words));
    (what, instead.map(|word| format!("did you mean {word:?}?")))
}

pub(super) fn keys_here(known: &[&str]) -> Option<String> {
    (!known.is_empty()).then(|| short(&format!("the keys here are {}", crate::read::quoted(known))))
}

/// The message in one line of bearable length.
pub(super) fn short(message: &str) -> String {
    let mut chars = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = chars.by_ref().take(MAX_MESSAGE).collect();
    if chars.next().is_some() {
        short.push('…');
    }
    short
}
