//! The engine's states as JSON.
//!
//! The types here mirror the engine's, so that those need not know how they are
//! kept. Keys are only ever added: each has a default, and unknown ones are
//! ignored, so that a state survives both an upgrade and the way back. Times are
//! in milliseconds since the epoch.

use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use watchkeeper_engine::change::{Cause, Change, Standing};
use watchkeeper_engine::health::{Health, Verdict};
use watchkeeper_engine::id::{MonitorId, TargetId};
use watchkeeper_engine::monitor::MonitorState;
use watchkeeper_engine::network::{NetworkState, OwnNetwork};
use watchkeeper_engine::passive::Heard;
use watchkeeper_engine::passive::heartbeat::{HeartbeatState, Running};
use watchkeeper_engine::passive::report::{Load, Report, ReportState, Said};
use watchkeeper_engine::reading::Fault;
use watchkeeper_engine::target::{FaultSeen, Flapping, Run, Streak, TargetState};
use watchkeeper_engine::telling::{Told, ToldOutage};
use watchkeeper_engine::time::Timestamp;

use crate::error::StoreError;

/// A type of the engine that the store can keep.
pub(super) trait Kept: Sized {
    /// How it is written.
    type Mirror: Serialize + DeserializeOwned;
    /// What it is, for errors.
    const NAME: &'static str;

    fn to_mirror(&self) -> Self::Mirror;
    /// `None` where a word is not known.
    fn from_mirror(mirror: Self::Mirror) -> Option<Self>;
}

/// As JSON.
pub(super) fn write<T: Kept>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(&value.to_mirror()).map_err(|error| StoreError::Unstorable {
        what: T::NAME,
        problem: error.to_string(),
    })
}

/// From JSON; says what is wrong with it.
pub(super) fn read<T: Kept>(json: &str) -> Result<T, String> {
    let mirror = serde_json::from_str(json).map_err(|error| error.to_string())?;
    T::from_mirror(mirror).ok_or_else(|| "has a word that this version does not know".into())
}

#[derive(Serialize, Deserialize)]
pub(super) struct StandingMirror {
    health: String,
    #[serde(default)]
    since: Option<i64>,
    #[serde(default)]
    reason: Option<Arc<str>>,
    #[serde(default)]
    cause: Option<String>,
}

impl Kept for Standing {
    type Mirror = StandingMirror;
    const NAME: &'static str = "a standing";

    fn to_mirror(&self) -> StandingMirror {
        StandingMirror {
            health: self.health.as_str().into(),
            since: self.since.map(Timestamp::as_millis),
            reason: self.reason.clone(),
            cause: self.cause.map(|cause| cause.as_str().into()),
        }
    }

