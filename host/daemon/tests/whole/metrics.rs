//! The metrics, read by Prometheus's own checker.

use std::io::Write as _;
use std::process::{Command, Stdio};

use target_server::HttpTarget;

use super::rig::Rig;

#[tokio::test(flavor = "multi_thread")]
async fn promtool_has_nothing_to_say() {
    if Command::new("promtool").arg("--version").output().is_err() {
        assert!(std::env::var_os("CI").is_none(), "promtool is missing");
        println!("SKIPPED: metrics are not checked: promtool (Debian's prometheus) is missing");
        return;
    }
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = Rig::new(&format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"web\"\nlabel = \"Web\"\ntargets = [\"{}\"]\nevery = \"1s\"\n",
        target.url("/ok?token=s3cret")
    ));
    std::fs::write(rig.plugins().join("bad.wasm"), b"x").unwrap();
    rig.start().await;
    rig.until_health("Shop", "Web", "healthy").await;
    let metrics = rig.get("/metrics").await;
    assert!(!metrics.contains("s3cret"), "{metrics}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(metrics.as_bytes())
        .unwrap();
    let said = promtool.wait_with_output().unwrap();
    let words = super::rig::said(&said);
    assert!(
        said.status.success() && words.is_empty(),
        "{words}\n{metrics}"
    );
}
