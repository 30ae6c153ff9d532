//! Which parts of a plugin's schema speak of which values, and how much work it
//! is to check the ones against the others.
//!
//! A schema comes from a stranger. A validator that takes it as it is can be
//! made to run for years by a schema of a few lines whose alternatives refer to
//! each other, so that the work is counted first: here each pair of a schema and
//! a value is looked at once.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::escaped;

/// How deep schemas may refer to each other. A chain of references that long has
/// no use.
const MAX_DEPTH: usize = 200;

/// How many pairs of a schema and a value are looked at; a large honest
/// configuration has some thousands.
const MAX_PAIRS: usize = 100_000;

/// How many steps a validator may take, at most a second's worth. A large honest
/// configuration takes some ten thousands.
const MAX_STEPS: u64 = 300_000;

/// How often a validator looks at an alternative: to see whether it fits, and
/// for what is wrong with it.
const LOOKS: u64 = 2;

/// How often it looks at the other parts for what they leave unevaluated, beside
/// once for each entry.
const LOOKS_FOR_REST: u64 = 3;

/// What came of a walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    /// It saw every pair, and a validator can do so too.
    Complete,
    /// It met a bound and gave up, or a validator had better not begin.
    TooIntricate,
}

/// Takes a schema, a value that it speaks of, and that value's JSON pointer.
pub(super) type Visit<'v> = dyn FnMut(&Map<String, Json>, &Json, &str) + 'v;

/// Calls `visit` with every schema below `root` that speaks of a value below
/// `json`, that value and its JSON pointer. Alternatives are all followed,
/// whichever of them the value fits.
pub(super) fn walk(root: &Json, json: &Json, visit: &mut Visit<'_>) -> Walk {
    let mut walker = Walker {
        root,
        visit,
        seen: HashMap::new(),
        patterns: HashMap::new(),
    };
    let steps = walker.pair(root, json, &mut String::new(), 0);
    if steps <= MAX_STEPS {
        Walk::Complete
    } else {
        Walk::TooIntricate
    }
}

struct Walker<'a, 'v, 'f> {
    root: &'a Json,
    visit: &'v mut Visit<'f>,
    /// The steps of the pairs that were looked at, by their addresses; no end of
    /// them for a pair that is being looked at, as it would need itself.
    seen: HashMap<(usize, usize), u64>,
    /// What the patterns of property names match.
    patterns: HashMap<&'a str, Option<jsonschema::Validator>>,
}

/// Stands for the name of a property, which schemas can speak of as well.
static NAME: Json = Json::String(String::new());

impl<'a> Walker<'a, '_, '_> {
    /// The steps that it takes to check `json` against `schema`.
    fn pair(
        &mut self,
        schema: &'a Json,
        json: &'a Json,
        pointer: &mut String,
        depth: usize,
    ) -> u64 {
        let Json::Object(keywords) = schema else {
            return 1;
        };
        let pair = (
            std::ptr::from_ref(schema).addr(),
            std::ptr::from_ref(json).addr(),
        );
        if let Some(steps) = self.seen.get(&pair) {
            return *steps;
        }
        self.seen.insert(pair, u64::MAX);
        if depth > MAX_DEPTH || self.seen.len() > MAX_PAIRS {
            return u64::MAX;
        }
        if !std::ptr::eq(json, &raw const NAME) {
            (self.visit)(keywords, json, pointer);
        }
        let in_place = self.in_place(keywords, json, pointer, depth);
        let (below, width) = match json {
            Json::Object(values) => (self.object(keywords, values, pointer, depth), values.len()),
            Json::Array(values) => (self.array(keywords, values, pointer, depth), values.len()),
            _ => (0, 0),
        };
        let is_left = |keyword| keywords.contains_key(keyword);
        let looks = if is_left("unevaluatedProperties") || is_left("unevaluatedItems") {
            LOOKS_FOR_REST.saturating_add(u64::try_from(width).unwrap_or(u64::MAX))
        } else {
            1
        };
        let steps = in_place
            .saturating_mul(looks)
            .saturating_add(below)
            .saturating_add(1);
        self.seen.insert(pair, steps);
        steps
    }

