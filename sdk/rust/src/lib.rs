//! Write probes and notifiers for Watchkeeper.
//!
//! A plugin is a WebAssembly component that Watchkeeper runs in a sandbox: it
//! sees no files, no environment and no network but the hosts that its
//! configuration and targets name. This crate gives it a typed configuration,
//! a client for each way out ([`http`], [`tcp`], [`udp`], [`tls`], [`icmp`], [`dns`]),
//! and what little else there is ([`stream`], [`state`], [`log`]). [`expect`] compares
//! answers with what operators expect of them; notifiers find what they are to tell
//! [in words](wording).
//!
//! A **probe** implements [`Probe`] and is exported by [`probe!`]; a
//! **notifier** implements [`Notifier`] and is exported by [`notifier!`]. One
//! crate holds one plugin and is built as a component:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib"]
//!
//! [dependencies]
//! schemars = "1"
//! serde = { version = "1", features = ["derive"] }
//! watchkeeper-sdk = { git = "https://github.com/watchkeeper/watchkeeper" }
//! ```
//!
//! ```text
//! cargo build --release --target wasm32-wasip2
//! ```
//!
//! Copy the `.wasm` file into Watchkeeper's plugins folder; there is nothing to
//! restart. The name and version that operators see come from the trait and the
//! crate's manifest.
//!
//! # Verdicts and errors
//!
//! A check returns a [`Reading`]. Every network call's [`Error`] turns into a
//! [`Stop`] by `?` and is judged by its cause: a target that does not answer is
//! dead, a call that the host refused leaves the check undecided, and a URL that
//! cannot be right is a mistake in the configuration. In a notifier the same
//! error turns into a [`Failure`], temporary where trying again may help.
//!
//! # Tests
//!
//! The calls to the host exist only inside a component: keep what judges apart
//! from what asks, and test the former natively with plain `cargo test`. Native
//! builds link; a call to the host panics there.
//!
//! # A complete probe
//!
//! ```
//! use watchkeeper_sdk::{Capability, Context, Probe, Reading, Stop, Target, http};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! struct Config { max: f64 }
//! struct QueueDepth;
//! impl Probe for QueueDepth {
//!     type Config = Config;
//!     const NAME: &str = "queue-depth";
//!     const SUMMARY: &str = "Sick when a JSON endpoint reports too long a queue";
//!     const ASKS: &[Capability] = &[Capability::Http];
//!     fn check(config: Config, target: &Target, _: &Context) -> Result<Reading, Stop> {
//!         let depth = http::get(target)?.json::<f64>()?;
//!         Ok(Reading::healthy().measure("depth", depth, "jobs").sick_if(depth > config.max, "too long"))
//!     }
//! }
//! watchkeeper_sdk::probe!(QueueDepth);
//! ```

mod address;
#[doc(hidden)]
#[expect(clippy::same_length_and_capacity, reason = "generated code")]
pub mod bindings;

pub mod config;
mod context;
pub mod database;
#[doc(hidden)]
pub mod describe;
pub mod dns;
mod error;
pub mod expect;
mod figure;
pub mod http;
pub mod icmp;
pub mod issues;
pub mod log;
mod notifier;
mod probe;
pub mod recipients;
pub mod state;
pub mod stream;
mod target;
pub mod tcp;
pub mod threads;
mod time;
pub mod tls;
pub mod udp;
mod url;
mod validation;
mod wait;
pub mod wording;

pub use self::bindings::types::{Capability, Health};
pub use self::context::Context;
pub use self::error::Error;
pub use self::figure::{Comparison, Figure, FigureRule, number_or_text};
pub use self::notifier::{Affected, Failure, Notice, Notifier, Occasion};
pub use self::probe::{Measurement, Probe, Reading, Stop};
pub use self::target::Target;
pub use self::time::{Timestamp, in_words};
pub use self::url::{Url, UrlError};
pub use self::validation::Problem;

#[doc(hidden)]
pub use self::{notifier::deliver, probe::run, validation::validate};

/// Exports a type that implements [`Probe`] as this crate's plugin.
///
/// The version that the plugin reports is the crate's.
#[macro_export]
macro_rules! probe {
    ($probe:ty) => {
        // Natively there is nobody to export to, and no linker that knows the
        // names; but what would be exported is checked.
        #[cfg(not(target_family = "wasm"))]
        const _: fn(&str) -> $crate::bindings::probe::ProbeDescription =
            $crate::describe::probe::<$probe>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::bindings::probe::Guest for Component {
                fn describe() -> $crate::bindings::probe::ProbeDescription {
                    $crate::describe::probe::<$probe>(env!("CARGO_PKG_VERSION"))
                }

                fn check(
                    request: $crate::bindings::probe::Request,
                ) -> Result<$crate::bindings::probe::Reading, $crate::bindings::probe::Fault>
                {
                    $crate::run::<$probe>(request)
                }
            }

            impl $crate::bindings::validation::Guest for Component {
                fn validate(config: String) -> Vec<$crate::bindings::validation::Problem> {
                    $crate::validate(&config, <$probe as $crate::Probe>::validate)
                }
            }

            $crate::bindings::probe_plugin::export_probe!(
                Component with_types_in $crate::bindings::probe_plugin
            );
            $crate::bindings::validated_plugin::export_validation!(
                Component with_types_in $crate::bindings::validated_plugin
            );
        };
    };
}

/// Exports a type that implements [`Notifier`] as this crate's plugin.
///
/// The version that the plugin reports is the crate's.
#[macro_export]
macro_rules! notifier {
    ($notifier:ty) => {
        // Natively there is nobody to export to, and no linker that knows the
        // names; but what would be exported is checked.
        #[cfg(not(target_family = "wasm"))]
        const _: fn(&str) -> $crate::bindings::types::Description =
            $crate::describe::notifier::<$notifier>;

        #[cfg(target_family = "wasm")]
        const _: () = {
            struct Component;

            impl $crate::bindings::notifier::Guest for Component {
                fn describe() -> $crate::bindings::types::Description {
                    $crate::describe::notifier::<$notifier>(env!("CARGO_PKG_VERSION"))
                }

                fn notify(
                    request: $crate::bindings::notifier::Request,
                ) -> Result<(), $crate::bindings::notifier::Failure> {
                    $crate::deliver::<$notifier>(request)
                }
            }

            impl $crate::bindings::validation::Guest for Component {
                fn validate(config: String) -> Vec<$crate::bindings::validation::Problem> {
                    $crate::validate(&config, <$notifier as $crate::Notifier>::validate)
                }
            }

            $crate::bindings::notifier_plugin::export_notifier!(
                Component with_types_in $crate::bindings::notifier_plugin
            );
            $crate::bindings::validated_plugin::export_validation!(
                Component with_types_in $crate::bindings::validated_plugin
            );
        };
    };
}
