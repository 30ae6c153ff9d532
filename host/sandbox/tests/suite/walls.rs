//! What does not exist in the sandbox.

use watchkeeper_sandbox::{Fault, Verdict};

use crate::fixture::{load, trial};

#[tokio::test]
pub(crate) async fn there_are_no_files() {
    let plugin = load("hostile").await;
    for path in [
        "/etc/passwd",
        "Cargo.toml",
        ".",
        "/proc/self/environ",
        "/dev/null",
    ] {
        let reading = trial("read file", path).reading(&plugin).await;
        assert_eq!(reading.verdict, Verdict::Dead, "{path}: {reading:?}");
    }
    let reading = trial("write file", "/tmp/hostile").reading(&plugin).await;
    assert_eq!(reading.verdict, Verdict::Dead, "{reading:?}");
    assert!(!std::path::Path::new("/tmp/hostile").exists());
}

#[tokio::test]
pub(crate) async fn there_is_no_environment() {
    let plugin = load("hostile").await;
    let reading = trial("environment", "").reading(&plugin).await;
    assert_eq!(reading.reason.as_deref(), Some("0 variables, 0 arguments"));
}

#[tokio::test]
pub(crate) async fn there_are_no_threads_and_no_input() {
    let plugin = load("hostile").await;
    assert_eq!(
        trial("thread", "").reading(&plugin).await.verdict,
        Verdict::Dead
    );
    assert_eq!(trial("stdin", "").got(&plugin).await, "got \"\"");
}

#[tokio::test]
pub(crate) async fn a_panic_and_an_exit_have_last_words() {
    let plugin = load("hostile").await;
    let fault = trial("panic", "config is not a number")
        .fault(&plugin)
        .await;
    assert_eq!(
        fault,
        Fault::Trap("it panicked: config is not a number".into())
    );
    let fault = trial("exit", "").fault(&plugin).await;
    assert_eq!(fault, Fault::Trap("it exited with status 1".into()));
}

#[tokio::test]
pub(crate) async fn what_is_not_asked_for_is_not_given() {
    let plugin = load("modest").await;
    for capability in ["http", "tcp", "udp", "icmp", "dns", "tls", "state"] {
        let mut trial = trial("", "").granted(&["127.0.0.1:*", "localhost:*"]);
        trial.check.target = capability.into();
        let fault = trial.fault(&plugin).await;
        assert_eq!(
            fault,
            Fault::Denied(format!(
                "not asked for: modest used `{capability}` without asking for it; its author \
                 must add `{capability}` to what its description asks for"
            ))
        );
    }
}
