//! What comes in: who may say what, and what they said. Whoever decides what
//! follows from it stands behind [`Intake`].

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use watchkeeper_engine::health::Verdict;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::passive::heartbeat::Call;
use watchkeeper_engine::passive::report::Report;

/// Takes in what the outside says. Whoever implements it compares secrets in a
/// time that does not depend on how much of them is right.
pub trait Intake: Send + Sync {
    /// Whether `password` opens the door of the reporters.
    fn admits_reporter(&self, password: &str) -> Admission;

    /// Whether `password` opens the door of Vigil's managers.
    fn admits_manager(&self, password: &str) -> Admission;

    /// Whether a password opens the page, if it asks for one.
    fn admits_reader(&self, _password: &str) -> Admission {
        Admission::NoDoor
    }

    /// How much longer nobody is reminded; `None` if people are.
    fn hushed_for(&self) -> Option<Duration>;

    /// Keeps people from being reminded for `span`; zero takes that back. Ready once
    /// it would survive the end of the process.
    fn hush(&self, span: Duration) -> BoxFuture<'_, Result<(), Refusal>>;

    /// The monitor of the job that shows this token.
    fn heartbeat(&self, token: &str) -> Option<MonitorId>;

    /// What the bearer of `token` may do; `None` for one that is not known. Fails
    /// when that cannot be looked up now.
    fn access(&self, token: &str) -> BoxFuture<'_, Result<Option<Access>, Refusal>>;

    /// How the monitor is told; `None` if there is none.
    fn kind(&self, monitor: &MonitorId) -> Option<Kind>;

    /// Takes in `told`. Ready once it would survive the end of the process.
    fn take(&self, told: Told) -> BoxFuture<'_, Result<(), Refusal>>;
}

/// Whether a password opens a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It does.
    Granted,
    /// It does not.
    Refused,
    /// There is no such door.
    NoDoor,
}

/// What somebody may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each stands for a scope, and any of them go together"
)]
pub struct Access {
    /// Whose token it is, as people call it.
    pub name: Arc<str>,
    /// Look at everything that is no secret.
    pub read: bool,
    /// Say how things are.
    pub report: bool,
    /// Change what is watched, and take what happens.
    pub write: bool,
    /// Say who may do what.
    pub admin: bool,
}

/// How a monitor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Not at all: it asks.
    Asks,
    /// By processes that report their load.
    Push,
    /// By agents that report health.
    Local,
    /// By a job that calls.
    Heartbeat,
    /// By people.
    Manual,
}

/// Something that was said of a monitor of the right kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Which one.
    pub monitor: MonitorId,
    /// What.
    pub what: What,
}

/// What was said.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// How a replica is. One that is not known yet is from now on.
    Report {
        /// Which one.
        replica: Arc<str>,
        /// How it is.
        report: Report,
    },
    /// That a replica is no more.
    Forget {
        /// Which one.
        replica: Arc<str>,
    },
    /// What happened to a job.
    Call(Call),
    /// How something is, by somebody's judgement.
    Set {
        /// How.
        health: Verdict,
        /// Why, for people; empty for no reason.
        comment: Arc<str>,
    },
}

/// Why something was not taken in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The monitor or replica is not known, or not any more.
    Unknown,
    /// The monitor has as many replicas as it may.
    Full,
    /// It could not be taken in within some seconds, or not be kept.
    Busy,
}

/// Stands in where nobody listens.
pub(crate) struct Nobody;

impl Intake for Nobody {
    fn admits_reporter(&self, _: &str) -> Admission {
        Admission::NoDoor
    }

    fn admits_manager(&self, _: &str) -> Admission {
        Admission::NoDoor
    }

    fn hushed_for(&self) -> Option<Duration> {
        None
    }

    fn hush(&self, _: Duration) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(async { Err(Refusal::Busy) })
    }

    fn heartbeat(&self, _: &str) -> Option<MonitorId> {
        None
    }

    fn access(&self, _: &str) -> BoxFuture<'_, Result<Option<Access>, Refusal>> {
        Box::pin(async { Ok(None) })
    }

    fn kind(&self, _: &MonitorId) -> Option<Kind> {
        None
    }

    fn take(&self, _: Told) -> BoxFuture<'_, Result<(), Refusal>> {
        Box::pin(async { Err(Refusal::Unknown) })
    }
}
