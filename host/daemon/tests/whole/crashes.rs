//! `kill -9` again and again between a change and the mark that it was told: no
//! notice is lost, and none comes twice but for a kill.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use target_server::{Answer, Fault, HttpTarget, Receiver};

use super::rig::{Rig, said};

/// How many kills where nothing is said.
const KILLS: u32 = 4;

/// Says how many kills: `WATCHKEEPER_KILLS=200`.
const HOW_MANY: &str = "WATCHKEEPER_KILLS";

/// How long the receiver takes for an answer, so that many kills fall between a
/// delivery and its mark.
const RECEIVING: Duration = Duration::from_millis(150);

/// The longest wait before a kill: a check is due within a second, and what it
/// found is told soon after.
const LONGEST_WAIT: u64 = 1_800;

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_a_notice_and_each_repeats_at_most_one() {
    let kills = std::env::var(HOW_MANY).map_or(KILLS, |text| text.parse().expect("a number"));
    let any = "127.0.0.1:0".parse().unwrap();
    let target = HttpTarget::start(any).await.unwrap();
    let receiver = Receiver::start(any).await.unwrap();
    receiver.otherwise(Answer::ok().after(RECEIVING));
    let mut rig = Rig::new(&format!(
        r#"
[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "web"
label = "Web"
targets = ["{}"]
every = "1s"
timeout = "2s"
retry = {{ times = 0 }}
flap = false
stale_after = "1h"

[[channel]]
id = "hook"
notifier = "webhook"
config = {{ url = "{}" }}
[[route]]
to = ["hook"]
group_wait = "0s"
"#,
        target.url("/"),
        receiver.url("/hook")
    ));
    let output = rig.run(&["token", "create", "ops", "--scope", "read"]);
    let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    rig.start().await;
    rig.until_health("Shop", "Web", "healthy").await;
    let seed = fastrand::u64(..);
    let mut dice = fastrand::Rng::with_seed(seed);
    println!("seed {seed}, {kills} kills");

    for kill in 0..kills {
        let (fault, health) = if kill % 2 == 0 {
            (Fault::Refuse, "dead")
        } else {
            (Fault::Ok, "healthy")
        };
        target.set(fault).await.unwrap();
        // The only wait that matters here is one of a random length.
        tokio::time::sleep(Duration::from_millis(dice.u64(0..LONGEST_WAIT))).await;
        rig.kill();
        rig.start().await;
        rig.until_health("Shop", "Web", health).await;
    }
    if kills % 2 == 1 {
        target.set(Fault::Ok).await.unwrap();
        rig.until_health("Shop", "Web", "healthy").await;
    }
    rig.until_metric("watchkeeper_deliveries_pending 0").await;
    let server = rig.page().to_owned();
    let asked = [
        "--json",
        "deliveries",
        "--server",
        &server,
        "--token",
        &token,
    ];
    let output = rig.run(&asked);
    let deliveries: Vec<Value> =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    let changes = usize::try_from(kills + kills % 2).unwrap();
    assert_eq!(
        deliveries.len(),
        changes,
        "one notice for each change: {deliveries:?}"
    );

    // What came, in the order in which it came.
    let received = receiver.received();
    let mut first_seen = Vec::new();
    let mut times: HashMap<String, usize> = HashMap::new();
    for request in &received {
        let notice = request.json().unwrap();
        let id = notice["id"].as_str().unwrap().to_owned();
        let seen = times.entry(id.clone()).or_default();
        *seen += 1;
        if *seen == 1 {
            first_seen.push((id, notice["health"].as_str().unwrap().to_owned()));
        }
    }
    for delivery in &deliveries {
        let notice = delivery["notice"].as_str().unwrap();
        assert_eq!(delivery["state"], "delivered", "{delivery}");
        assert!(times.contains_key(notice), "lost: {delivery}");
    }
    assert_eq!(times.len(), changes, "nothing comes that was not written");
    for (index, (id, health)) in first_seen.iter().enumerate() {
        let expected = ["dead", "healthy"][index % 2];
        assert_eq!(health, expected, "notice {id} is out of order");
    }
    let repeated = received.len() - times.len();
    println!("{} notices, {repeated} of them again", times.len());
    assert!(
        repeated <= usize::try_from(kills).unwrap(),
        "{repeated} repeated"
    );
}
