//! What outlives the process: state, changes, the outbox, readings and rollups.
//!
//! [`Store`] is the one narrow border; [`SqliteStore`] is the backend that is
//! always there. A suite in `tests/` runs against every backend through the
//! trait alone.
//!
//! This crate does not know how health is decided (it keeps what the engine
//! decided), nor what a plugin, a notice or a page is: payloads and plugin state
//! pass through as opaque bytes. It reads no clock either: every time stamp is
//! an argument.

mod access;
mod breach;
mod contract;
mod document;
mod error;
mod histogram;
mod incident;
mod item;
mod outbox;
mod series;
mod sqlite;
mod state;
mod token;

pub use access::{
    Act, Acted, Deed, DeedQuery, DeedRow, Role, SESSION_IDLE, SESSION_WHOLE, Session, User, UserId,
};
pub use breach::{Breach, BreachId, BreachQuery, BreachRow, MonitorHealth, MonitorSums};
pub use contract::{Answer, Store};
pub use document::{Document, DocumentKey, DocumentKind};
pub use error::{StoreError, Trouble};
pub use histogram::Histogram;
pub use incident::{
    Audience, Ended, EntryKind, IncidentEntry, IncidentQuery, IncidentRow, IncidentStory,
};
pub use item::{ItemChange, ItemRow};
pub use outbox::{
    Delivery, DeliveryCounts, DeliveryId, DeliveryQuery, DeliveryState, NewDelivery, Retried,
};
pub use series::{LatencyPoint, Reading, Resolution, Rollup, Sample, Span, Totals};
pub use sqlite::{AccessBook, Options, SqliteStore, backup};
pub use state::{
    ChangeId, ChangeQuery, ChangeRow, Commit, Loaded, NewChange, RouteKey, Space, Subject,
    SubjectKind, Whose,
};
pub use token::{Digest, Scope, Token, TokenId};
