//! A plugin's configuration against the schema that the plugin describes.

use std::collections::BTreeSet;
use std::fmt;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, ValidationOptions, Validator};
use serde_json::Value as Json;

use super::bounds::{refuse, with_stack};
use super::walk::{Walk, walk};
use super::wording::{
    Alternatives, alternatives, constants, keys_here, mismatch, one_of, short, types,
};
use super::{Blame, PluginConfig, escaped, last_step};
use crate::problem::Problem;
use crate::secret::Secret;
use crate::suggest::nearest;

/// How many violations of one configuration are described.
const MAX_VIOLATIONS: usize = 100;

/// A plugin's JSON Schema (2020-12), ready to check configurations.
#[derive(Debug)]
pub struct PluginSchema {
    schema: Json,
    validator: Validator,
}

/// Why a text is no usable schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSchema(String);

impl fmt::Display for InvalidSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidSchema {}

impl PluginSchema {
    /// Prepares the schema. It may refer to its own parts only, by JSON pointers,
    /// and must not be too large or intricate to be checked.
    pub fn new(schema: &Json) -> Result<Self, InvalidSchema> {
        if let Some(problem) = refuse(schema) {
            return Err(InvalidSchema(short(&problem)));
        }
        let build = || {
            options()
                .build(schema)
                .map_err(|error| short(&error.to_string()))
        };
        let built = with_stack(build).unwrap_or_else(|| Err("it cannot be prepared".to_owned()));
        let validator = built.map_err(InvalidSchema)?;
        Ok(Self {
            schema: schema.clone(),
            validator,
        })
    }

    /// Everything in `config` that the schema does not accept, each at the line
    /// of the key or value to blame and without any value of `config`.
    pub fn check(&self, config: &PluginConfig) -> Vec<Problem> {
        let (masks, walk) = self.hidden(config);
        let described = match walk {
            Walk::Complete => with_stack(|| {
                let mut problems = Vec::new();
                for error in self
                    .validator
                    .iter_errors(config.json())
                    .take(MAX_VIOLATIONS)
                {
                    self.describe(&error, config, &masks, &mut problems);
                }
                problems
            }),
            Walk::TooIntricate => None,
        };
        let mut problems = described.unwrap_or_else(|| {
            let what = "the plugin's schema is too intricate to check this against it".to_owned();
            vec![config.problem("", Blame::Value, &masks, what, None)]
        });
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        problems.dedup();
        problems
    }

    /// The texts that the schema calls URIs (`"format": "uri"`), each once.
    pub fn uris(&self, config: &PluginConfig) -> Vec<String> {
        let mut found = BTreeSet::new();
        let _: Walk = walk(&self.schema, config.json(), &mut |keywords, value, _| {
            if let (Some("uri"), Json::String(text)) =
                (keywords.get("format").and_then(Json::as_str), value)
            {
                found.insert(text.clone());
            }
        });
        found.into_iter().collect()
    }

    /// The texts that the schema calls secret (`"writeOnly": true`), each once.
    ///
    /// If the schema is too intricate to tell, every text of the configuration.
    pub fn write_only(&self, config: &PluginConfig) -> Vec<Secret> {
        let mut found = BTreeSet::new();
        for pointer in self.hidden(config).0 {
            if let Some(Json::String(text)) = config.json().pointer(&pointer) {
                found.insert(text.as_str());
            }
        }
        found.into_iter().filter_map(Secret::new).collect()
    }

    /// The JSON pointers of the texts in `json` that the schema calls secret.
    ///
    /// If the schema is too intricate to tell, those of every text.
    pub fn secret_pointers(&self, json: &Json) -> BTreeSet<String> {
        let mut pointers = BTreeSet::new();
        let end = walk(&self.schema, json, &mut |keywords, value, pointer| {
            if keywords.get("writeOnly") == Some(&Json::Bool(true)) {
                leaves(value, &mut pointer.to_owned(), &mut pointers);
            }
        });
        if end == Walk::TooIntricate {
            leaves(json, &mut String::new(), &mut pointers);
        }
        pointers
    }

    /// The configuration as people may see it: four asterisks stand for each secret.
    pub fn shown(&self, config: &PluginConfig) -> Json {
        let mut shown = config.json().clone();
        for pointer in self.hidden(config).0 {
            if let Some(value) = shown.pointer_mut(&pointer) {
                *value = Json::String("****".to_owned());
            }
        }
        shown
    }

    /// The JSON pointers of the values that must not be shown, and what came of
    /// looking for them.
    pub(super) fn hidden(&self, config: &PluginConfig) -> (BTreeSet<String>, Walk) {
        let mut pointers = BTreeSet::new();
        let end = walk(
            &self.schema,
            config.json(),
            &mut |keywords, value, pointer| {
                if keywords.get("writeOnly") == Some(&Json::Bool(true)) {
                    leaves(value, &mut pointer.to_owned(), &mut pointers);
                }
            },
        );
        if end == Walk::TooIntricate {
            leaves(config.json(), &mut String::new(), &mut pointers);
        }
        pointers.extend(config.0.secret_at.iter().cloned());
        (pointers, end)
    }