    fn from_mirror(mirror: StandingMirror) -> Option<Self> {
        Some(Self {
            health: Health::from_word(&mirror.health)?,
            since: mirror.since.map(Timestamp::from_millis),
            reason: mirror.reason,
            cause: optional(mirror.cause, |word| Cause::from_word(&word))?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct TargetMirror {
    standing: StandingMirror,
    #[serde(default)]
    streak: Option<StreakMirror>,
    #[serde(default)]
    judged_at: Option<i64>,
    #[serde(default)]
    fault: Option<FaultMirror>,
    #[serde(default)]
    changes: Vec<i64>,
    #[serde(default)]
    flapping: Option<FlappingMirror>,
}

#[derive(Serialize, Deserialize)]
struct StreakMirror {
    latest: String,
    ailing: RunMirror,
    dead: RunMirror,
}

#[derive(Serialize, Deserialize)]
struct RunMirror {
    count: u32,
    since: i64,
}

#[derive(Serialize, Deserialize)]
struct FaultMirror {
    at: i64,
    fault: String,
    reason: Arc<str>,
}

#[derive(Serialize, Deserialize)]
struct FlappingMirror {
    since: i64,
    held: String,
    beneath: StandingMirror,
}

impl Kept for TargetState {
    type Mirror = TargetMirror;
    const NAME: &'static str = "a target's state";

    fn to_mirror(&self) -> TargetMirror {
        TargetMirror {
            standing: self.standing.to_mirror(),
            streak: self.streak.map(|streak| StreakMirror {
                latest: Health::from(streak.latest).as_str().into(),
                ailing: run_mirror(streak.ailing),
                dead: run_mirror(streak.dead),
            }),
            judged_at: self.judged_at.map(Timestamp::as_millis),
            fault: self.fault.as_ref().map(|seen| FaultMirror {
                at: seen.at.as_millis(),
                fault: seen.fault.as_str().into(),
                reason: Arc::clone(&seen.reason),
            }),
            changes: self.changes.iter().map(|at| at.as_millis()).collect(),
            flapping: self.flapping.as_ref().map(|flapping| FlappingMirror {
                since: flapping.since.as_millis(),
                held: flapping.held.as_str().into(),
                beneath: flapping.beneath.to_mirror(),
            }),
        }
    }

    fn from_mirror(mirror: TargetMirror) -> Option<Self> {
        Some(Self {
            standing: Standing::from_mirror(mirror.standing)?,
            streak: optional(mirror.streak, |streak| {
                Some(Streak {
                    latest: verdict_from_word(&streak.latest)?,
                    ailing: run(&streak.ailing),
                    dead: run(&streak.dead),
                })
            })?,
            judged_at: mirror.judged_at.map(Timestamp::from_millis),
            fault: optional(mirror.fault, |seen| {
                Some(FaultSeen {
                    at: Timestamp::from_millis(seen.at),
                    fault: Fault::from_word(&seen.fault)?,
                    reason: seen.reason,
                })
            })?,
            changes: mirror
                .changes
                .into_iter()
                .map(Timestamp::from_millis)
                .collect(),
            flapping: optional(mirror.flapping, |flapping| {
                Some(Flapping {
                    since: Timestamp::from_millis(flapping.since),
                    held: Health::from_word(&flapping.held)?,
                    beneath: Standing::from_mirror(flapping.beneath)?,
                })
            })?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct MonitorMirror {
    standing: StandingMirror,
    #[serde(default)]
    target: Option<TargetIdMirror>,
    #[serde(default)]
    flapping: bool,
}

#[derive(Serialize, Deserialize)]
struct TargetIdMirror {
    monitor: String,
    address: String,
}

impl Kept for MonitorState {
    type Mirror = MonitorMirror;
    const NAME: &'static str = "a monitor's state";

    fn to_mirror(&self) -> MonitorMirror {
        MonitorMirror {
            standing: self.standing.to_mirror(),
            target: self.target.as_ref().map(|target| TargetIdMirror {
                monitor: target.monitor().to_string(),
                address: target.address().to_owned(),
            }),
            flapping: self.flapping,
        }
    }

    fn from_mirror(mirror: MonitorMirror) -> Option<Self> {
        Some(Self {
            standing: Standing::from_mirror(mirror.standing)?,
            target: optional(mirror.target, |target| {
                Some(TargetId::new(
                    MonitorId::parse(&target.monitor).ok()?,
                    &target.address,
                ))
            })?,
            flapping: mirror.flapping,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ToldMirror {
    #[serde(default)]
    outage: Option<OutageMirror>,
}

#[derive(Serialize, Deserialize)]
struct OutageMirror {
    health: String,
    since: i64,
    /// By default `since`: what an older version wrote.
    #[serde(default)]
    first: Option<i64>,
    #[serde(default)]
    last: Option<i64>,
    #[serde(default)]
    reminders: u32,
    #[serde(default)]
    steps: u32,
    #[serde(default)]
    ended: Option<i64>,
}

impl Kept for Told {
    type Mirror = ToldMirror;
    const NAME: &'static str = "what a route was told";

    fn to_mirror(&self) -> ToldMirror {
        ToldMirror {
            outage: self.outage.as_ref().map(|outage| OutageMirror {
                health: outage.health.as_str().into(),
                since: outage.since.as_millis(),
                first: Some(outage.first.as_millis()),
                last: Some(outage.last.as_millis()),
                reminders: outage.reminders,
                steps: outage.steps,
                ended: outage.ended.map(Timestamp::as_millis),
            }),
        }
    }

    fn from_mirror(mirror: ToldMirror) -> Option<Self> {
        let outage = optional(mirror.outage, |outage| {
            Some(ToldOutage {
                health: Health::from_word(&outage.health)?,
                since: Timestamp::from_millis(outage.since),
                first: Timestamp::from_millis(outage.first.unwrap_or(outage.since)),
                last: Timestamp::from_millis(outage.last.unwrap_or(outage.since)),
                reminders: outage.reminders,
                steps: outage.steps,
                ended: outage.ended.map(Timestamp::from_millis),
            })
        })?;
        Some(Self { outage })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct NetworkMirror {
    lost: bool,
    #[serde(default)]
    since: Option<i64>,
}

impl Kept for NetworkState {
    type Mirror = NetworkMirror;
    const NAME: &'static str = "the host's network";

    fn to_mirror(&self) -> NetworkMirror {
        NetworkMirror {
            lost: self.network == OwnNetwork::Lost,
            since: self.since.map(Timestamp::as_millis),
        }
    }

    fn from_mirror(mirror: NetworkMirror) -> Option<Self> {
        Some(Self {
            network: if mirror.lost {
                OwnNetwork::Lost
            } else {
                OwnNetwork::Fine
            },
            since: mirror.since.map(Timestamp::from_millis),
        })
    }
}

/// Of one of the two kinds; the other is absent.
#[derive(Serialize, Deserialize)]
pub(super) struct HeardMirror {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<ReportMirror>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heartbeat: Option<HeartbeatMirror>,
}

#[derive(Serialize, Deserialize)]
struct ReportMirror {
    heard_at: i64,
    interval_ms: u64,
    #[serde(default)]
    load: Option<(f64, f64)>,
    #[serde(default)]
    health: Option<String>,
    #[serde(default)]
    is_silent: bool,
}

#[derive(Serialize, Deserialize)]
struct HeartbeatMirror {
    #[serde(default)]
    called_at: Option<i64>,
    #[serde(default)]
    expected_at: Option<i64>,
    #[serde(default)]
    running_since: Option<i64>,
    #[serde(default)]
    run: Option<Arc<str>>,
}

impl Kept for Heard {
    type Mirror = HeardMirror;
    const NAME: &'static str = "what a target said";

    fn to_mirror(&self) -> HeardMirror {
        let (mut report, mut heartbeat) = (None, None);
        match self {
            Self::Report(state) => {
                let (load, health) = match state.report.said {
                    Said::Load(load) => (Some((load.cpu, load.ram)), None),
                    Said::Health(verdict) => (None, Some(Health::from(verdict).as_str().into())),
                };
                let interval = state.report.interval.as_millis();
                report = Some(ReportMirror {
                    heard_at: state.heard_at.as_millis(),
                    interval_ms: u64::try_from(interval).unwrap_or(u64::MAX),
                    load,
                    health,
                    is_silent: state.is_silent,
                });
            }
            Self::Heartbeat(state) => {
                let running = state.running.as_ref();
                heartbeat = Some(HeartbeatMirror {
                    called_at: state.called_at.map(Timestamp::as_millis),
                    expected_at: state.expected_at.map(Timestamp::as_millis),
                    running_since: running.map(|running| running.since.as_millis()),
                    run: running.and_then(|running| running.run.clone()),
                });
            }
        }
        HeardMirror { report, heartbeat }
    }

    fn from_mirror(mirror: HeardMirror) -> Option<Self> {
        let at = |millis: Option<i64>| millis.map(Timestamp::from_millis);
        match (mirror.report, mirror.heartbeat) {
            (Some(kept), None) => {
                let said = match (kept.load, kept.health) {
                    (Some((cpu, ram)), None) => Said::Load(Load { cpu, ram }),
                    (None, Some(word)) => Said::Health(verdict_from_word(&word)?),
                    _ => return None,
                };
                Some(Self::Report(ReportState {
                    heard_at: Timestamp::from_millis(kept.heard_at),
                    report: Report {
                        interval: Duration::from_millis(kept.interval_ms),
                        said,
                    },
                    is_silent: kept.is_silent,
                }))
            }
            (None, Some(kept)) => Some(Self::Heartbeat(HeartbeatState {
                called_at: at(kept.called_at),
                expected_at: at(kept.expected_at),
                running: at(kept.running_since).map(|since| Running {
                    since,
                    run: kept.run,
                }),
            })),
            _ => None,
        }
    }
}

/// What a change has beside the columns that are searched.
#[derive(Serialize, Deserialize)]
pub(super) struct ChangeDetails {
    since: i64,
    #[serde(default)]
    lasted_ms: Option<u64>,
    #[serde(default)]
    reason: Option<Arc<str>>,
    cause: String,
    #[serde(default)]
    folded_into: Option<String>,
}

impl ChangeDetails {
    pub(super) fn write(
        change: &Change,
        folded_into: Option<&MonitorId>,
    ) -> Result<String, StoreError> {
        let details = Self {
            since: change.since.as_millis(),
            lasted_ms: change
                .lasted
                .map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
            reason: change.reason.clone(),
            cause: change.cause.as_str().into(),
            folded_into: folded_into.map(ToString::to_string),
        };
        serde_json::to_string(&details).map_err(|error| StoreError::Unstorable {
            what: "a change",
            problem: error.to_string(),
        })
    }

    /// The change, and what it was folded into; `None` if it makes no sense.
    pub(super) fn read(
        json: &str,
        at: Timestamp,
        from: Health,
        to: Health,
    ) -> Option<(Change, Option<MonitorId>)> {
        let details: Self = serde_json::from_str(json).ok()?;
        let folded_into = optional(details.folded_into, |id| MonitorId::parse(&id).ok())?;
        let change = Change {
            from,
            to,
            at,
            since: Timestamp::from_millis(details.since),
            lasted: details.lasted_ms.map(Duration::from_millis),
            reason: details.reason,
            cause: Cause::from_word(&details.cause)?,
        };
        Some((change, folded_into))
    }
}

fn run_mirror(run: Run) -> RunMirror {
    RunMirror {
        count: run.count,
        since: run.since.as_millis(),
    }
}

fn run(mirror: &RunMirror) -> Run {
    Run {
        count: mirror.count,
        since: Timestamp::from_millis(mirror.since),
    }
}

fn verdict_from_word(word: &str) -> Option<Verdict> {
    [Verdict::Healthy, Verdict::Sick, Verdict::Dead]
        .into_iter()
        .find(|verdict| Health::from(*verdict).as_str() == word)
}

/// `Some(None)` where there is nothing, `None` where there is something that
/// cannot be read.
#[expect(
    clippy::option_option,
    reason = "absence and failure are two things, and `?` takes one"
)]
fn optional<T, U>(value: Option<T>, read: impl FnOnce(T) -> Option<U>) -> Option<Option<U>> {
    value.map_or(Some(None), |value| read(value).map(Some))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Kept + PartialEq + std::fmt::Debug>(value: &T, json: &str) {
        assert_eq!(write(value).unwrap(), json);
        assert_eq!(read::<T>(json).as_ref(), Ok(value));
    }

    #[test]
    fn what_was_heard_as_json() {
        let at = Timestamp::from_millis;
        let report = |said| {
            Heard::Report(ReportState {
                heard_at: at(5),
                report: Report {
                    interval: Duration::from_secs(30),
                    said,
                },
                is_silent: true,
            })
        };
        check(
            &report(Said::Load(Load {
                cpu: 0.5,
                ram: 1.25,
            })),
            r#"{"report":{"heard_at":5,"interval_ms":30000,"load":[0.5,1.25],"health":null,"is_silent":true}}"#,
        );
        check(
            &report(Said::Health(Verdict::Sick)),
            r#"{"report":{"heard_at":5,"interval_ms":30000,"load":null,"health":"sick","is_silent":true}}"#,
        );
        check(
            &Heard::Heartbeat(HeartbeatState {
                called_at: Some(at(1)),
                expected_at: Some(at(2)),
                running: Some(Running {
                    since: at(3),
                    run: Some("a".into()),
                }),
            }),
            r#"{"heartbeat":{"called_at":1,"expected_at":2,"running_since":3,"run":"a"}}"#,
        );
        assert!(read::<Heard>("{}").is_err());
        assert!(read::<Heard>(r#"{"report":{"heard_at":1,"interval_ms":1}}"#).is_err());
    }

    #[test]
    fn a_target_as_json() {
        let standing = Standing {
            health: Health::Dead,
            since: Some(Timestamp::from_millis(5)),
            reason: Some("refused".into()),
            cause: Some(Cause::Reading),
        };
        check(
            &TargetState {
                standing: standing.clone(),
                streak: Some(Streak {
                    latest: Verdict::Sick,
                    ailing: Run {
                        count: 3,
                        since: Timestamp::from_millis(1),
                    },
                    dead: Run {
                        count: 1,
                        since: Timestamp::from_millis(2),
                    },
                }),
                judged_at: Some(Timestamp::from_millis(3)),
                fault: Some(FaultSeen {
                    at: Timestamp::from_millis(4),
                    fault: Fault::Trap,
                    reason: "boom".into(),
                }),
                changes: vec![Timestamp::from_millis(6), Timestamp::from_millis(7)],
                flapping: Some(Flapping {
                    since: Timestamp::from_millis(8),
                    held: Health::Dead,
                    beneath: standing,
                }),
            },
            concat!(
                r#"{"standing":{"health":"dead","since":5,"reason":"refused","cause":"reading"},"#,
                r#""streak":{"latest":"sick","ailing":{"count":3,"since":1},"#,
                r#""dead":{"count":1,"since":2}},"judged_at":3,"#,
                r#""fault":{"at":4,"fault":"trap","reason":"boom"},"changes":[6,7],"#,
                r#""flapping":{"since":8,"held":"dead","#,
                r#""beneath":{"health":"dead","since":5,"reason":"refused","cause":"reading"}}}"#,
            ),
        );
    }

    #[test]
    fn the_others_as_json() {
        let monitor = MonitorId::parse("api/health").unwrap();
        check(
            &MonitorState {
                standing: Standing::default(),
                target: Some(TargetId::new(monitor, "https://a/")),
                flapping: true,
            },
            concat!(
                r#"{"standing":{"health":"unknown","since":null,"reason":null,"cause":null},"#,
                r#""target":{"monitor":"api/health","address":"https://a/"},"flapping":true}"#,
            ),
        );
        let at = Timestamp::from_millis;
        let outage = ToldOutage {
            last: at(12),
            reminders: 2,
            steps: 1,
            ended: Some(at(13)),
            ..ToldOutage::new(Health::Dead, at(9), at(10))
        };
        check(
            &Told {
                outage: Some(outage),
            },
            concat!(
                r#"{"outage":{"health":"dead","since":9,"first":10,"last":12,"#,
                r#""reminders":2,"steps":1,"ended":13}}"#,
            ),
        );
        let older = read::<Told>(r#"{"outage":{"health":"dead","since":9}}"#).unwrap();
        let outage = ToldOutage::new(Health::Dead, at(9), at(9));
        assert_eq!(older.outage, Some(outage));
        let lost = NetworkState {
            network: OwnNetwork::Lost,
            since: Some(Timestamp::from_millis(1)),
        };
        check(&lost, r#"{"lost":true,"since":1}"#);
    }

    #[test]
    fn missing_keys_have_defaults_and_new_ones_are_ignored() {
        let state: TargetState =
            read(r#"{"standing":{"health":"healthy"},"mood":"good"}"#).unwrap();
        assert_eq!(state.standing.health, Health::Healthy);
        assert_eq!(state.streak, None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        read::<TargetState>(r#"{"standing":{"health":"merry"}}"#).unwrap_err();
        read::<TargetState>(r#"{"standing":{"health":"dead","cause":"fate"}}"#).unwrap_err();
        read::<TargetState>("{").unwrap_err();
    }
}
