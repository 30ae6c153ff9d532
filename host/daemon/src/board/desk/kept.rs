//! The desk as notes in the store.
//!
//! Keys are only ever added, each with a default. A note that cannot be read is
//! named in the log and begins anew: at worst something is told that was told
//! before, or a summary is lost.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tracing::error;
use watchkeeper_engine::folding::{Bundle, Line, Window};
use watchkeeper_engine::id::{ChannelId, MonitorId, TargetId};
use watchkeeper_engine::pacing::Pace;
use watchkeeper_engine::telling::Occasion;
use watchkeeper_engine::time::Timestamp;
use watchkeeper_store::RouteKey;

use super::super::troubles::Trouble;
use super::Desk;
use super::lanes::{Lane, Lanes};
use crate::board::Batch;
use crate::notice::Word;

const LANE: &str = "lane ";
const PACE: &str = "pace ";
const TROUBLES: &str = "troubles";
const HUSH: &str = "hush";

/// What the notes hold.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) lanes: Lanes,
    pub(super) troubles: BTreeMap<String, Trouble>,
    pub(super) hush: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct WindowMirror {
    #[serde(default)]
    until: Option<i64>,
    #[serde(default)]
    waiting: BundleMirror,
}

#[derive(Serialize, Deserialize)]
struct PaceMirror {
    #[serde(default)]
    sent: Vec<i64>,
    #[serde(default)]
    waiting: BundleMirror,
}

#[derive(Default, Serialize, Deserialize)]
struct BundleMirror {
    #[serde(default)]
    lines: Vec<LineMirror>,
    #[serde(default)]
    more: u32,
    #[serde(default)]
    folded: u32,
}

#[derive(Serialize, Deserialize)]
struct LineMirror {
    monitor: String,
    began: i64,
    #[serde(default)]
    previous: Option<Word>,
    #[serde(flatten)]
    occasion: OccasionMirror,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "lowercase")]
enum OccasionMirror {
    Outage(StandingMirror),
    Flapping(StandingMirror),
    Escalated(StandingMirror),
    Reminder {
        #[serde(flatten)]
        standing: StandingMirror,
        number: u32,
    },
    Recovered(EndMirror),
    Passed(EndMirror),
}

#[derive(Serialize, Deserialize)]
struct StandingMirror {
    health: Word,
    since: i64,
    #[serde(default)]
    reason: Option<Arc<str>>,
}

#[derive(Serialize, Deserialize)]
struct EndMirror {
    from: Word,
    since: i64,
    at: i64,
    lasted_ms: u64,
}

#[derive(Serialize, Deserialize)]
struct TroubleMirror {
    since: i64,
    what: String,
    #[serde(default)]
    told: Vec<String>,
    #[serde(default)]
    ended: Option<i64>,
    /// Monitor and address.
    #[serde(default)]
    at: Option<(String, String)>,
}

/// Reads what [`Desk::note`] wrote.
pub(super) fn read(notes: &BTreeMap<String, String>) -> Notes {
    let mut read = Notes::default();
    for (name, text) in notes {
        if read.take(name, text).is_none() {
            error!(note = %name, "a note in the database cannot be read and begins anew");
        }
    }
    read
}

impl Notes {
    fn take(&mut self, name: &str, text: &str) -> Option<()> {
        if let Some(lane) = name.strip_prefix(LANE) {
            let (route, channel) = lane.rsplit_once(' ')?;
            let lane = Lane {
                route: RouteKey(route.to_owned()),
                channel: ChannelId::new(channel).ok()?,
            };
            let window: WindowMirror = serde_json::from_str(text).ok()?;
            let window = Window {
                until: window.until.map(Timestamp::from_millis),
                waiting: window.waiting.read()?,
            };
            self.lanes.windows.insert(lane, window);
        } else if let Some(channel) = name.strip_prefix(PACE) {
            let pace: PaceMirror = serde_json::from_str(text).ok()?;
            let pace = Pace {
                sent: pace.sent.into_iter().map(Timestamp::from_millis).collect(),
                waiting: pace.waiting.read()?,
            };
            let channel = ChannelId::new(channel).ok()?;
            self.lanes.paces.insert(channel, pace);
        } else if name == TROUBLES {
            let troubles: BTreeMap<String, TroubleMirror> = serde_json::from_str(text).ok()?;
            self.troubles = troubles
                .into_iter()
                .map(|(name, trouble)| Some((name, trouble.read()?)))
                .collect::<Option<_>>()?;
        } else if name == HUSH {
            self.hush = Some(Timestamp::from_millis(text.parse().ok()?));
        }
        Some(())
    }
}

impl Desk {
    /// Notes what has moved on lanes.
    pub(in crate::board) fn note_lanes(&mut self, batch: &mut Batch) {
        let notes = &mut batch.commit.notes;
        for lane in std::mem::take(&mut self.lanes.moved) {
            let window = self.lanes.windows.get(&lane).map(|window| WindowMirror {
                until: window.until.map(Timestamp::as_millis),
                waiting: BundleMirror::of(&window.waiting),
            });
            let name = format!("{LANE}{} {}", lane.route.0, lane.channel);
            notes.insert(name, window.as_ref().map(json));
        }
        for channel in std::mem::take(&mut self.lanes.paced) {
            let pace = self.lanes.paces.get(&channel).map(|pace| PaceMirror {
                sent: pace.sent.iter().map(|at| at.as_millis()).collect(),
                waiting: BundleMirror::of(&pace.waiting),
            });
            notes.insert(format!("{PACE}{channel}"), pace.as_ref().map(json));
        }
    }

