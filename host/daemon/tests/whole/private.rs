//! What is private is nowhere that the public can see, and a page with a password
//! shows nothing without it.

use reqwest::{Client, StatusCode};

use super::browser::Browser;
use super::rig::Rig;

const CONFIG: &str = r#"
[[maintenance]]
id = "night"
title = "Work at night"
services = ["backoffice"]
starts = 2100-01-01T00:00:00Z
lasts = "1h"

[[service]]
id = "shop"
label = "Shop"
[[service.monitor]]
id = "web"
label = "Web"
passive = "manual"
[[service.monitor]]
id = "vault"
label = "Vaultwatch"
passive = "manual"
private = true
sla = { target = 99.9 }

[[service]]
id = "backoffice"
label = "Backoffice"
private = true
sla = { target = 99.9 }
[[service.monitor]]
id = "ledger"
label = "Ledger"
passive = "manual"
"#;

/// Everything that somebody who is nobody can ask for.
const PUBLIC: [&str; 24] = [
    "/",
    "/status/text",
    "/status/report",
    "/history",
    "/history.json",
    "/incidents/1",
    "/incidents/1.json",
    "/incidents/2",
    "/metrics",
    "/sla",
    "/changes",
    "/calendar.ics",
    "/services/shop",
    "/feed.atom",
    "/feed.rss",
    "/feed.json",
    "/badge.json",
    "/badge/shop.json",
    "/badge/shop/web.svg",
    "/api/v2/summary.json",
    "/api/v2/components.json",
    "/api/v2/incidents.json",
    "/api/v2/scheduled-maintenances.json",
    "/embed",
];

/// What is there for who knows its name, and is not there for anybody.
const HIDDEN: [&str; 6] = [
    "/services/backoffice",
    "/badge/backoffice.svg",
    "/badge/backoffice.json",
    "/badge/shop/vault.svg",
    "/badge/shop/vault.json?metric=uptime",
    "/badge/backoffice/ledger.svg",
];

fn token(rig: &Rig) -> String {
    let made = rig.run(&["token", "create", "test", "--scope", "write"]);
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

async fn set(rig: &Rig, token: &str, monitor: &str, health: &str) {
    let url = format!("{}/api/v1/monitors/{monitor}/health", rig.page());
    let body = format!("{{\"health\":\"{health}\",\"comment\":\"the {monitor} leaks\"}}");
    let answer = Client::new()
        .put(url)
        .bearer_auth(token)
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{monitor}");
}

async fn ask(rig: &Rig, path: &str, header: Option<(&str, &str)>) -> (u16, String) {
    let mut request = Client::new().get(format!("{}{path}", rig.page()));
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The first events that who follows the page is sent.
async fn events(rig: &Rig) -> String {
    use futures::StreamExt as _;

    let answer = reqwest::get(format!("{}/events?since=1", rig.page()))
        .await
        .unwrap();
    let mut stream = answer.bytes_stream();
    let mut all = String::new();
    while let Ok(Some(Ok(chunk))) =
        tokio::time::timeout(std::time::Duration::from_millis(300), stream.next()).await
    {
        all.push_str(&String::from_utf8_lossy(&chunk));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_private_is_seen_by_nobody() {
    let mut rig = Rig::new(&format!("[page]\nsla = true\n{CONFIG}"));
    rig.start().await;
    let token = token(&rig);
    for monitor in ["shop/web", "shop/vault", "backoffice/ledger"] {
        set(&rig, &token, monitor, "healthy").await;
    }
    rig.until_health("Shop", "Web", "healthy").await;
    set(&rig, &token, "backoffice/ledger", "dead").await;
    set(&rig, &token, "shop/vault", "dead").await;
    let mut zoe = Browser::signed_in(&rig, "zoe", "viewer").await;
    let authorization = format!("Bearer {token}");
    let bearer = Some(("authorization", authorization.as_str()));
    rig.until("dead", async || {
        let (_, page) = ask(&rig, "/api/v1/incidents", bearer).await;
        page.matches("\"id\"").count() == 2
    })
    .await;

    for path in PUBLIC {
        let (_, page) = ask(&rig, path, None).await;
        let page = page.to_lowercase();
        for word in ["vault", "backoffice", "ledger", "leaks"] {
            assert!(!page.contains(word), "{path} has {word}: {page}");
        }
    }
    for path in HIDDEN {
        let (status, page) = ask(&rig, path, None).await;
        assert_eq!(status, 404, "{path}: {page}");
    }
    // What the public sees of the service never failed: its uptime is that of what it
    // sees.
    let (_, badge) = ask(&rig, "/badge/shop.json?metric=uptime&window=24h", None).await;
    // What was not summed up yet is no data.
    let is_well = badge.contains("100") || badge.contains("no data");
    assert!(is_well, "{badge}");
    let followed = events(&rig).await.to_lowercase();
    assert!(followed.contains("shop"), "{followed}");
    for word in ["vault", "backoffice", "ledger", "leaks"] {
        assert!(!followed.contains(word), "{word}: {followed}");
    }
    // All that the public sees is well.
    assert_eq!(rig.get("/status/text").await, "healthy");
    assert_eq!(ask(&rig, "/incidents/1", None).await.0, 404);

    // Who works with the host sees it, and so does a token.
    let (_, page) = zoe.get("/admin/monitors").await;
    for word in ["Vaultwatch", "Ledger", "private", "Dead"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    let (_, page) = zoe.get("/admin/incidents").await;
    assert!(page.contains("backoffice"), "{page}");
    let (status, metrics) = ask(&rig, "/metrics", bearer).await;
    assert!(
        status == 200 && metrics.contains("service=\"backoffice\""),
        "{metrics}"
    );
    assert_eq!(
        ask(&rig, "/metrics", Some(("authorization", "Bearer wk_0")))
            .await
            .0,
        401
    );
    let vault = "/api/v1/monitors/shop/vault/health";
    assert!(ask(&rig, vault, bearer).await.1.contains("dead"));
    assert_eq!(ask(&rig, vault, None).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_with_a_password_shows_nothing_without_it() {
    let page = "[page]\nsla = true\npassword = { env = \"HOOK_SECRET\" }\n";
    let mut rig = Rig::new(&format!("{page}{CONFIG}"));
    rig.start().await;
    let basic = |password: &str| {
        use base64::Engine as _;

        let pair = format!("reader:{password}");
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        format!("Basic {pair}")
    };
    let right = basic("correct-horse-battery");
    let token = format!("Bearer {}", token(&rig));
    for path in PUBLIC
        .into_iter()
        .filter(|path| !path.starts_with("/incidents"))
    {
        let (status, page) = ask(&rig, path, None).await;
        assert!(status == 401 && !page.contains("Shop"), "{path}: {page}");
        let wrong = basic("wrong");
        assert_eq!(
            ask(&rig, path, Some(("authorization", &wrong))).await.0,
            401,
            "{path}"
        );
        assert_eq!(
            ask(&rig, path, Some(("authorization", &right))).await.0,
            200,
            "{path}"
        );
        assert_eq!(
            ask(&rig, path, Some(("authorization", &token))).await.0,
            200,
            "{path}"
        );
    }
    let url = format!("{}/", rig.page());
    let answer = Client::new()
        .get(&url)
        .header("authorization", &right)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["cache-control"], "private, no-cache");
    let answer = Client::new().get(&url).send().await.unwrap();
    let asked = answer.headers()["www-authenticate"].to_str().unwrap();
    assert!(asked.starts_with("Basic "), "{asked}");
    // What is not of the page is open as before.
    assert_eq!(ask(&rig, "/healthz", None).await.0, 200);
}