    fn in_place(
        &mut self,
        keywords: &'a Map<String, Json>,
        json: &'a Json,
        pointer: &mut String,
        depth: usize,
    ) -> u64 {
        let mut steps = 0_u64;
        let mut add = |walker: &mut Self, schema: &'a Json, looks: u64| {
            let each = walker.pair(schema, json, pointer, depth + 1);
            steps = steps.saturating_add(each.saturating_mul(looks));
        };
        let reference = keywords.get("$ref").and_then(Json::as_str);
        if let Some(target) = reference.and_then(|reference| resolve(self.root, reference)) {
            add(self, target, 1);
        }
        for keyword in ["if", "then", "else", "not"] {
            if let Some(schema) = keywords.get(keyword) {
                add(self, schema, 1);
            }
        }
        for (keyword, looks) in [("allOf", 1), ("anyOf", LOOKS), ("oneOf", LOOKS)] {
            for schema in keywords
                .get(keyword)
                .and_then(Json::as_array)
                .into_iter()
                .flatten()
            {
                add(self, schema, looks);
            }
        }
        let dependent = keywords.get("dependentSchemas").and_then(Json::as_object);
        for schema in dependent.into_iter().flat_map(Map::values) {
            add(self, schema, 1);
        }
        steps
    }

    fn object(
        &mut self,
        keywords: &'a Map<String, Json>,
        values: &'a Map<String, Json>,
        pointer: &mut String,
        depth: usize,
    ) -> u64 {
        let named = keywords.get("properties").and_then(Json::as_object);
        let patterns = keywords.get("patternProperties").and_then(Json::as_object);
        let mut steps = 0_u64;
        if let Some(schema) = keywords.get("propertyNames") {
            let each = self.pair(schema, &NAME, pointer, depth + 1);
            let count = u64::try_from(values.len()).unwrap_or(u64::MAX);
            steps = steps.saturating_add(each.saturating_mul(count));
        }
        for (name, value) in values {
            let own = named.and_then(|named| named.get(name));
            let mut schemas: Vec<&'a Json> = own.into_iter().collect();
            for (pattern, schema) in patterns.into_iter().flatten() {
                if self.matches_pattern(pattern, name) {
                    schemas.push(schema);
                }
            }
            if schemas.is_empty() {
                schemas.extend(keywords.get("additionalProperties"));
            }
            schemas.extend(keywords.get("unevaluatedProperties"));
            let below = self.below(&schemas, value, &escaped(name), pointer, depth);
            steps = steps.saturating_add(below);
        }
        steps
    }

    fn array(
        &mut self,
        keywords: &'a Map<String, Json>,
        values: &'a [Json],
        pointer: &mut String,
        depth: usize,
    ) -> u64 {
        let prefix = keywords.get("prefixItems").and_then(Json::as_array);
        let mut steps = 0_u64;
        for (number, value) in values.iter().enumerate() {
            let own = prefix
                .and_then(|prefix| prefix.get(number))
                .or_else(|| keywords.get("items"));
            let mut schemas: Vec<&'a Json> = own.into_iter().collect();
            schemas.extend(keywords.get("contains"));
            schemas.extend(keywords.get("unevaluatedItems"));
            let below = self.below(&schemas, value, &number.to_string(), pointer, depth);
            steps = steps.saturating_add(below);
        }
        steps
    }

    fn below(
        &mut self,
        schemas: &[&'a Json],
        value: &'a Json,
        step: &str,
        pointer: &mut String,
        depth: usize,
    ) -> u64 {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(step);
        let mut steps = 0_u64;
        for schema in schemas {
            steps = steps.saturating_add(self.pair(schema, value, pointer, depth + 1));
        }
        pointer.truncate(length);
        steps
    }

    /// Whether a property of this name falls under the pattern; it does if the
    /// pattern is none.
    fn matches_pattern(&mut self, pattern: &'a str, name: &str) -> bool {
        let compiled = self.patterns.entry(pattern).or_insert_with(|| {
            super::check::options()
                .build(&serde_json::json!({ "pattern": pattern }))
                .ok()
        });
        compiled
            .as_ref()
            .is_none_or(|pattern| pattern.is_valid(&Json::from(name)))
    }
}

/// The part of the document that a reference names; none if it leads out of it
/// or is no JSON pointer.
pub(super) fn resolve<'a>(root: &'a Json, reference: &str) -> Option<&'a Json> {
    let pointer = reference.strip_prefix('#')?;
    // Characters that a URI escapes do not occur in the names that generators
    // of schemas choose.
    if pointer.contains('%') {
        None
    } else {
        root.pointer(pointer)
    }
}
