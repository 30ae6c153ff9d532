//! The plugin contract, version by version. Each version is an adapter that turns
//! its words into this crate's; nothing outside names a version.

mod since_v0_1;

use wasmtime::Store;
use wasmtime::component::{InstancePre, Linker};

use crate::description::Stated;
use crate::host::Host;
use crate::notice::Notice;

/// The version of the contract that this host speaks, for messages.
pub(crate) const SPOKEN: &str = since_v0_1::MINOR;

/// The package that the contract's interfaces belong to.
const PACKAGE: &str = "watchkeeper:plugin/";

/// What a probe answers, before it is checked against limits.
#[derive(Debug)]
pub(crate) struct RawReading {
    pub(crate) verdict: crate::run::Verdict,
    pub(crate) reason: Option<String>,
    pub(crate) latency: Option<std::time::Duration>,
    pub(crate) measurements: Vec<crate::run::Measurement>,
}

/// Why a probe has no verdict.
#[derive(Debug)]
pub(crate) enum RawFault {
    Misconfigured(String),
    Undecided(String),
}

/// What a component has against a configuration.
#[derive(Debug)]
pub(crate) struct RawProblem {
    pub(crate) pointer: String,
    pub(crate) what: String,
    pub(crate) instead: Option<String>,
    pub(crate) position: Option<(u32, u32)>,
}

/// Why a notifier did not deliver.
#[derive(Debug)]
pub(crate) enum RawFailure {
    Temporary(String, Option<std::time::Duration>),
    Permanent(String),
}

/// What a probe is asked.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) monitor: &'a str,
    pub(crate) target: &'a str,
    pub(crate) config: &'a str,
    pub(crate) timeout: std::time::Duration,
}

/// Which of the contract's interfaces a component exports, and in which version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exported<'a> {
    Probe(&'a str),
    Notifier(&'a str),
}

/// A component bound to the version of the contract that it was built for.
#[derive(Clone)]
pub(crate) enum Bound {
    SinceV0_1(since_v0_1::Bound),
}

/// Why a component is no plugin for this host.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Mismatch {
    #[error("exports neither `watchkeeper:plugin/probe` nor `watchkeeper:plugin/notifier`")]
    Neither,
    #[error("exports both `watchkeeper:plugin/probe` and `watchkeeper:plugin/notifier`")]
    Both,
    #[error("built for watchkeeper:plugin@{built_for}, this host speaks {SPOKEN}")]
    Version { built_for: String },
    #[error("does not fit the contract: {0}")]
    Shape(String),
}

/// Links every version's interfaces.
pub(crate) fn add_to_linker(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    since_v0_1::add_to_linker(linker)
}

/// Whether `import` names an interface of the contract in a version that this
/// host does not link; then, that version.
pub(crate) fn foreign_version(import: &str) -> Option<&str> {
    let (_, version) = import.strip_prefix(PACKAGE)?.split_once('@')?;
    (!since_v0_1::speaks(version)).then_some(version)
}

/// The version of the contract that a component which exports `names` was built
/// for.
pub(crate) fn version_of<'a>(names: &[&'a str]) -> Result<&'a str, Mismatch> {
    match exported(names)? {
        Exported::Probe(version) | Exported::Notifier(version) => Ok(version),
    }
}

fn exported<'a>(names: &[&'a str]) -> Result<Exported<'a>, Mismatch> {
    let mut found = None;
    for name in names {
        let Some((interface, version)) = name
            .strip_prefix(PACKAGE)
            .and_then(|name| name.split_once('@'))
        else {
            continue;
        };
        let this = match interface {
            "probe" => Exported::Probe(version),
            "notifier" => Exported::Notifier(version),
            _ => continue,
        };
        if found.is_some_and(|found| found != this) {
            return Err(Mismatch::Both);
        }
        found = Some(this);
    }
    match found {
        None => Err(Mismatch::Neither),
        Some(Exported::Probe(version) | Exported::Notifier(version))
            if !since_v0_1::speaks(version) =>
        {
            Err(Mismatch::Version {
                built_for: version.to_owned(),
            })
        }
        Some(found) => Ok(found),
    }
}