    /// Adds the problems that one violation amounts to.
    fn describe(
        &self,
        error: &ValidationError<'_>,
        config: &PluginConfig,
        masks: &BTreeSet<String>,
        problems: &mut Vec<Problem>,
    ) {
        let pointer = error.instance_path().as_str();
        let name = last_step(pointer);
        let mut add = |pointer: &str, blame: Blame, what: String, instead: Option<String>| {
            problems.push(config.problem(pointer, blame, masks, short(&what), instead));
        };
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected }
            | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
                let known = self.siblings(error);
                for key in unexpected {
                    let instead = nearest(key, known.iter().copied())
                        .map(|word| format!("did you mean `{word}`?"))
                        .or_else(|| keys_here(&known));
                    let pointer = format!("{pointer}/{}", escaped(key));
                    add(
                        &pointer,
                        Blame::Key,
                        format!("unknown key `{key}`"),
                        instead,
                    );
                }
            }
            ValidationErrorKind::Required { property } => {
                let property = property.as_str().unwrap_or_default();
                let pointer = format!("{pointer}/{}", escaped(property));
                add(
                    &pointer,
                    Blame::Value,
                    format!("`{property}` is missing"),
                    None,
                );
            }
            ValidationErrorKind::Type { .. } => {
                let what = mismatch(&name, &types(error), error.instance());
                add(pointer, Blame::Value, what, None);
            }
            ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => {
                let options = constants(error);
                let (what, instead) = one_of(&name, &options, written(config, pointer, masks));
                add(pointer, Blame::Value, what, instead);
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                match alternatives(context, pointer) {
                    Alternatives::Nearest(errors) => {
                        for error in errors {
                            self.describe(error, config, masks, problems);
                        }
                    }
                    Alternatives::Constants(options) => {
                        let written = written(config, pointer, masks);
                        let (what, instead) = one_of(&name, &options, written);
                        add(pointer, Blame::Value, what, instead);
                    }
                    Alternatives::Types(types) => {
                        add(
                            pointer,
                            Blame::Value,
                            mismatch(&name, &types, error.instance()),
                            None,
                        );
                    }
                    Alternatives::Other => {
                        let what = format!("`{name}` has none of the forms that the plugin takes");
                        add(pointer, Blame::Value, what, None);
                    }
                }
            }
            ValidationErrorKind::Format { format } if format == "uri" => {
                let what = format!("`{name}` must be a URL such as \"https://example.com\"");
                add(pointer, Blame::Value, what, None);
            }
            // The message of the library names what the schema says, and the
            // value only by the words given here.
            _ => {
                let what = error.masked_with(format!("`{name}`")).to_string();
                add(pointer, Blame::Value, what, None);
            }
        }
    }

    /// The properties that stand beside the `additionalProperties` that `error`
    /// comes from.
    fn siblings(&self, error: &ValidationError<'_>) -> Vec<&str> {
        let schema = error
            .schema_path()
            .as_str()
            .rsplit_once('/')
            .map_or("", |(parent, _)| parent);
        let properties = self.schema.pointer(&format!("{schema}/properties"));
        properties
            .and_then(Json::as_object)
            .into_iter()
            .flat_map(|properties| properties.keys().map(String::as_str))
            .collect()
    }
}

/// How schemas of plugins are read: formats are checked, since grants follow
/// from them, and patterns are matched in linear time.
pub(super) fn options() -> ValidationOptions<'static> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
}

/// Everything in `config` that `schema` does not accept; a schema that cannot be
/// used is itself one problem. To check several configurations against one
/// schema, see [`PluginSchema`].
pub fn check_plugin_config(config: &PluginConfig, schema: &Json) -> Vec<Problem> {
    match PluginSchema::new(schema) {
        Ok(schema) => schema.check(config),
        Err(error) => {
            let what = format!("the plugin's own schema cannot be used: {error}");
            // Without a schema nobody knows what is secret.
            let mut masks = BTreeSet::new();
            leaves(config.json(), &mut String::new(), &mut masks);
            vec![config.problem("", Blame::Value, &masks, what, None)]
        }
    }
}

/// The texts in `config` that `schema` calls URIs; none if the schema cannot be
/// used.
pub fn uris(config: &PluginConfig, schema: &Json) -> Vec<String> {
    PluginSchema::new(schema)
        .map(|schema| schema.uris(config))
        .unwrap_or_default()
}

/// The texts in `config` that `schema` calls secret; every text if the schema
/// cannot be used.
pub fn write_only(config: &PluginConfig, schema: &Json) -> Vec<Secret> {
    if let Ok(schema) = PluginSchema::new(schema) {
        return schema.write_only(config);
    }
    let mut pointers = BTreeSet::new();
    leaves(config.json(), &mut String::new(), &mut pointers);
    let texts = pointers
        .iter()
        .filter_map(|pointer| config.json().pointer(pointer)?.as_str());
    texts.filter_map(Secret::new).collect()
}

/// Adds the JSON pointers of all texts in `value`, which stands at `pointer`.
fn leaves(value: &Json, pointer: &mut String, found: &mut BTreeSet<String>) {
    let mut below = |step: &str, value: &Json| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(step);
        leaves(value, pointer, found);
        pointer.truncate(length);
    };
    match value {
        Json::Object(values) => {
            for (name, value) in values {
                below(&escaped(name), value);
            }
        }
        Json::Array(values) => {
            for (number, value) in values.iter().enumerate() {
                below(&number.to_string(), value);
            }
        }
        Json::String(_) => {
            found.insert(pointer.clone());
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

/// The text at `pointer`, unless it must not be shown.
fn written<'c>(
    config: &'c PluginConfig,
    pointer: &str,
    masks: &BTreeSet<String>,
) -> Option<&'c str> {
    if masks.contains(pointer) {
        None
    } else {
        config.json().pointer(pointer)?.as_str()
    }
}
