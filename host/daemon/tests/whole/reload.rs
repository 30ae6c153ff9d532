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