/// Whether a component exports the checks of configurations in a version that
/// this host knows; one that it does not know is as good as none.
fn validates(names: &[&str]) -> bool {
    names.iter().any(|name| {
        name.strip_prefix(PACKAGE)
            .and_then(|name| name.strip_prefix("validation@"))
            .is_some_and(since_v0_1::speaks)
    })
}

impl Bound {
    /// Binds the component that exports `names`.
    pub(crate) fn new(pre: InstancePre<Host>, names: &[&str]) -> Result<Self, Mismatch> {
        let validates = validates(names);
        let bound = match exported(names)? {
            Exported::Probe(_) => since_v0_1::Bound::probe(pre, validates),
            Exported::Notifier(_) => since_v0_1::Bound::notifier(pre, validates),
        };
        bound
            .map(Self::SinceV0_1)
            .map_err(|problem| Mismatch::Shape(format!("{problem:#}")))
    }

    pub(crate) async fn describe(&self, store: &mut Store<Host>) -> wasmtime::Result<Stated> {
        match self {
            Self::SinceV0_1(bound) => bound.describe(store).await,
        }
    }

    /// Whether it can say anything against a configuration.
    pub(crate) fn validates(&self) -> bool {
        match self {
            Self::SinceV0_1(bound) => bound.validates(),
        }
    }

    pub(crate) async fn validate(
        &self,
        store: &mut Store<Host>,
        config: &str,
    ) -> wasmtime::Result<Vec<RawProblem>> {
        match self {
            Self::SinceV0_1(bound) => bound.validate(store, config).await,
        }
    }

    pub(crate) async fn check(
        &self,
        store: &mut Store<Host>,
        question: Question<'_>,
    ) -> wasmtime::Result<Result<RawReading, RawFault>> {
        match self {
            Self::SinceV0_1(bound) => bound.check(store, question).await,
        }
    }

    pub(crate) async fn notify(
        &self,
        store: &mut Store<Host>,
        notice: &Notice,
        config: &str,
        timeout: std::time::Duration,
    ) -> wasmtime::Result<Result<(), RawFailure>> {
        match self {
            Self::SinceV0_1(bound) => bound.notify(store, notice, config, timeout).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], expected: &str) {
        let said = match exported(names) {
            Ok(found) => format!("{found:?}"),
            Err(mismatch) => mismatch.to_string(),
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn the_exports_say_what_it_is_built_for() {
        check(
            &["watchkeeper:plugin/probe@0.1.7", "exports"],
            r#"Probe("0.1.7")"#,
        );
        check(
            &["watchkeeper:plugin/notifier@0.1.0"],
            r#"Notifier("0.1.0")"#,
        );
        check(
            &["watchkeeper:plugin/probe@0.3.0"],
            "built for watchkeeper:plugin@0.3.0, this host speaks 0.1",
        );
        check(
            &["wasi:http/incoming-handler@0.2.0"],
            "exports neither `watchkeeper:plugin/probe` nor `watchkeeper:plugin/notifier`",
        );
        check(
            &[
                "watchkeeper:plugin/probe@0.1.0",
                "watchkeeper:plugin/notifier@0.1.0",
            ],
            "exports both `watchkeeper:plugin/probe` and `watchkeeper:plugin/notifier`",
        );
    }

    #[test]
    fn imports_of_another_version_are_foreign() {
        assert_eq!(
            foreign_version("watchkeeper:plugin/log@0.2.0"),
            Some("0.2.0")
        );
        assert_eq!(foreign_version("watchkeeper:plugin/log@0.1.9"), None);
        assert_eq!(foreign_version("wasi:io/poll@0.2.9"), None);
    }
}
