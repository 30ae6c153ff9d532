//! How people are told, by the whole program: gathered, again and again, in the
//! channel's own words, silenced, tried out, and told that nobody tells any more.

use std::time::Duration;

use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use target_server::{Answer, Fault, HttpTarget, Receiver};

use super::rig::{PATIENCE, Rig, guest, said};

const ANY: &str = "127.0.0.1:0";
const TOKEN: &str = "battery:staple";

async fn receiver() -> Receiver {
    Receiver::start(ANY.parse().unwrap()).await.unwrap()
}

fn channel(receiver: &Receiver, more: &str) -> String {
    format!(
        "[[channel]]\nid = \"hook\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n{more}\n",
        receiver.url("/hook")
    )
}

async fn notices(receiver: &Receiver, count: usize) -> Vec<Value> {
    let arriving = async {
        while receiver.received().len() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, arriving)
        .await
        .expect("notices arrive");
    let received = receiver.received();
    received.iter().map(|it| it.json().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_come_in_the_channels_words_and_survive_a_kill() {
    let target = HttpTarget::start(ANY.parse().unwrap()).await.unwrap();
    let receiver = receiver().await;
    let words = "title = \"{{ occasion }} {{ reminder }}: {{ affected[0].monitor }}, {{ health }}\"\nbody = \"{{ services | join }}\"";
    let mut rig = Rig::new(&format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\nmonitor = [{{ id = \"web\", label = \"Web\", targets = [\"{}\"], every = \"1s\", retry = {{ times = 0 }} }}]\n\
         {}[[route]]\nto = [\"hook\"]\nreminders = {{ every = \"2s\", backoff = \"none\" }}\ngroup_wait = \"0s\"\n",
        target.url("/"),
        channel(&receiver, words),
    ));
    rig.start().await;
    rig.until_health("Shop", "Web", "healthy").await;
    target.set(Fault::Refuse).await.unwrap();
    let told = notices(&receiver, 2).await;
    rig.kill();
    rig.start().await;
    let known = told.len();
    let told_after = notices(&receiver, known + 1).await;
    target.set(Fault::Ok).await.unwrap();
    rig.until_health("Shop", "Web", "healthy").await;
    let end = async {
        loop {
            let all = notices(&receiver, known + 2).await;
            if let Some(end) = all.iter().find(|it| it["health"] == "healthy") {
                return end.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let end = tokio::time::timeout(PATIENCE, end).await.unwrap();
    assert_eq!(told[0]["title"], "changed 0: Web, dead", "{told:?}");
    assert_eq!(told[0]["body"], "Shop");
    assert_eq!(end["title"], "changed 0: Web, healthy");
    // Whatever the kill did, reminders are numbered on, and a notice that came twice
    // has the same id.
    let mut numbers: Vec<(u64, String)> = told_after
        .iter()
        .map(|it| {
            let number = it["title"].as_str().unwrap();
            let number = number.split([' ', ':']).nth(1).unwrap().parse().unwrap();
            (number, it["id"].to_string())
        })
        .collect();
    numbers.dedup();
    let numbers: Vec<u64> = numbers.into_iter().map(|(number, _)| number).collect();
    let counted: Vec<u64> = (0..).take(numbers.len()).collect();
    assert_eq!(numbers, counted);
}

async fn ask(rig: &Rig, method: Method, body: Option<&str>) -> Response {
    let address = format!("{}/manager/prober/alerts/ignored", rig.page());
    let mut request = Client::new()
        .request(method, address)
        .basic_auth("", Some(TOKEN));
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_owned());
    }
    request.send().await.unwrap()
}

async fn left(rig: &Rig) -> Value {
    let answer = ask(rig, Method::GET, None).await;
    assert_eq!(answer.status(), 200);
    answer.json::<Value>().await.unwrap()["reminders_seconds"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn reminders_are_silenced_as_with_vigil() {
    let mut rig = Rig::new("[compat.vigil]\nmanager_token = { env = \"REPORTER_TOKEN\" }\n");
    rig.start().await;
    assert_eq!(left(&rig).await, Value::Null);
    let put = ask(
        &rig,
        Method::PUT,
        Some("{\"reminders_seconds\": 600, \"more\": 1}"),
    )
    .await;
    assert_eq!(
        (put.status().as_u16(), put.content_length()),
        (200, Some(0))
    );
    let seconds = left(&rig).await.as_u64().unwrap();
    assert!((500..=600).contains(&seconds), "{seconds}");
    rig.kill();
    rig.start().await;
    assert!(left(&rig).await.is_u64(), "a kill forgets nothing");
    for clearing in [
        ask(&rig, Method::PUT, Some("{\"reminders_seconds\": null}")).await,
        ask(&rig, Method::POST, Some("{\"reminders_seconds\": 60}")).await,
        ask(&rig, Method::DELETE, None).await,
        ask(&rig, Method::PUT, Some("{}")).await,
    ] {
        assert_eq!(clearing.status(), 200);
    }
    assert_eq!(left(&rig).await, Value::Null);
    for wrong in [
        "{\"reminders_seconds\": 65536}",
        "{\"reminders_seconds\": -1}",
        "{\"reminders_seconds\": \"60\"}",
        "nonsense",
    ] {
        let answer = ask(&rig, Method::PUT, Some(wrong)).await;
        assert_eq!(answer.status(), 400, "{wrong}");
        let text = answer.text().await.unwrap();
        assert!(text.starts_with("Json deserialize error: "), "{text}");
    }
    assert_eq!(ask(&rig, Method::PATCH, None).await.status(), 404);
    let address = format!("{}/manager/prober/alerts/ignored", rig.page());
    let nobody = Client::new().get(&address).send().await.unwrap();
    assert_eq!(nobody.status(), 401);
    assert_eq!(
        nobody.headers()["www-authenticate"],
        "Basic realm=\"Reporter Token\""
    );
    let wrong = Client::new().get(&address).basic_auth("", Some("guess"));
    assert_eq!(wrong.send().await.unwrap().status(), 403);
    rig.stop().await;
    rig.configure("");
    rig.start().await;
    assert_eq!(ask(&rig, Method::GET, None).await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_well_is_named_as_with_vigil() {
    let target = HttpTarget::start(ANY.parse().unwrap()).await.unwrap();
    target.set(Fault::Status(503)).await.unwrap();
    let mut rig = Rig::new(&format!(
        "[compat.vigil]\nmanager_token = {{ env = \"REPORTER_TOKEN\" }}\n\
         [[service]]\nid = \"shop\"\nlabel = \"Shop\"\nmonitor = [{{ id = \"web\", label = \"Web\", targets = [\"{}?key=secret\", \"{}\"], every = \"1s\", retry = {{ times = 0 }} }}]\n",
        target.url("/"),
        target.url("/ok"),
    ));
    rig.start().await;
    let alerts = async |password: &str| {
        let address = format!("{}/manager/prober/alerts", rig.page());
        let request = Client::new().get(address).basic_auth("", Some(password));
        request.send().await.unwrap()
    };
    let one = json!([{ "probe": "shop", "node": "web", "replica": target.url("/") }]);
    rig.until("named", async || {
        let answer = alerts(TOKEN).await;
        assert_eq!(answer.status(), 200);
        let told: Value = answer.json().await.unwrap();
        told["dead"] == one || told["sick"] == one
    })
    .await;
    target.set(Fault::Ok).await.unwrap();
    rig.until("nothing left", async || {
        let told: Value = alerts(TOKEN).await.json().await.unwrap();
        told == json!({ "dead": [], "sick": [] })
    })
    .await;
    assert_eq!(alerts("guess").await.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_keeps_breaking_down_is_told_of() {
    let receiver = receiver().await;
    let monitor = |deed: &str| {
        format!(
            "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\nmonitor = [{{ id = \"web\", label = \"Web\", probe = \"hostile\", targets = [\"hostile://x\"], every = \"1s\", config = {{ do = \"{deed}\", with = \"on purpose\" }} }}]\n\
             {}[[route]]\nto = [\"hook\"]\non = [\"dead\", \"recovered\", \"unknown\"]\n",
            channel(&receiver, ""),
        )
    };
    let mut rig = Rig::new(&monitor("panic"));
    std::fs::write(rig.plugins().join("hostile.wasm"), guest("hostile")).unwrap();
    rig.start().await;
    let of_plugin = async |beginning: &str| {
        rig.until(beginning, async || {
            let told = receiver.received();
            told.iter().any(|notice| {
                let notice = notice.json().unwrap();
                notice["title"].as_str().unwrap().starts_with(beginning)
            })
        })
        .await;
    };
    of_plugin("The plugin `hostile` keeps breaking down at shop/web, 5 times in a row: ").await;
    // It goes on breaking down and is told of once: the next news is its end.
    rig.configure(&monitor("nothing"));
    of_plugin("The plugin `hostile` works again after ").await;
    let told = receiver.received();
    let begun = told.iter().filter(|notice| {
        let notice = notice.json().unwrap();
        let title = notice["title"].as_str().unwrap();
        title.contains("keeps breaking down")
    });
    assert_eq!(begun.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_called_while_the_host_works() {
    let receiver = receiver().await;
    let mut rig = Rig::new(&format!(
        "[self]\ndead_man = {{ url = \"{}\", every = \"5s\" }}\n",
        receiver.url("/ping/secret-path")
    ));
    rig.start().await;
    rig.until_metric("watchkeeper_dead_man_calls_total{outcome=\"called\"} 2")
        .await;
    assert!(receiver.received().len() >= 2);
    receiver.otherwise(Answer::status(500));
    rig.until_metric("watchkeeper_dead_man_calls_total{outcome=\"failed\"} 1")
        .await;
    rig.until_log("nobody could be told that the host works", "problem", "500")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_tried_out_by_hand() {
    let receiver = receiver().await;
    let rig = Rig::new(&channel(
        &receiver,
        "title = \"[{{ occasion }}] {{ title }}\"",
    ));
    let test = |arguments: &[&str]| {
        let output = rig.run(arguments);
        (output.status.code(), said(&output))
    };
    let (code, words) = test(&["channel", "test", "hook"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("delivered"), "{words}");
    let told = receiver.received()[0].json().unwrap();
    assert_eq!(told["title"], "[trial] This is a trial");

    receiver.otherwise(Answer::status(503));
    let (code, words) = test(&["channel", "test", "hook"]);
    assert_eq!(code, Some(1), "{words}");
    assert!(words.contains("503"), "{words}");
    receiver.otherwise(Answer::status(404));
    let (code, words) = test(&["channel", "test", "hook"]);
    assert_eq!(code, Some(2), "{words}");
    assert!(words.contains("404"), "{words}");

    let (code, words) = test(&["channel", "test", "hoock"]);
    assert_eq!(code, Some(64), "{words}");
    assert!(words.contains("there are: hook"), "{words}");
    let (code, words) = test(&["channel", "preview", "hook", "--occasion", "reminder"]);
    assert_eq!(code, Some(0), "{words}");
    assert!(
        words.contains("[reminder] Website: Front page is still dead"),
        "{words}"
    );
    let (code, words) = test(&["channel", "preview", "hook", "--occasion", "party"]);
    assert_eq!(code, Some(64), "{words}");
    assert!(words.contains("outage, reminder, recovered"), "{words}");
    let output = rig.run(&[
        "--json",
        "channel",
        "preview",
        "hook",
        "--occasion",
        "trial",
    ]);
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        shown,
        json!({
            "title": "[trial] This is a trial",
            "body": "If you can read this, Watchkeeper can reach you here.",
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_fails_is_told_of_through_another() {
    let (bad, good) = (receiver().await, receiver().await);
    bad.otherwise(Answer::status(404));
    let target = HttpTarget::start(ANY.parse().unwrap()).await.unwrap();
    let other = channel(&good, "").replace("\"hook\"", "\"good\"");
    let mut rig = Rig::new(&format!(
        "[[service]]\nid = \"shop\"\nlabel = \"Shop\"\nmonitor = [{{ id = \"web\", targets = [\"{}\"], every = \"1s\", retry = {{ times = 0 }} }}]\n\
         {}{other}[[route]]\nto = [\"hook\"]\n[[route]]\nto = [\"good\"]\non = [\"unknown\"]\n",
        target.url("/"),
        channel(&bad, ""),
    ));
    rig.start().await;
    rig.until_health("Shop", "web", "healthy").await;
    target.set(Fault::Refuse).await.unwrap();
    let told = notices(&good, 1).await;
    let title = told[0]["title"].as_str().unwrap();
    assert!(
        title.starts_with("The channel `hook` keeps failing: "),
        "{title}"
    );
    bad.otherwise(Answer::ok());
    target.set(Fault::Ok).await.unwrap();
    let told = notices(&good, 2).await;
    let title = told[1]["title"].as_str().unwrap();
    assert!(
        title.starts_with("The channel `hook` delivers again"),
        "{title}"
    );
}
