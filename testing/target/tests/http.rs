//! The HTTP target, its switch and the receiver, as a client sees them.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, Response, StatusCode, redirect};
use target_server::{Answer, ControlPage, Fault, HttpTarget, Receiver};

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn client() -> Client {
    Client::builder()
        .redirect(redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .build()
        .expect("a client")
}

async fn get(target: &HttpTarget, path: &str) -> reqwest::Result<Response> {
    client()
        .get(target.url(path))
        .timeout(Duration::from_secs(5))
        .send()
        .await
}

async fn check(target: &HttpTarget, path: &str, status: u16, body: &str) {
    let response = get(target, path).await.expect(path);
    assert_eq!(response.status().as_u16(), status, "{path}");
    assert_eq!(response.text().await.expect(path), body, "{path}");
}

#[tokio::test]
async fn each_path_has_its_peculiarity() {
    let target = HttpTarget::start(ANY).await.unwrap();
    target.set_depth(17);
    check(&target, "/", 200, "ok").await;
    check(&target, "/ok", 200, "ok").await;
    check(
        &target,
        "/json",
        200,
        r#"{"status":"up","queue":{"depth":17}}"#,
    )
    .await;
    check(&target, "/status/503", 503, "Service Unavailable").await;
    check(&target, "/status/204", 204, "").await;
    check(&target, "/status/99", 500, "Internal Server Error").await;
    check(&target, "/slow/5", 200, "ok").await;
    check(&target, "/body/40000", 200, &"x".repeat(40_000)).await;
    check(&target, "/drip?bytes=5&ms=1", 200, "xxxxx").await;
    check(
        &target,
        "/redirect",
        400,
        "say where to: /redirect?to=URL\n",
    )
    .await;
    check(&target, "/nowhere", 404, "no such path\n").await;
    check(&target, "/basic", 401, "who are you?\n").await;
    check(&target, "/bearer", 401, "who are you?\n").await;
    assert_eq!(target.hits(), 13);
}

#[tokio::test]
async fn redirects_and_credentials() {
    let target = HttpTarget::start(ANY).await.unwrap();
    let response = get(&target, "/redirect?to=http%3A%2F%2Fa.test%2F&status=307")
        .await
        .unwrap();
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(response.headers()["location"], "http://a.test/");
    let response = get(&target, "/redirect-loop").await.unwrap();
    assert_eq!(response.headers()["location"], "/redirect-loop");

    let basic = client()
        .get(target.url("/basic"))
        .basic_auth("user", Some("pass"));
    assert_eq!(basic.send().await.unwrap().status(), StatusCode::OK);
    let bearer = client().get(target.url("/bearer")).bearer_auth("token");
    assert_eq!(bearer.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn tells_what_it_was_asked() {
    let target = HttpTarget::start(ANY).await.unwrap();
    let request = client()
        .put(target.url("/headers?a=b"))
        .header("x-test", "1");
    let told: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(told["method"], "PUT");
    assert_eq!(told["path"], "/headers");
    assert_eq!(told["query"], "a=b");
    assert_eq!(told["headers"]["x-test"], "1");

    let request = client()
        .post(target.url("/echo"))
        .body("abc")
        .header("content-type", "a/b");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "a/b");
    assert_eq!(response.text().await.unwrap(), "abc");
    let request = client()
        .post(target.url("/echo"))
        .body(vec![0; (1 << 20) + 1]);
    assert_eq!(
        request.send().await.unwrap().status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn breaks_off_resets_and_hangs() {
    let target = HttpTarget::start(ANY).await.unwrap();
    let response = get(&target, "/broken").await.unwrap();
    assert_eq!(response.content_length(), Some(100));
    assert!(response.bytes().await.is_err());

    let error = get(&target, "/reset").await.unwrap_err();
    assert!(chain(&error).contains("reset"), "{}", chain(&error));
    let hanging = client()
        .get(target.url("/hang"))
        .timeout(Duration::from_millis(100));
    assert!(hanging.send().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn the_switch_changes_the_root_and_only_the_root() {
    let target = HttpTarget::start(ANY).await.unwrap();
    target.set(Fault::Status(503)).await.unwrap();
    check(&target, "/", 503, "Service Unavailable").await;
    check(&target, "/ok", 200, "ok").await;
    target.set(Fault::WrongBody).await.unwrap();
    check(&target, "/", 200, "closed for renovation\n").await;
    target
        .set(Fault::Slow(Duration::from_millis(5)))
        .await
        .unwrap();
    check(&target, "/", 200, "ok").await;
    target.set(Fault::Reset).await.unwrap();
    assert!(chain(&get(&target, "/").await.unwrap_err()).contains("reset"));
    target.set(Fault::Refuse).await.unwrap();
    for path in ["/", "/ok"] {
        let error = get(&target, path).await.unwrap_err();
        assert!(chain(&error).contains("refused"), "{}", chain(&error));
    }
    target.set(Fault::Ok).await.unwrap();
    check(&target, "/", 200, "ok").await;
}

#[tokio::test]
async fn refusing_ends_the_connections_that_are_open() {
    let target = HttpTarget::start(ANY).await.unwrap();
    let waiting = {
        let target = target.clone();
        tokio::spawn(async move { get(&target, "/hang").await })
    };
    while target.hits() == 0 {
        tokio::task::yield_now().await;
    }
    target.set(Fault::Refuse).await.unwrap();
    assert!(!waiting.await.unwrap().unwrap_err().is_timeout());
}

#[tokio::test]
async fn the_page_switches_even_what_refuses() {
    let target = HttpTarget::start(ANY).await.unwrap();
    let control = ControlPage::start(ANY, target.clone()).await.unwrap();
    let url = |path: &str| format!("http://{}{path}", control.address());
    for (position, fault) in [
        ("slow", Fault::Slow(Duration::from_secs(3))),
        ("error", Fault::Status(500)),
        ("wrong-body", Fault::WrongBody),
        ("hang", Fault::Hang),
        ("reset", Fault::Reset),
        ("refuse", Fault::Refuse),
        ("healthy", Fault::Ok),
    ] {
        let response = client()
            .post(url(&format!("/control/{position}")))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(target.fault(), fault);
        let page = client()
            .get(url("/control"))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let pressed = format!("action=\"/control/{position}\"><button aria-pressed=\"true\">");
        assert!(page.contains(&pressed), "{page}");
    }
    check(&target, "/", 200, "ok").await;

    let unknown = client().post(url("/control/x")).send().await.unwrap();
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    let foreign = client()
        .post(url("/control/refuse"))
        .header("sec-fetch-site", "cross-site");
    assert_eq!(
        foreign.send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(target.fault(), Fault::Ok);
}

#[tokio::test]
async fn the_receiver_answers_in_sequence_and_records_in_order() {
    let mut receiver = Receiver::start(ANY).await.unwrap();
    receiver.then([
        Answer::status(429).header("retry-after", "7"),
        Answer::status(500)
            .body("no")
            .after(Duration::from_millis(5)),
        Answer::reset(),
    ]);
    let post = async |body: &'static str| {
        client()
            .post(receiver.url("/hook?x=1"))
            .header("x-sign", "s")
            .body(body)
            .send()
            .await
    };
    let first = post("1").await.unwrap();
    assert_eq!(first.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(first.headers()["retry-after"], "7");
    assert_eq!(post("2").await.unwrap().text().await.unwrap(), "no");
    assert!(chain(&post("3").await.unwrap_err()).contains("reset"));
    assert_eq!(post(r#"{"n":4}"#).await.unwrap().status(), StatusCode::OK);

    receiver.arrived(4).await;
    let received = receiver.received();
    assert_eq!(
        received.iter().map(|one| one.number).collect::<Vec<_>>(),
        [0, 1, 2, 3]
    );
    assert_eq!(received[0].text(), "1");
    assert_eq!(
        (&*received[0].method, &*received[0].path),
        ("POST", "/hook?x=1")
    );
    assert_eq!(received[0].header("x-sign"), Some("s"));
    assert!(received.is_sorted_by_key(|one| one.at));
    assert_eq!(receiver.nth(3).await.json().unwrap()["n"], 4);

    receiver.forget();
    receiver.stop().await;
    let refused = client().post(receiver.url("/")).send().await.unwrap_err();
    assert!(chain(&refused).contains("refused"));
    receiver.restart().await.unwrap();
    receiver.otherwise(Answer::status(410));
    assert_eq!(
        client()
            .post(receiver.url("/"))
            .send()
            .await
            .unwrap()
            .status(),
        StatusCode::GONE
    );
    assert_eq!(receiver.nth(0).await.number, 4);
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text.to_lowercase()
}