    /// Notes the host's trouble.
    pub(in crate::board) fn note_troubles(&self, batch: &mut Batch) {
        let troubles = self.troubles.iter();
        let troubles: BTreeMap<&str, TroubleMirror> = troubles
            .map(|(name, trouble)| (name.as_str(), TroubleMirror::of(trouble)))
            .collect();
        let text = (!troubles.is_empty()).then(|| json(&troubles));
        batch.commit.notes.insert(TROUBLES.to_owned(), text);
    }

    /// Notes until when nobody is reminded.
    pub(in crate::board) fn note_hush(&self, batch: &mut Batch) {
        let text = self.hush.map(|until| until.as_millis().to_string());
        batch.commit.notes.insert(HUSH.to_owned(), text);
    }
}

fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("strings, numbers and lists always serialise")
}

impl BundleMirror {
    fn of(bundle: &Bundle) -> Self {
        Self {
            lines: bundle.lines.iter().map(LineMirror::of).collect(),
            more: bundle.more,
            folded: bundle.folded,
        }
    }

    fn read(self) -> Option<Bundle> {
        let lines = self.lines.into_iter().map(LineMirror::read);
        Some(Bundle {
            lines: lines.collect::<Option<_>>()?,
            more: self.more,
            folded: self.folded,
        })
    }
}

impl LineMirror {
    fn of(line: &Line) -> Self {
        Self {
            monitor: line.monitor.to_string(),
            began: line.began.as_millis(),
            previous: line.previous.map(Word),
            occasion: OccasionMirror::of(&line.occasion),
        }
    }

    fn read(self) -> Option<Line> {
        Some(Line {
            monitor: MonitorId::parse(&self.monitor).ok()?,
            began: Timestamp::from_millis(self.began),
            previous: self.previous.map(|word| word.0),
            occasion: self.occasion.read(),
        })
    }
}

impl OccasionMirror {
    fn of(occasion: &Occasion) -> Self {
        let standing = |health, since: Timestamp, reason: &Option<Arc<str>>| StandingMirror {
            health: Word(health),
            since: since.as_millis(),
            reason: reason.clone(),
        };
        let end = |from, since: Timestamp, at: Timestamp, lasted: Duration| EndMirror {
            from: Word(from),
            since: since.as_millis(),
            at: at.as_millis(),
            lasted_ms: u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
        };
        match occasion {
            Occasion::Outage {
                health,
                since,
                reason,
            } => Self::Outage(standing(*health, *since, reason)),
            Occasion::Flapping {
                health,
                since,
                reason,
            } => Self::Flapping(standing(*health, *since, reason)),
            Occasion::Escalated {
                health,
                since,
                reason,
            } => Self::Escalated(standing(*health, *since, reason)),
            Occasion::Reminder {
                health,
                since,
                reason,
                number,
            } => Self::Reminder {
                standing: standing(*health, *since, reason),
                number: *number,
            },
            Occasion::Recovered {
                from,
                since,
                at,
                lasted,
            } => Self::Recovered(end(*from, *since, *at, *lasted)),
            Occasion::Passed {
                from,
                since,
                at,
                lasted,
            } => Self::Passed(end(*from, *since, *at, *lasted)),
        }
    }

    fn read(self) -> Occasion {
        let at = Timestamp::from_millis;
        match self {
            Self::Outage(it) => Occasion::Outage {
                health: it.health.0,
                since: at(it.since),
                reason: it.reason,
            },
            Self::Flapping(it) => Occasion::Flapping {
                health: it.health.0,
                since: at(it.since),
                reason: it.reason,
            },
            Self::Escalated(it) => Occasion::Escalated {
                health: it.health.0,
                since: at(it.since),
                reason: it.reason,
            },
            Self::Reminder { standing, number } => Occasion::Reminder {
                health: standing.health.0,
                since: at(standing.since),
                reason: standing.reason,
                number,
            },
            Self::Recovered(it) => Occasion::Recovered {
                from: it.from.0,
                since: at(it.since),
                at: at(it.at),
                lasted: Duration::from_millis(it.lasted_ms),
            },
            Self::Passed(it) => Occasion::Passed {
                from: it.from.0,
                since: at(it.since),
                at: at(it.at),
                lasted: Duration::from_millis(it.lasted_ms),
            },
        }
    }
}

impl TroubleMirror {
    fn of(trouble: &Trouble) -> Self {
        Self {
            since: trouble.since.as_millis(),
            what: trouble.what.clone(),
            told: trouble.told.iter().map(ToString::to_string).collect(),
            ended: trouble.ended.map(Timestamp::as_millis),
            at: trouble
                .at
                .as_ref()
                .map(|target| (target.monitor().to_string(), target.address().to_owned())),
        }
    }

    fn read(self) -> Option<Trouble> {
        let told = self.told.iter().map(|channel| ChannelId::new(channel).ok());
        Some(Trouble {
            since: Timestamp::from_millis(self.since),
            what: self.what,
            told: told.collect::<Option<_>>()?,
            ended: self.ended.map(Timestamp::from_millis),
            at: self.at.and_then(|(monitor, address)| {
                Some(TargetId::new(MonitorId::parse(&monitor).ok()?, &address))
            }),
        })
    }
}
