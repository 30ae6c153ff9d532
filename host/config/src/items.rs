//! Services, monitors, channels and routes as parts that can be named one by one:
//! those of the files, and those that a program keeps elsewhere and adds to them.
//!
//! What is added is JSON of the same keys as the file's. It is written out as the
//! TOML that it amounts to and goes through the same reading, so that it means the
//! same and its mistakes are named in the same words.

mod merging;
mod rendering;

use std::fmt;

use serde_json::Value as Json;
use watchkeeper_engine::id::{ChannelId, MonitorId, RouteId, ServiceId};

use crate::place::Place;

pub(crate) use merging::{items_of, place_items};
pub(crate) use rendering::rendition;
pub use rendering::to_toml;

/// What kind of part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ItemKind {
    /// A service, without its monitors.
    Service,
    /// A monitor, with its service's id under `service`.
    Monitor,
    /// A channel.
    Channel,
    /// A route.
    Route,
}

impl ItemKind {
    /// Every kind, in the order in which one refers to another.
    pub const ALL: [Self; 4] = [Self::Service, Self::Monitor, Self::Channel, Self::Route];

    /// The word used in storage and exports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Monitor => "monitor",
            Self::Channel => "channel",
            Self::Route => "route",
        }
    }

    /// The kind that [`Self::as_str`] names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The word for many of them, as addresses use it.
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Service => "services",
            Self::Monitor => "monitors",
            Self::Channel => "channels",
            Self::Route => "routes",
        }
    }
}

/// Which part. Displays as `monitors/shop/web`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// Of which kind.
    pub kind: ItemKind,
    /// Its id, of a monitor `service/monitor`. A route of a file that has no id is
    /// called by its number among all: `@1`.
    pub id: String,
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.plural(), self.id)
    }
}

/// What keeps JSON from being a part: which key, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoItem {
    /// The key to blame; empty for the whole.
    pub key: &'static str,
    /// What is wrong, without the key's name.
    pub what: String,
}

impl ItemKey {
    /// Reads the id out of a part's JSON.
    pub fn of(kind: ItemKind, json: &Json) -> Result<Self, NoItem> {
        if !json.is_object() {
            let what = "must be an object".to_owned();
            return Err(NoItem { key: "", what });
        }
        let text = |key: &'static str| match json.get(key) {
            Some(Json::String(text)) => Ok(text.as_str()),
            Some(_) => Err(NoItem {
                key,
                what: "must be a text".to_owned(),
            }),
            None => Err(NoItem {
                key,
                what: "is missing".to_owned(),
            }),
        };
        let id = match kind {
            ItemKind::Monitor => format!("{}/{}", text("service")?, text("id")?),
            _ => text("id")?.to_owned(),
        };
        let checked = match kind {
            ItemKind::Service => ServiceId::new(&id).err(),
            ItemKind::Monitor => MonitorId::parse(&id).err(),
            ItemKind::Channel => ChannelId::new(&id).err(),
            ItemKind::Route => RouteId::new(&id).err(),
        };
        match checked {
            None => Ok(Self { kind, id }),
            Some(invalid) => {
                let is_service =
                    kind == ItemKind::Monitor && ServiceId::new(text("service")?).is_err();
                Err(NoItem {
                    key: if is_service { "service" } else { "id" },
                    what: invalid.problem.to_owned(),
                })
            }
        }
    }
}

/// A part that is added to the files.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemText {
    /// Which one.
    pub key: ItemKey,
    /// What it says.
    pub json: Json,
}

impl ItemText {
    /// What stands for a file in the places of its mistakes.
    pub fn source(&self) -> String {
        format!("{SOURCE}{}", self.key)
    }
}

/// What the names of added parts begin with where a file would be named.
pub const SOURCE: &str = "api:";

/// Where a part was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Made {
    /// In a file, by whoever runs the program.
    File,
    /// Elsewhere, by whoever may use the API.
    Api,
}

/// A part of a configuration as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Which one.
    pub key: ItemKey,
    /// Where it was written.
    pub made: Made,
    /// What was written, secrets included.
    pub json: Json,
    /// In which line of which file.
    pub place: Place,
}
