//! Guests, built once; a sandbox; a check in one line.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use guest_deeds::Deed;
use watchkeeper_egress::address::AddressPolicy;
use watchkeeper_egress::grants::Grants;
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_egress::tls::Tls;
use watchkeeper_sandbox::{
    Check, CheckOutcome, Context, Fault, Limits, Plugin, Reading, Run, Sandbox, Scrubber, Settings,
    StateSpace, Verdict,
};

/// The guest of `testing/guests` as the build left it: `target/guests/NAME.wasm`. A
/// build for each test, which finds nothing to do, takes longer than most tests.
pub(crate) fn guest(name: &str) -> Vec<u8> {
    let file = target_folder().join("guests").join(format!("{name}.wasm"));
    std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{}: {error}: run `cargo xtask test`", file.display()))
}

fn target_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target")
}

pub(crate) fn settings() -> Settings {
    let resolver = Resolver::new(ResolverOptions::default()).expect("names can be looked up");
    settings_with(resolver)
}

pub(crate) fn settings_with(resolver: Resolver) -> Settings {
    let tls = Tls::new(Vec::new()).expect("TLS can be set up");
    Settings {
        // What one test compiled the others load, those of other crates among them.
        cache: Some(target_folder().join("plugin-tests-cache")),
        concurrency: 200,
        ..Settings::new(resolver, tls)
    }
}

pub(crate) fn sandbox() -> Sandbox {
    Sandbox::new(settings()).expect("the sandbox can be set up")
}

pub(crate) async fn load(name: &str) -> Plugin {
    sandbox().load(guest(name)).await.expect("it is a plugin")
}

/// A check to be made, and what may be changed of it.
#[derive(Clone)]
pub(crate) struct Trial {
    pub(crate) check: Check,
}

/// A check whose guest does `deed`, `with` something.
///
/// The guest `modest` does none and is given an empty one.
pub(crate) fn trial(deed: &str, with: &str) -> Trial {
    assert!(
        deed.is_empty() || Deed::from_word(deed).is_some(),
        "no such deed: {deed}"
    );
    Trial {
        check: Check {
            context: Context {
                label: "service/monitor".into(),
                config: format!(r#"{{"do":"{deed}","with":"{with}"}}"#).into(),
                grants: Arc::new(Grants::new()),
                policy: Arc::new(AddressPolicy::for_config_targets(Vec::new())),
                limits: Limits::default(),
                // Long: nothing here is timed, a busy machine must not matter.
                timeout: Duration::from_mins(2),
                secrets: Scrubber::default(),
                state: StateSpace::new(),
            },
            monitor: "service/monitor".into(),
            target: "hostile://target".into(),
        },
    }
}

impl Trial {
    pub(crate) fn granted(mut self, patterns: &[&str]) -> Self {
        let mut grants = Grants::new();
        for pattern in patterns {
            grants.grant(pattern.parse().expect("a pattern"));
        }
        self.check.context.grants = Arc::new(grants);
        self
    }

    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.check.context.timeout = timeout;
        self
    }

    pub(crate) fn limited(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.check.context.limits);
        self
    }

    pub(crate) fn secret(mut self, secret: &str) -> Self {
        self.check.context.secrets = Scrubber::new([secret]);
        self
    }

    pub(crate) fn keeping(mut self, state: StateSpace) -> Self {
        self.check.context.state = state;
        self
    }

    pub(crate) async fn run(self, plugin: &Plugin) -> Run<CheckOutcome> {
        plugin.check(self.check).await
    }

    /// The fault that it must end in.
    pub(crate) async fn fault(self, plugin: &Plugin) -> Fault {
        let run = self.run(plugin).await;
        match run.outcome {
            CheckOutcome::Fault(fault) => fault,
            other => panic!(
                "no fault but {other:?}; log: {:?}; calls: {:?}",
                run.log, run.calls
            ),
        }
    }

    /// The reading that it must end in.
    pub(crate) async fn reading(self, plugin: &Plugin) -> Reading {
        let run = self.run(plugin).await;
        match run.outcome {
            CheckOutcome::Reading(reading) => reading,
            other => panic!("no reading but {other:?}; log: {:?}", run.log),
        }
    }

    /// The reason of the healthy reading that it must end in.
    pub(crate) async fn got(self, plugin: &Plugin) -> String {
        let reading = self.reading(plugin).await;
        assert_eq!(reading.verdict, Verdict::Healthy, "{reading:?}");
        reading.reason.unwrap_or_default()
    }
}
