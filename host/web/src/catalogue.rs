//! The parts of the configuration as programs see and change them. Whoever keeps
//! them stands behind [`Catalogue`].

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value as Json;
use watchkeeper_engine::time::Timestamp;

/// Keeps the parts of the configuration.
pub trait Catalogue: Send + Sync {
    /// Every part, in the order of the configuration; secrets are masked.
    fn items(&self) -> Arc<Vec<ItemRecord>>;

    /// Makes all of `wishes` or none of them. What would come of it is judged as a
    /// whole configuration is; [`Mode::Do`] is ready once it would survive the end of
    /// the process and is in use.
    fn edit(&self, wishes: Vec<Wish>, mode: Mode, by: Arc<str>) -> Edit<'_>;

    /// Makes the parts that do not stand in a file those of `posted`.
    fn apply(&self, posted: Posted, mode: Mode, by: Arc<str>) -> Edit<'_>;

    /// The JSON Schema (2020-12) of parts of a kind.
    fn schema(&self, kind: ItemKind) -> Json;
}

/// What came of a wish: ready within some seconds.
pub type Edit<'a> = BoxFuture<'a, Result<Vec<ItemChange>, NotEdited>>;

/// What kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A service, without its monitors.
    Service,
    /// A monitor.
    Monitor,
    /// A channel.
    Channel,
    /// A route.
    Route,
}

/// Whether something is done or only thought through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing is changed.
    Try,
    /// It is done.
    Do,
}

/// A part of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemRecord {
    /// Of which kind.
    pub kind: ItemKind,
    /// Its id, of a monitor `service/monitor`.
    pub id: String,
    /// What it says, secrets masked.
    pub config: Json,
    /// The place in a file where it stands; `None` for what was made through the API.
    pub place: Option<String>,
    /// Which version of it this is, without quotes.
    pub tag: String,
    /// When it was made, if it stands in no file.
    pub created: Option<Timestamp>,
    /// When it was last changed, if it stands in no file.
    pub updated: Option<Timestamp>,
    /// Why it is not in use.
    pub trouble: Option<String>,
}

/// Something that is wanted of the parts.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// A new one.
    Create {
        /// Of which kind.
        kind: ItemKind,
        /// What it says.
        config: Json,
    },
    /// One that another host had, with its times, whether it is there already or not.
    Import {
        /// Of which kind.
        kind: ItemKind,
        /// What it says.
        config: Json,
        /// When it was made.
        created: Timestamp,
        /// When it was last changed.
        updated: Timestamp,
    },
    /// It says something else from now on.
    Replace {
        /// Of which kind.
        kind: ItemKind,
        /// Which one.
        id: String,
        /// What it says.
        config: Json,
        /// Which version is meant.
        expected: Expected,
    },
    /// Parts of it say something else from now on, by RFC 7396.
    Patch {
        /// Of which kind.
        kind: ItemKind,
        /// Which one.
        id: String,
        /// What changes.
        patch: Json,
        /// Which version is meant.
        expected: Expected,
    },
    /// It is no more.
    Remove {
        /// Of which kind.
        kind: ItemKind,
        /// Which one.
        id: String,
        /// Which version is meant.
        expected: Expected,
    },
}

/// Which version of a part is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Whichever it is.
    Any,
    /// One of these.
    Tags(Vec<String>),
}

/// A configuration that was sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Posted {
    /// Its text.
    pub text: String,
    /// In which language it is.
    pub language: Notation,
    /// Whether what is not in it goes.
    pub prune: bool,
}

/// In which language a configuration is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notation {
    /// As the files are.
    Toml,
    /// With the same keys.
    Json,
}

/// A change of one part.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemChange {
    /// Of which kind.
    pub kind: ItemKind,
    /// Which one.
    pub id: String,
    /// What it said, secrets masked; `None` for a new one.
    pub before: Option<Json>,
    /// What it says from then on, secrets masked; `None` for one that goes.
    pub after: Option<Json>,
}

/// Why nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotEdited {
    /// The configuration would be wrong.
    Wrong(Vec<Fault>),
    /// There is no such part.
    Unknown(String),
    /// There is such a part already.
    Exists(String),
    /// The part stands in a file, at this place.
    ReadOnly(String, String),
    /// Somebody else has changed the part.
    Stale(String),
    /// It could not be done within some seconds, or not be kept.
    Busy,
}

/// A mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The part that it is in, as `monitors/shop/web`; empty where none can be named.
    pub item: String,
    /// The key to blame, within the part.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: Option<String>,
}

impl ItemKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Service, Self::Monitor, Self::Channel, Self::Route];

    /// The word for one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Monitor => "monitor",
            Self::Channel => "channel",
            Self::Route => "route",
        }
    }

    /// The word for many, as addresses use it.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Monitor => "monitors",
            Self::Channel => "channels",
            Self::Route => "routes",
        }
    }

    /// The kind that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Stands in where nothing is kept.
pub(crate) struct NoCatalogue;

impl Catalogue for NoCatalogue {
    fn items(&self) -> Arc<Vec<ItemRecord>> {
        Arc::default()
    }

    fn edit(&self, _: Vec<Wish>, _: Mode, _: Arc<str>) -> Edit<'_> {
        Box::pin(async { Err(NotEdited::Busy) })
    }

    fn apply(&self, _: Posted, _: Mode, _: Arc<str>) -> Edit<'_> {
        Box::pin(async { Err(NotEdited::Busy) })
    }

    fn schema(&self, _: ItemKind) -> Json {
        Json::Bool(true)
    }
}
