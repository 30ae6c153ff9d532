//! The plugins folder of a running host.

use target_server::HttpTarget;

use super::rig::{Rig, built};

fn rig(target: &HttpTarget) -> Rig {
    Rig::new(&format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"web\"\nlabel = \"Web\"\ntargets = [\"{}\"]\nevery = \"1s\"\n",
        target.url("/ok")
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_plugin_is_named_and_the_rest_goes_on() {
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = rig(&target);
    std::fs::write(rig.plugins().join("garbage.wasm"), b"not wasm at all").unwrap();
    std::fs::write(rig.plugins().join("module.wasm"), b"\0asm\x01\0\0\0").unwrap();
    rig.start().await;
    rig.until_health("Shop", "Web", "healthy").await;
    rig.until_metric("watchkeeper_plugin_rejected{file=\"garbage.wasm\"")
        .await;
    rig.until_metric("watchkeeper_plugin_rejected{file=\"module.wasm\"")
        .await;
    std::fs::remove_file(rig.plugins().join("garbage.wasm")).unwrap();
    rig.until("forgotten", async || {
        !rig.get("/metrics").await.contains("garbage.wasm")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_takes_the_place_of_the_bundled_plugin_and_a_bad_one_of_nothing() {
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = rig(&target);
    rig.start().await;
    rig.until_health("Shop", "Web", "healthy").await;
    let file = rig.plugins().join("http.wasm");
    std::fs::copy(built("http"), &file).unwrap();
    rig.until("swapped", async || {
        let listed = rig.run(&["--json", "plugin", "list"]);
        String::from_utf8_lossy(&listed.stdout).contains("http.wasm")
    })
    .await;
    // A bad version of it: the good one stays in use.
    std::fs::write(&file, b"half a fi").unwrap();
    rig.until_metric("watchkeeper_plugin_rejected{file=\"http.wasm\"")
        .await;
    let hits = target.hits();
    rig.until("still checked", async || target.hits() > hits + 1)
        .await;
    assert_eq!(rig.health("Shop", "Web").await, "healthy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_without_its_plugin_is_unknown_until_the_file_is_dropped() {
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let mut rig = Rig::new(&format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"queue\"\nlabel = \"Queue\"\nprobe = \"queue-depth\"\ntargets = [\"{}\"]\nevery = \"1s\"\nconfig = {{ sick_above = 1000 }}\n",
        target.url("/json")
    ));
    rig.start().await;
    let page = rig.get("/").await;
    assert!(page.contains("no plugin is called `queue-depth`"), "{page}");
    std::fs::copy(example(), rig.plugins().join("hello_probe.wasm")).unwrap();
    rig.until_health("Shop", "Queue", "healthy").await;
    target.set_depth(5_000);
    rig.until_health("Shop", "Queue", "sick").await;
    std::fs::remove_file(rig.plugins().join("hello_probe.wasm")).unwrap();
    rig.until("unknown", async || {
        rig.get("/")
            .await
            .contains("no plugin is called `queue-depth`")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn checks_of_a_first_start_do_not_wait_for_what_nothing_uses() {
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let monitors = format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"web\"\nlabel = \"Web\"\ntargets = [\"{}\"]\nevery = \"1s\"\n",
        target.url("/ok")
    );
    // A table for a plugin that is still to be compiled is no mistake.
    let mut rig = Rig::cold(&format!(
        "[plugins.zulip]\nlimits = {{ memory = \"24MiB\" }}\n{monitors}"
    ));
    rig.start().await;
    let ready = rig.get("/readyz").await;
    assert!(ready.starts_with("ready\n"), "{ready}");
    assert!(
        ready.contains("that nothing uses are being loaded"),
        "{ready}"
    );
    let metrics = rig.get("/metrics").await;
    assert!(
        !metrics.contains("watchkeeper_plugins_loading 0"),
        "{metrics}"
    );
    rig.until_health("Shop", "Web", "healthy").await;
    assert!(!rig.log().iter().any(|entry| {
        let message = entry["fields"]["message"].as_str().unwrap_or_default();
        message.contains("has no effect")
    }));
    rig.kill();
    // What was compiled before is there at once; the rest of it follows by itself.
    let mut rig = Rig::new(&monitors);
    rig.start().await;
    rig.until_metric("watchkeeper_plugins_loading 0").await;
    rig.until_metric("watchkeeper_plugin_loaded{plugin=\"zulip\"")
        .await;
    assert_eq!(rig.get("/readyz").await, "ready\n");
}

/// The example probe of the README, as `cargo xtask test` built it.
fn example() -> std::path::PathBuf {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("target/examples/wasm32-wasip2/debug/hello_probe.wasm");
    assert!(
        file.exists(),
        "{} is missing: run `cargo xtask test`",
        file.display()
    );
    file
}
