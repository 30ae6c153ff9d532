//! The public status page and the plain HTTP outside.
//!
//! A [`View`] comes in through [`Web::publish`]; the page, its live events and
//! the machine-readable reports go out through [`Web::router`]. What did not
//! change is not rendered again, and what was rendered once is shared by all who
//! look at it. What the outside says of monitors that do not ask comes in here as
//! well, and goes on to whoever stands behind [`Intake`].
//!
//! This crate knows its own view model and the words for health. It knows neither
//! the store nor the sandbox nor the rules by which health is decided.

mod intake;
mod view;

mod dates;
mod locale;
mod look;
mod words;

mod bars;
mod chart;
mod markdown;
mod past;
mod spark;
mod template;

mod fragments;

mod compress;
mod edition;
mod events;
mod exposition;
mod negotiate;
mod page;
mod report;

mod announcements;
mod catalogue;
mod console;
mod control;
mod figures;
mod plans;
mod records;
mod staff;
mod survey;

mod allowance;
mod api;
mod doors;
mod heartbeat;
mod inbox;
mod manager;
mod manual;
mod reporter;

mod badge;
mod calendar;
mod changes;
mod embed;
mod feeds;
mod statuspage;

mod admin;
mod assets;
mod entrances;
mod failure;
mod frame;
mod fresh;
mod headers;
mod incidents;
mod levels;
mod routes;
mod serve;
mod services;
mod sites;
mod web;

pub use announcements::{AnnounceWish, Announced, Announcer, NotAnnounced, Said};
pub use catalogue::{
    Catalogue, Edit, Expected, Fault, ItemChange, ItemKind, ItemRecord, Mode, NotEdited, Notation,
    Posted, Wish,
};
pub use console::{
    ChangeFacts, ChannelFacts, Console, HostFigures, LatencyAt, MonitorFacts, MonitorPast,
    NotChecked, Pause, PausedBy, PluginFacts, ReadingFacts, RouteFacts, SettingsTable, TargetFacts,
    Tested,
};
pub use control::{Control, NotDone};
pub use entrances::Side;
pub use figures::{Figures, LatencyRecord, Sums, Window};
pub use intake::{Access, Admission, Intake, Kind, Refusal, Told, What};
pub use levels::{
    BreachRecord, LevelReport, LevelRow, Levels, NoReport, ReadingFigures, WantedBreaches,
    WantedReport,
};
pub use locale::Language;
pub use look::{Branding, Look};
pub use plans::{
    CalendarEvent, MaintenanceDraft, MaintenanceRecord, NotPlanned, PlanWish, Plans, Source,
};
pub use records::{
    BadLink, Deed, Delivered, DeliveryRecord, EntryRecord, Found, IncidentRecord, Link, NotTaken,
    NotTold, Records, Retry, Taken, WantedDeliveries, WantedIncidents,
};
pub use serve::{Limits, serve};
pub use staff::{
    Change, Changed, DeedRecord, Doer, NotChanged, NotSetUp, Person, PersonRecord, Right, Role,
    Staff, TokenRecord, WantedDeeds,
};
pub use survey::{
    ChangeRecord, MonitorState, PluginRecord, PluginRecords, ReadingRecord, Standing, Survey,
    TargetState, WantedChanges, WantedReadings, Whose,
};
pub use view::{
    Affected, AnnouncementView, DAYS, Day, DayState, Impact, IncidentView, MaintenanceView,
    MonitorView, NoteKind, OtherPage, Overall, Part, PastView, ServiceView, Stage, TargetView,
    UpdateView, View,
};
pub use web::{MetricsText, Readiness, Web, WebSettings};
