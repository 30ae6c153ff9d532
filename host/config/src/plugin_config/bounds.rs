//! Bounds on schemas, which come from strangers.

use std::collections::BTreeSet;
use std::thread;

use serde_json::Value as Json;

use super::walk::resolve;

/// The largest schema, in bytes of JSON; those of our own plugins have some
/// thousands.
const MAX_BYTES: usize = 256 << 10;

/// How deep a validator may have to go: the most levels of JSON times the number
/// of different references between them.
const MAX_LEVELS: usize = 4_000;

/// The stack for work on a schema. The most expensive level that was found takes
/// 12 KiB in a build without optimisation, so that this holds [`MAX_LEVELS`].
const STACK: usize = 128 << 20;

/// Says why the schema is not to be used, if it is not.
pub(super) fn refuse(schema: &Json) -> Option<String> {
    if schema.to_string().len() > MAX_BYTES {
        return Some("it is larger than 256 KiB".to_owned());
    }
    let mut found = Found::default();
    let levels = match scan(schema, schema, true, &mut found) {
        Ok(levels) => levels,
        Err(problem) => return Some(problem),
    };
    // To prepare what is left unevaluated, each such part is followed through all
    // references anew.
    let widest = levels.max(found.rests);
    let is_too_deep = widest.saturating_mul(found.references.len() + 1) > MAX_LEVELS;
    is_too_deep.then(|| "its parts refer to each other too often".to_owned())
}

/// What there is to follow in a schema.
#[derive(Default)]
struct Found<'a> {
    /// The different references.
    references: BTreeSet<&'a str>,
    /// How many parts speak of what others leave unevaluated.
    rests: usize,
}

/// The levels of JSON below `part`; collects what there is to follow.
fn scan<'a>(
    root: &Json,
    part: &'a Json,
    is_root: bool,
    found: &mut Found<'a>,
) -> Result<usize, String> {
    let mut levels = 0;
    let mut add = |part: &'a Json, found: &mut Found<'a>| {
        levels = levels.max(scan(root, part, false, found)?);
        Ok::<_, String>(())
    };
    match part {
        Json::Object(entries) => {
            for (keyword, value) in entries {
                if matches!(
                    keyword.as_str(),
                    "unevaluatedProperties" | "unevaluatedItems"
                ) {
                    found.rests += 1;
                }
                match (keyword.as_str(), value) {
                    ("$ref", Json::String(reference)) => {
                        if resolve(root, reference).is_none() {
                            return Err(format!(
                                "{reference:?} is no reference to a part of it such as \"#/$defs/x\""
                            ));
                        }
                        found.references.insert(reference);
                    }
                    ("$dynamicRef" | "$recursiveRef", Json::String(_)) => {
                        return Err(format!("it uses `{keyword}`"));
                    }
                    ("$id", Json::String(_)) if !is_root => {
                        return Err("it has an `$id` below its top".to_owned());
                    }
                    _ => add(value, found)?,
                }
            }
        }
        Json::Array(values) => {
            for value in values {
                add(value, found)?;
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    Ok(levels + 1)
}

/// Runs `work` with a stack that holds all that [`refuse`] lets pass; `None` if
/// there is no room for one, or if the validator has a bug and panics.
pub(super) fn with_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    thread::scope(|scope| {
        let builder = thread::Builder::new()
            .name("schema".to_owned())
            .stack_size(STACK);
        builder.spawn_scoped(scope, work).ok()?.join().ok()
    })
}
