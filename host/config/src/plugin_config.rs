//! What a plugin gets to know: the `config` table of a monitor or channel as
//! JSON, secrets filled in, with the way back to the lines it was written in.

mod bounds;
mod check;
mod complaint;
mod reading;
mod walk;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::place::Place;
use crate::problem::Problem;
use crate::secret::Secret;
use crate::source::{At, Sources};

pub(crate) use reading::SecretText;

pub use check::{InvalidSchema, PluginSchema, check_plugin_config, uris, write_only};
pub use complaint::Complaint;

/// The configuration of a plugin: a JSON object. Cheap to clone.
///
/// Two are equal if they say the same, wherever it is written. `Debug` shows the
/// names of the outermost keys and no value.
#[derive(Clone)]
pub struct PluginConfig(Arc<Inner>);

struct Inner {
    json: Json,
    secrets: Vec<Secret>,
    /// JSON pointers of the texts that hold a secret.
    secret_at: BTreeSet<String>,
    origin: Option<Origin>,
}

/// Where a configuration was written.
struct Origin {
    sources: Arc<Sources>,
    /// The path of the table: `service[api].monitor[health].config`.
    key: String,
    /// Where each value stands, by its JSON pointer.
    spots: BTreeMap<String, Spot>,
    /// The files that texts came from, by the JSON pointers of these.
    files: BTreeMap<String, PathBuf>,
}

/// Where one value and its key stand.
#[derive(Clone, Copy, Debug)]
struct Spot {
    /// None: an element of a list, or the whole table.
    key: Option<At>,
    value: At,
}

/// Which part of an entry is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Blame {
    Key,
    Value,
}

impl PluginConfig {
    /// A configuration that stands in no file. `json` should be an object: a
    /// plugin's schema refuses anything else.
    pub fn from_json(json: Json, secrets: Vec<Secret>) -> Self {
        let inner = Inner {
            json,
            secrets,
            secret_at: BTreeSet::new(),
            origin: None,
        };
        Self(Arc::new(inner))
    }

    /// The empty table of a monitor or channel that stands at `at` and has none.
    pub(crate) fn absent(sources: &Arc<Sources>, at: At, key: String) -> Self {
        let spots = BTreeMap::from([(
            String::new(),
            Spot {
                key: None,
                value: at,
            },
        )]);
        Self(Arc::new(Inner {
            json: Json::Object(serde_json::Map::new()),
            secrets: Vec::new(),
            secret_at: BTreeSet::new(),
            origin: Some(Origin {
                sources: sources.clone(),
                key,
                spots,
                files: BTreeMap::new(),
            }),
        }))
    }

    /// The configuration, secrets included: for the plugin, nothing else.
    pub fn json(&self) -> &Json {
        &self.0.json
    }

    /// Every secret that was filled in, to find in what the plugin says. Those
    /// that the plugin's schema calls so come from [`write_only`].
    pub fn secrets(&self) -> &[Secret] {
        &self.0.secrets
    }

    /// The files that texts of it came from, secret or not.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let files = self
            .0
            .origin
            .iter()
            .flat_map(|origin| origin.files.values());
        files.map(PathBuf::as_path)
    }

    /// Where the value at this JSON pointer (RFC 6901) stands, or the nearest
    /// value around it; none if the configuration stands in no file.
    pub fn place(&self, pointer: &str) -> Option<Place> {
        let origin = self.0.origin.as_ref()?;
        let (_, spot) = origin.nearest(pointer)?;
        Some(origin.sources.place(spot.value))
    }

    /// The problem `what` with the value at this JSON pointer. `masks` are the
    /// pointers of values that must not be shown.
    fn problem(
        &self,
        pointer: &str,
        blame: Blame,
        masks: &BTreeSet<String>,
        what: String,
        instead: Option<String>,
    ) -> Problem {
        let key = self
            .0
            .origin
            .as_ref()
            .map_or("config", |origin| &origin.key);
        let mut problem = Problem {
            place: None,
            key: format!("{key}{}", dotted(pointer)),
            what,
            instead,
            related: Vec::new(),
            snippet: None,
        };
        let Some(origin) = &self.0.origin else {
            return problem;
        };
        let Some((found, spot)) = origin.nearest(pointer) else {
            return problem;
        };
        let at = match spot.key {
            Some(key) if blame == Blame::Key && found == pointer => key,
            _ => spot.value,
        };
        let masks: Vec<_> = origin
            .spots
            .iter()
            .filter(|(pointer, _)| masks.contains(*pointer))
            .map(|(_, spot)| spot.value)
            .collect();
        problem.place = Some(origin.sources.place(at));
        problem.snippet = origin.sources.snippet(at, &masks);
        problem
    }
}

impl Origin {
    /// The spot of the value at `pointer` or the nearest around it, and the
    /// pointer of that.
    fn nearest<'p>(&self, mut pointer: &'p str) -> Option<(&'p str, Spot)> {
        loop {
            if let Some(spot) = self.spots.get(pointer) {
                return Some((pointer, *spot));
            }
            (pointer, _) = pointer.rsplit_once('/')?;
        }
    }
}

impl PartialEq for PluginConfig {
    fn eq(&self, other: &Self) -> bool {
        self.0.json == other.0.json && self.0.secrets == other.0.secrets
    }
}

impl fmt::Debug for PluginConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<_> = self
            .0
            .json
            .as_object()
            .into_iter()
            .flat_map(|map| map.keys())
            .collect();
        f.debug_struct("PluginConfig")
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

/// One step of a JSON pointer, as RFC 6901 section 3 writes it.
fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

/// A JSON pointer as the rest of a key's path: `.expect.status[0]`.
fn dotted(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1).map(|step| {
        let step = step.replace("~1", "/").replace("~0", "~");
        if !step.is_empty() && step.bytes().all(|b| b.is_ascii_digit()) {
            format!("[{step}]")
        } else {
            format!(".{step}")
        }
    });
    steps.collect()
}

/// The name of the value at a JSON pointer, as messages call it.
fn last_step(pointer: &str) -> String {
    let path = dotted(pointer);
    path.rsplit_once('.')
        .map_or_else(|| "config".to_owned(), |(_, name)| name.to_owned())
}
