//! No secret comes out, in whatever a plugin says.

use watchkeeper_sandbox::{CheckOutcome, Level};

use crate::fixture::{load, trial};

const SECRET: &str = "hunter2-and-a-half";

#[tokio::test]
pub(crate) async fn every_way_out_is_scrubbed() {
    let plugin = load("hostile").await;
    let words = format!("the password is {SECRET}");
    let run = trial("say", &words).secret(SECRET).run(&plugin).await;
    assert_eq!(run.log.len(), 3);
    assert_eq!(run.log[0].level, Level::Error);
    let CheckOutcome::Reading(reading) = &run.outcome else {
        panic!("{:?}", run.outcome)
    };
    assert_eq!(reading.reason.as_deref(), Some("the password is ****"));
    let said = format!("{run:?}");
    assert!(!said.contains(SECRET), "{said}");
    for deed in ["panic", "misconfigured", "undecided", "dead"] {
        let run = trial(deed, &words).secret(SECRET).run(&plugin).await;
        let said = format!("{run:?}");
        assert!(said.contains("the password is ****"), "{deed}: {said}");
        assert!(!said.contains(SECRET), "{deed}: {said}");
    }
}

#[tokio::test]
pub(crate) async fn a_refusal_and_a_call_are_scrubbed() {
    let plugin = load("hostile").await;
    let url = format!("http://{SECRET}.example/{SECRET}?key={SECRET}");
    for granted in [&["other.example:1"][..], &["*.example:80"]] {
        let run = trial("http", &url)
            .granted(granted)
            .secret(SECRET)
            .run(&plugin)
            .await;
        let said = format!("{:?} {:?} {:?}", run.outcome, run.log, run.calls);
        assert!(said.contains("****.example"), "{said}");
        assert!(!said.contains(SECRET), "{said}");
    }
}

#[tokio::test]
pub(crate) async fn a_context_does_not_print_its_configuration() {
    let printed = format!("{:?}", trial("say", SECRET).check);
    assert!(!printed.contains(SECRET), "{printed}");
}
