//! Changing the configuration of a running host.

use target_server::HttpTarget;

use super::rig::Rig;

fn monitor(id: &str, target: &str) -> String {
    format!(
        "[[service.monitor]]\nid = \"{id}\"\nlabel = \"{id}\"\ntargets = [\"{target}\"]\nevery = \"1s\"\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_file_is_taken_over_and_a_bad_one_is_not() {
    let target = HttpTarget::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let service = "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n";
    let one = format!("{service}{}", monitor("one", &target.url("/ok")));
    let two = format!("{one}{}", monitor("two", &target.url("/status/500")));
    let mut rig = Rig::new(&one);
    rig.start().await;
    rig.until_health("Shop", "one", "healthy").await;

    rig.configure(&two);
    rig.until_health("Shop", "two", "dead").await;
    assert_eq!(rig.health("Shop", "one").await, "healthy");

    rig.configure(&format!("{two}evry = \"1s\"\n"));
    rig.until_metric("watchkeeper_config_rejected 1").await;
    assert_eq!(rig.health("Shop", "two").await, "dead");

    // SIGHUP reads at once what the watching would find a moment later.
    rig.configure(&one);
    rig.signal("HUP");
    rig.until("gone", async || rig.health("Shop", "two").await.is_empty())
        .await;
    rig.until_metric("watchkeeper_config_rejected 0").await;
    assert_eq!(rig.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_beside_the_configuration_is_watched_as_well() {
    let rig_text = "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\n[[service.monitor]]\nid = \"queue\"\n\
                    label = \"queue\"\nprobe = \"script\"\ntargets = [\"script:queue\"]\nevery = \"1s\"\n\
                    config = { script = { file = \"queue.sh\", secret = false } }\n";
    let mut rig = Rig::new(rig_text);
    let script = rig.folder().join("queue.sh");
    std::fs::write(&script, "exit 0\n").unwrap();
    rig.start().await;
    rig.until_health("Shop", "queue", "healthy").await;

    std::fs::write(&script, "echo 'too deep'; exit 1\n").unwrap();
    rig.until_health("Shop", "queue", "sick").await;

    // What is no script is not taken over.
    std::fs::write(&script, "if true; then\n").unwrap();
    rig.until_metric("watchkeeper_config_rejected 1").await;
    assert_eq!(rig.health("Shop", "queue").await, "sick");
    std::fs::write(&script, "exit 3\n").unwrap();
    rig.until_health("Shop", "queue", "dead").await;
    assert_eq!(rig.stop().await, Some(0));
}
