//! Jobs that call.

use reqwest::{Client, Method};
use target_server::Receiver;

use super::rig::Rig;

const TOKEN: &str = "0123456789abcdef-backup";

fn config(more: &str) -> String {
    format!(
        r#"
[[service]]
id = "jobs"
label = "Jobs"

[[service.monitor]]
id = "backup"
label = "Backup"
passive = "heartbeat"
token = "{TOKEN}"
{more}
"#
    )
}

async fn call(rig: &Rig, method: Method, path: &str, body: &str) -> (u16, String) {
    let answer = Client::new()
        .request(method, format!("{}/heartbeat/{path}", rig.page()))
        .body(body.to_owned())
        .send()
        .await
        .unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_call_with_what_they_have() {
    let mut rig = Rig::new(&config(
        "period = \"1d\"\ngrace = \"1h\"\ndead_above = \"5m\"",
    ));
    rig.start().await;
    assert_eq!(
        rig.health("Jobs", "Backup").await,
        "sick",
        "it never called"
    );
    let said = |code, text: &str| (code, text.to_owned());
    for (method, body) in [
        (Method::GET, "OK"),
        (Method::HEAD, ""),
        (Method::POST, "OK"),
        (Method::PUT, "OK"),
    ] {
        assert_eq!(call(&rig, method, TOKEN, "").await, said(200, body));
    }
    rig.until_health("Jobs", "Backup", "healthy").await;
    rig.until_target("heartbeat", "last call").await;

    let path = |rest: &str| format!("{TOKEN}{rest}");
    assert_eq!(
        call(&rig, Method::POST, &path("/fail"), "one\ndisk is full\n")
            .await
            .0,
        200
    );
    rig.until_target("heartbeat", "failed: disk is full").await;
    assert_eq!(
        call(&rig, Method::GET, &path("/start?rid=7"), "").await.0,
        200
    );
    assert_eq!(
        call(&rig, Method::POST, &path("/3/?rid=7"), &"x".repeat(3 << 20))
            .await
            .0,
        200
    );
    rig.until_target("heartbeat", "exit status 3: xxx").await;
    assert_eq!(
        call(&rig, Method::POST, &path("/log"), "a line").await.0,
        200
    );
    assert_eq!(rig.health("Jobs", "Backup").await, "dead");
    assert_eq!(call(&rig, Method::GET, &path("/0"), "").await.0, 200);
    rig.until_health("Jobs", "Backup", "healthy").await;

    for (method, path, code) in [
        (Method::GET, "0123456789abcdef-backuq".to_owned(), 404),
        (Method::GET, path("/256"), 400),
        (Method::GET, path("/finish"), 400),
        (Method::GET, path("?rid=a%20b"), 400),
        (Method::DELETE, path(""), 405),
        (Method::GET, path("/start/more"), 404),
    ] {
        assert_eq!(
            call(&rig, method.clone(), &path, "").await.0,
            code,
            "{method} {path}"
        );
    }
    // Whoever looks sees no token.
    for page in ["/", "/metrics", "/status/report"] {
        assert!(!rig.get(page).await.contains("0123456789abcdef"), "{page}");
    }
    // A job that calls in a loop is told to slow down, and counts all the same.
    let mut slowed = false;
    for _ in 0..200 {
        slowed |= call(&rig, Method::GET, TOKEN, "").await.0 == 429;
    }
    assert!(slowed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_does_not_call_is_missed_and_a_restart_is_not_held_against_it() {
    let receiver = Receiver::start("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let more = format!(
        "period = \"2s\"\ngrace = \"1s\"\n[[channel]]\nid = \"hook\"\nnotifier = \"webhook\"\nconfig = {{ url = \"{}\" }}\n[[route]]\nto = [\"hook\"]\n",
        receiver.url("/hook")
    );
    let mut rig = Rig::new(&config(&more));
    rig.start().await;
    assert_eq!(call(&rig, Method::GET, TOKEN, "").await.0, 200);
    rig.until_health("Jobs", "Backup", "dead").await;
    rig.until("told", async || receiver.received().len() == 1)
        .await;
    let notice = receiver.received()[0].json().unwrap();
    assert_eq!(
        notice["title"],
        "Jobs: Backup is dead: no call, expected every 2 s with 1 s of grace"
    );
    rig.kill();
    rig.start().await;
    assert_eq!(rig.health("Jobs", "Backup").await, "dead");

    // With a longer period, down when the call was due: not missed.
    rig.configure(&config(&more.replace("\"2s\"", "\"3s\"")));
    rig.signal("HUP");
    assert_eq!(call(&rig, Method::GET, TOKEN, "").await.0, 200);
    rig.until_health("Jobs", "Backup", "healthy").await;
    rig.kill();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    rig.start().await;
    assert_eq!(rig.health("Jobs", "Backup").await, "healthy");
    // And missed when it stays away.
    rig.until_health("Jobs", "Backup", "dead").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cron_expressions_are_checked() {
    let rig = Rig::new(&config(
        "cron = \"0 25 * * *\"\ntime_zone = \"Europe/Stockholm\"",
    ));
    let output = rig.run(&["config", "check"]);
    let said = super::rig::said(&output);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(
        said.contains("found 25") && said.contains("watchkeeper.toml:14:"),
        "{said}"
    );
    assert!(!said.contains(TOKEN), "{said}");
}
