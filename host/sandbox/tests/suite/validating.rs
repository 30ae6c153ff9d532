//! What a plugin says against a configuration.

use watchkeeper_sandbox::{Complaint, Context, Fault, LimitHit, MAX_COMPLAINTS};

use crate::fixture::{load, trial};

fn context(deed: &str, with: &str) -> Context {
    let mut context = trial("nothing", "").check.context;
    context.config = format!(r#"{{"validate":"{deed}","with":"{with}"}}"#).into();
    context
}

#[tokio::test]
async fn complaints_come_with_the_place_to_blame() {
    let plugin = load("hostile").await;
    assert!(plugin.validates());
    assert_eq!(plugin.validate(context("nothing", "")).await.unwrap(), []);
    let expected = Complaint {
        pointer: "/with".to_owned(),
        what: "odd".to_owned(),
        instead: Some("odd".to_owned()),
        position: Some((2, 3)),
    };
    assert_eq!(
        plugin.validate(context("one", "odd")).await.unwrap(),
        [expected]
    );
    // One that has nothing to say need not export it.
    let silent = load("modest").await;
    assert!(!silent.validates());
    assert_eq!(silent.validate(context("one", "odd")).await.unwrap(), []);
}

#[tokio::test]
async fn complaints_are_few_short_and_without_secrets() {
    let plugin = load("hostile").await;
    let said = plugin.validate(context("many", "x")).await.unwrap();
    assert_eq!(said.len(), MAX_COMPLAINTS);
    let said = plugin.validate(context("long", "words ")).await.unwrap();
    assert!(said[0].what.chars().count() <= 500);
    let mut secret = context("one", "hunter2");
    secret.secrets = watchkeeper_sandbox::Scrubber::new(["hunter2"]);
    let said = plugin.validate(secret).await.unwrap();
    assert_eq!(
        (said[0].what.as_str(), said[0].instead.as_deref()),
        ("****", Some("****"))
    );
}

#[tokio::test]
async fn who_looks_at_a_configuration_is_held_to_the_limits() {
    let plugin = load("hostile").await;
    let fault = plugin.validate(context("loop", "")).await.unwrap_err();
    assert!(matches!(fault, Fault::Limit(LimitHit::Cpu(_))), "{fault}");
    let fault = plugin.validate(context("panic", "no")).await.unwrap_err();
    assert!(fault.to_string().contains("no"), "{fault}");
    let mut granted = context("reach", "");
    let trial = trial("nothing", "").granted(&["127.0.0.1:1"]);
    granted.grants = trial.check.context.grants;
    let fault = plugin.validate(granted).await.unwrap_err();
    assert!(matches!(fault, Fault::Denied(_)), "{fault}");
}
