//! What a plugin answers, and what of it comes out.

use std::time::Duration;

use watchkeeper_sandbox::{
    Affected, CheckOutcome, Fault, Notice, Notify, NotifyOutcome, Occasion, StateSpace, Verdict,
};

use crate::fixture::{load, trial};

#[tokio::test]
pub(crate) async fn a_reading_is_what_the_probe_said() {
    let plugin = load("hostile").await;
    let reading = trial("sick", "slow").reading(&plugin).await;
    assert_eq!(
        (reading.verdict, reading.reason.as_deref()),
        (Verdict::Sick, Some("slow"))
    );
    let reading = trial("dead", "refused").reading(&plugin).await;
    assert_eq!(
        (reading.verdict, reading.reason.as_deref()),
        (Verdict::Dead, Some("refused"))
    );
    let reading = trial("dead without reason", "").reading(&plugin).await;
    assert_eq!(reading.reason.as_deref(), Some("the probe gives no reason"));
    let told = trial("request", "").got(&plugin).await;
    assert_eq!(told, "service/monitor hostile://target 120000000000");
}

#[tokio::test]
pub(crate) async fn a_fault_is_what_the_probe_said() {
    let plugin = load("hostile").await;
    let fault = trial("misconfigured", "no key").fault(&plugin).await;
    assert_eq!(fault, Fault::Misconfigured("no key".into()));
    let fault = trial("undecided", "no idea").fault(&plugin).await;
    assert_eq!(fault, Fault::Undecided("no idea".into()));
}

#[tokio::test]
pub(crate) async fn measurements_are_numbers_and_few() {
    let plugin = load("hostile").await;
    let run = trial("measure", "100").run(&plugin).await;
    let CheckOutcome::Reading(reading) = run.outcome else {
        panic!("{:?}", run.outcome)
    };
    assert_eq!(reading.measurements.len(), 63);
    assert_eq!(reading.measurements[1].name, "number-2");
    assert_eq!(reading.latency, Some(Duration::from_micros(1500)));
    let log: Vec<_> = run.log.into_iter().map(|line| line.text).collect();
    assert_eq!(
        log,
        [
            "measurement number-1 is no number: left out",
            "36 more measurements were left out (limit `measurements`)"
        ]
    );
}

#[tokio::test]
pub(crate) async fn a_long_reason_is_cut() {
    let plugin = load("hostile").await;
    let reason = trial("reason", "600")
        .reading(&plugin)
        .await
        .reason
        .unwrap();
    assert_eq!(reason.chars().count(), 500);
    assert!(reason.ends_with("x…"));
}

#[tokio::test]
pub(crate) async fn state_outlives_a_run_that_answers() {
    let plugin = load("hostile").await;
    let first = trial("count", "").run(&plugin).await;
    let state = first.state.expect("it was changed");
    assert_eq!(state, StateSpace::from([("runs".into(), vec![1])]));
    let second = trial("count", "").keeping(state).run(&plugin).await;
    assert_eq!(second.state.unwrap()["runs"], [2]);
    assert_eq!(trial("nothing", "").run(&plugin).await.state, None);
    assert_eq!(trial("set, then panic", "").run(&plugin).await.state, None);
}

#[tokio::test]
pub(crate) async fn state_has_a_size() {
    let plugin = load("hostile").await;
    let reason = trial("fill state", "")
        .reading(&plugin)
        .await
        .reason
        .unwrap();
    assert_eq!(reason, "65 kept, then Error::Full; Err(Error::BadKey)");
}

#[tokio::test]
pub(crate) async fn a_run_says_what_it_took() {
    let plugin = load("hostile").await;
    let run = trial("nothing", "").run(&plugin).await;
    assert!(run.peak_memory >= 64 << 10, "{}", run.peak_memory);
    assert!(run.peak_memory <= 32 << 20, "{}", run.peak_memory);
    assert!(run.cpu > Duration::ZERO);
    assert!(run.latency > Duration::ZERO);
}

fn notify(config: &str) -> Notify {
    let context = trial("", "").check.context;
    Notify {
        context: watchkeeper_sandbox::Context {
            config: config.into(),
            ..context
        },
        notice: Notice {
            id: "1".into(),
            occasion: Occasion::Reminder,
            health: Verdict::Dead,
            previous: Some(Verdict::Healthy),
            at: Duration::from_secs(1),
            title: "API is dead".into(),
            body: String::new(),
            affected: vec![Affected {
                id: "api:health:x".into(),
                service: "API".into(),
                monitor: "Health".into(),
                health: Verdict::Dead,
                reason: None,
                since: Duration::ZERO,
            }],
            lasted: Some(Duration::from_mins(1)),
            reminder: 1,
            page_title: "Acme".into(),
            page_url: "https://status.example.com".into(),
            incident_url: None,
            thread: "1".into(),
            started: None,
            acknowledge_url: None,
        },
    }
}

#[tokio::test]
pub(crate) async fn a_notifier_delivers_or_says_why_not() {
    let plugin = load("herald").await;
    assert_eq!(
        plugin.notify(notify("deliver")).await.outcome,
        NotifyOutcome::Delivered
    );
    assert_eq!(
        plugin.notify(notify("later")).await.outcome,
        NotifyOutcome::Temporary {
            reason: "API is dead about 1".into(),
            retry_after: Some(Duration::from_secs(30))
        }
    );
    assert_eq!(
        plugin.notify(notify("never")).await.outcome,
        NotifyOutcome::Permanent(
            "Occasion::Reminder https://status.example.com Some(60000000000)".into()
        )
    );
    let NotifyOutcome::Fault(fault) = plugin.notify(notify("what?")).await.outcome else {
        panic!("no fault")
    };
    assert_eq!(fault, Fault::Trap("it panicked: no such deed".into()));
}

#[tokio::test]
pub(crate) async fn a_refusal_explains_a_failure_and_undoes_no_delivery() {
    let plugin = load("herald").await;
    let outcome = plugin.notify(notify("refused")).await.outcome;
    let denied = "not granted: other.example:443; add allow = [\"other.example:443\"] under \
                  [plugins.herald]";
    assert_eq!(outcome, NotifyOutcome::Fault(Fault::Denied(denied.into())));
    let run = plugin.notify(notify("detour")).await;
    assert_eq!(run.outcome, NotifyOutcome::Delivered);
    assert_eq!(run.log[0].text, denied);
}

#[tokio::test]
pub(crate) async fn a_probe_does_not_notify() {
    let plugin = load("hostile").await;
    let outcome = plugin.notify(notify("deliver")).await.outcome;
    assert!(matches!(outcome, NotifyOutcome::Fault(_)), "{outcome:?}");
}
