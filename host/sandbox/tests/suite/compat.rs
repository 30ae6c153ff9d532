//! Plugins of every released contract, as they were built then, on this host.
//!
//! Each folder of `testing/compat` holds a probe and a notifier of one version, by
//! the recipe in its README; a version whose folder is missing has not been
//! released.

use std::path::PathBuf;
use std::time::Duration;

use sha2::{Digest, Sha256};
use watchkeeper_sandbox::{
    Affected, CheckOutcome, Fault, Kind, Notice, Notify, NotifyOutcome, Occasion, Plugin,
    StateSpace, Verdict,
};

use crate::fixture::{sandbox, trial};

/// The versions that this host takes, by their folders.
const SPOKEN: [&str; 1] = ["v0_1"];

/// What is kept was never changed: the README's table has the size and the hash of
/// each file, which the test compares.
#[test]
fn what_is_kept_is_what_its_recipe_says() {
    for version in SPOKEN {
        let folder = folder().join(version);
        let Ok(recipe) = std::fs::read_to_string(folder.join("README.md")) else {
            // Not released: the other tests say so.
            continue;
        };
        for name in ["probe", "notifier"] {
            let bytes = std::fs::read(folder.join(format!("{name}.wasm"))).unwrap();
            let hash = Sha256::digest(&bytes);
            let hash = hash
                .iter()
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            let line = format!(
                "| `{name}.wasm` | `testing/guests/compat-{name}` | {} | `{hash}` |",
                bytes.len()
            );
            assert!(recipe.contains(&line), "{version} has not: {line}");
        }
    }
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../testing/compat")
}

/// The component of one version; none, and that is said, where none is kept yet.
async fn kept(version: &str, name: &str) -> Option<Plugin> {
    let file = folder().join(version).join(format!("{name}.wasm"));
    let Ok(bytes) = std::fs::read(&file) else {
        skip(&format!(
            "compat: {version}/{name}.wasm is not kept yet (`cargo xtask compat`)"
        ));
        return None;
    };
    match sandbox().load(bytes).await {
        Ok(plugin) => Some(plugin),
        Err(problem) => panic!("{version}/{name}.wasm {problem}"),
    }
}

#[tokio::test]
async fn probes_of_every_released_contract_run() {
    for version in SPOKEN {
        let Some(plugin) = kept(version, "probe").await else {
            continue;
        };
        let description = plugin.description();
        assert_eq!(description.name.as_str(), "compat-probe");
        assert_eq!(description.asks.len(), 7);
        assert_eq!(description.hosts.len(), 1);
        assert_eq!(
            *plugin.kind(),
            Kind::Probe {
                schemes: vec!["compat".to_owned()]
            }
        );
        let run = trial("nothing", "")
            .keeping(StateSpace::from([("runs".into(), vec![1])]))
            .run(&plugin)
            .await;
        let CheckOutcome::Reading(reading) = run.outcome else {
            panic!("{version}: {:?}; log: {:?}", run.outcome, run.log);
        };
        assert_eq!(reading.verdict, Verdict::Healthy);
        assert_eq!(
            reading.reason.as_deref(),
            Some("service/monitor for hostile://target")
        );
        assert_eq!(reading.latency, Some(Duration::from_mins(2)));
        let figures: Vec<_> = reading
            .measurements
            .iter()
            .map(|each| (each.name.as_str(), each.value, each.unit.as_str()))
            .collect();
        assert_eq!(
            figures,
            [
                ("runs", 2.0, "runs"),
                ("denied", 3.0, "calls"),
                ("exchanges", 0.0, "exchanges")
            ]
        );
        assert_eq!(run.state.expect("it was changed")["runs"], [2]);
        assert!(run.log.iter().any(|line| line.text.starts_with("config {")));
        for (target, fault) in [
            (
                "compat://misconfigured",
                Fault::Misconfigured("as asked".into()),
            ),
            ("compat://undecided", Fault::Undecided("as asked".into())),
        ] {
            let mut asked = trial("nothing", "");
            asked.check.target = target.into();
            assert_eq!(asked.fault(&plugin).await, fault, "{version}");
        }
    }
}

#[tokio::test]
async fn notifiers_of_every_released_contract_run() {
    for version in SPOKEN {
        let Some(plugin) = kept(version, "notifier").await else {
            continue;
        };
        assert_eq!(*plugin.kind(), Kind::Notifier);
        let deliver = async |config: &str| {
            let mut context = trial("", "").check.context;
            context.config = config.into();
            plugin
                .notify(Notify {
                    context,
                    notice: notice(),
                })
                .await
        };
        let run = deliver(r#"{"do":"deliver"}"#).await;
        assert_eq!(run.outcome, NotifyOutcome::Delivered, "{version}");
        let told = "one Occasion::Reminder Health::Dead Some(Health::Sick) 5000000000 API is dead 1 Some(2000000000) 3 Status https://status.test None api/web@1 Some(3000000000) Some(\"https://status.test/a\") 120000000000 true";
        let run = deliver("{}").await;
        assert_eq!(
            run.outcome,
            NotifyOutcome::Permanent(told.into()),
            "{version}"
        );
        assert!(
            run.log.iter().any(|line| line.text == "two lines"),
            "{:?}",
            run.log
        );
        let run = deliver(r#"{"do":"later"}"#).await;
        assert_eq!(
            run.outcome,
            NotifyOutcome::Temporary {
                reason: told.into(),
                retry_after: Some(Duration::from_secs(30))
            },
            "{version}"
        );
        let run = deliver(r#"{"do":"dial"}"#).await;
        assert!(
            matches!(&run.outcome, NotifyOutcome::Fault(Fault::Denied(why)) if why.contains("host.invalid")),
            "{version}: {:?}",
            run.outcome
        );
    }
}

/// Says that a test leaves something out, in the form that `cargo xtask test`
/// collects.
#[expect(clippy::print_stdout, reason = "it is read from the test's output")]
fn skip(what_and_why: &str) {
    println!("SKIPPED: {what_and_why}");
}

fn notice() -> Notice {
    Notice {
        id: "one".into(),
        occasion: Occasion::Reminder,
        health: Verdict::Dead,
        previous: Some(Verdict::Sick),
        at: Duration::from_secs(5),
        title: "API is dead".into(),
        body: "two lines".into(),
        affected: vec![Affected {
            id: "api:web:x".into(),
            service: "API".into(),
            monitor: "Web".into(),
            health: Verdict::Dead,
            reason: None,
            since: Duration::from_secs(1),
        }],
        lasted: Some(Duration::from_secs(2)),
        reminder: 3,
        page_title: "Status".into(),
        page_url: "https://status.test".into(),
        incident_url: None,
        thread: "api/web@1".into(),
        started: Some(Duration::from_secs(3)),
        acknowledge_url: Some("https://status.test/a".into()),
    }
}
