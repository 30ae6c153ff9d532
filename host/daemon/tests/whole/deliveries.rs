//! What became of notices, and trying those again that were given up.

use serde_json::Value;
use target_server::{Answer, Fault, HttpTarget, Receiver};

use super::rig::{Rig, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_was_given_up_is_shown_without_secrets_and_tried_again() {
    let any = "127.0.0.1:0".parse().unwrap();
    let target = HttpTarget::start(any).await.unwrap();
    let receiver = Receiver::start(any).await.unwrap();
    // A receiver that repeats what it was shown.
    receiver.otherwise(Answer::status(403).body("no: correct-horse-battery is not known"));
    let mut rig = Rig::new(&format!(
        r#"
[[service]]
id = "shop"
[[service.monitor]]
id = "web"
targets = ["{}"]
every = "1s"
retry = {{ times = 0 }}

[[channel]]
id = "hook"
notifier = "webhook"
config = {{ url = "{}", secret = {{ env = "HOOK_SECRET" }} }}
[[route]]
to = ["hook"]
"#,
        target.url("/"),
        receiver.url("/hook")
    ));
    let output = rig.run(&["token", "create", "ops", "--scope", "write"]);
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    rig.start().await;
    target.set(Fault::Refuse).await.unwrap();
    rig.until_metric("watchkeeper_deliveries_total{channel=\"hook\",outcome=\"failed\"} 1")
        .await;
    let server = rig.page().to_owned();
    let ask = |arguments: &[&str]| {
        let more = ["--server", &server, "--token", &token];
        let output = rig.run(&[arguments, &more].concat());
        assert!(
            !said(&output).contains("correct-horse"),
            "{}",
            said(&output)
        );
        let words = String::from_utf8(output.stdout).unwrap();
        (output.status.code(), words)
    };
    let failed = || -> Vec<Value> {
        let (code, listed) = ask(&["--json", "deliveries", "--failed", "--channel", "hook"]);
        assert_eq!(code, Some(0), "{listed}");
        serde_json::from_str(&listed).unwrap()
    };
    let given_up = failed();
    assert_eq!(given_up.len(), 1, "{given_up:?}");
    let error = given_up[0]["error"].as_str().unwrap();
    assert!(error.contains("403"), "{error}");
    let (_, table) = ask(&["deliveries"]);
    assert!(
        table.contains("failed") && table.contains("is dead"),
        "{table}"
    );

    receiver.otherwise(Answer::ok());
    let id = given_up[0]["id"].to_string();
    let (code, words) = ask(&["deliveries", "--retry", &id]);
    assert_eq!(code, Some(0), "{words}");
    rig.until_metric("watchkeeper_deliveries_total{channel=\"hook\",outcome=\"delivered\"} 1")
        .await;
    let received = receiver.received();
    let notices: Vec<_> = received
        .iter()
        .map(|request| request.json().unwrap()["id"].clone())
        .collect();
    assert_eq!((notices.len(), &notices[0]), (2, &notices[1]));
    rig.until_metric("watchkeeper_deliveries_oldest_pending_seconds 0")
        .await;
    assert!(failed().is_empty());
    assert_eq!(ask(&["deliveries", "--retry", &id]).0, Some(64));
    assert_eq!(ask(&["deliveries", "--retry", "4711"]).0, Some(64));
}
