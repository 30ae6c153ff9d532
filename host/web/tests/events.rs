//! What those who follow the page are told.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use reqwest::header;
use reqwest::{Client, Response, StatusCode};
use tokio::time::timeout;
use watchkeeper_web::{Limits, WebSettings};

use crate::asking::{PATIENCE, get, outage, text};
use crate::site::{Site, settings};

#[path = "support/asking.rs"]
mod asking;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[path = "support/site.rs"]
mod site;

/// Reads events until `wanted` has been seen.
async fn read_until(events: &mut Response, wanted: &str) -> String {
    let mut seen = String::new();
    let reading = async {
        while !seen.contains(wanted) {
            let chunk = events.chunk().await.unwrap().expect("the events go on");
            seen.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    timeout(PATIENCE, reading)
        .await
        .unwrap_or_else(|_| panic!("no {wanted} in time"));
    seen
}

#[tokio::test]
async fn a_change_is_told_and_nothing_else() {
    let site = Site::start(sample::view()).await;
    let mut events = get(&site, "/events", &[]).await;
    assert_eq!(
        text(events.headers(), header::CONTENT_TYPE),
        "text/event-stream"
    );
    assert_eq!(text(events.headers(), header::CACHE_CONTROL), "no-store");
    assert_eq!(events.headers().get("x-accel-buffering").unwrap(), "no");
    let hello = read_until(&mut events, "event: seen").await;
    assert!(
        hello.starts_with("retry: 3000\n") && !hello.contains("event: patch"),
        "{hello}"
    );

    site.web.publish(outage());
    let told = read_until(&mut events, "event: seen").await;
    let revision = outage().now.as_millis();
    assert!(
        told.contains("event: patch") && told.contains(&format!("id: {revision}")),
        "{told}"
    );
    for part in [
        "id=\"overall\"",
        "id=\"head-api\"",
        "id=\"monitor-api/rest\"",
        "connection refused",
    ] {
        assert!(told.contains(part), "{part}");
    }
    for part in [
        "monitor-api/hooks",
        "head-web",
        "id=\"services\"",
        "id=\"notes\"",
    ] {
        assert!(
            !told.contains(&format!("id=\"{part}\"")),
            "{part} did not change"
        );
    }
}

#[tokio::test]
async fn who_comes_back_is_told_what_was_missed() {
    let site = Site::start(sample::view()).await;
    let before = sample::NOW.as_millis().to_string();
    // Who comes back has seen the page.
    _ = get(&site, "/", &[]).await;
    site.web.publish(outage());
    let after = outage().now.as_millis().to_string();

    let missed = |path: String, headers: Vec<(&'static str, String)>| {
        let site = &site;
        async move {
            let headers: Vec<_> = headers
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            let mut events = get(site, &path, &headers).await;
            read_until(&mut events, "event: seen").await
        }
    };
    for told in [
        missed(format!("/events?since={before}"), vec![]).await,
        missed(
            "/events".to_owned(),
            vec![("last-event-id", before.clone())],
        )
        .await,
        missed(
            format!("/events?since={after}"),
            vec![("last-event-id", before)],
        )
        .await,
    ] {
        assert!(told.contains("id=\"monitor-api/rest\""), "{told}");
        assert!(!told.contains("id=\"monitor-api/hooks\""), "{told}");
    }
    let nothing = missed(format!("/events?since={after}"), vec![]).await;
    assert!(!nothing.contains("event: patch"), "{nothing}");
    // Of a process whose clock was ahead, or older than this one.
    for stranger in [u64::MAX.to_string(), "5".to_owned()] {
        let all = missed(format!("/events?since={stranger}"), vec![]).await;
        for part in [
            "overall",
            "notes",
            "incidents",
            "services",
            "maintenance",
            "past",
        ] {
            assert!(all.contains(&format!("id=\"{part}\"")), "{part}");
        }
    }
}

#[tokio::test]
async fn services_that_come_and_go_are_told_as_a_list() {
    let site = Site::start(sample::view()).await;
    let mut events = get(&site, "/events", &[]).await;
    read_until(&mut events, "event: seen").await;
    let mut view = sample::view();
    view.services.remove(1);
    site.web.publish(view.clone());
    let told = read_until(&mut events, "event: seen").await;
    assert!(
        told.contains("id=\"services\"") && told.contains("monitor-edge/cdn"),
        "{told}"
    );
    assert!(!told.contains("monitor-web/dash"), "{told}");

    view.title = "Another title".into();
    site.web.publish(view);
    let told = read_until(&mut events, "event: seen").await;
    assert!(told.contains("event: shape"), "{told}");
}

#[tokio::test]
async fn figures_wait_and_are_not_lost() {
    let site = Site::start(sample::view()).await;
    let mut events = get(&site, "/events", &[]).await;
    read_until(&mut events, "event: seen").await;
    let mut view = sample::view();
    view.now = view.now + Duration::from_secs(1);
    let since = view.now.as_millis();
    let service = Arc::make_mut(&mut view.services[3]);
    Arc::make_mut(&mut service.monitors[0]).latency_ms = Some(4321);
    site.web.publish(view.clone());
    // The figure waits; what is said at once does not take it along.
    view.announcements.clear();
    view.now = view.now + Duration::from_secs(1);
    site.web.publish(view.clone());
    let told = read_until(&mut events, "id=\"notes\"").await;
    assert!(!told.contains("4\u{202f}321"), "{told}");
    // Whoever loads the page has it.
    let page = get(&site, "/", &[]).await.text().await.unwrap();
    assert!(page.contains("4\u{202f}321"));
    let before = format!("/events?since={}", since - 1);
    let mut returned = get(&site, &before, &[]).await;
    assert!(
        read_until(&mut returned, "event: seen")
            .await
            .contains("4\u{202f}321")
    );
}

#[tokio::test]
async fn so_many_may_follow_and_no_more() {
    let settings = WebSettings {
        max_followers: 2,
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(sample::view());
    let mut first = get(&site, "/events", &[]).await;
    let _second = get(&site, "/events", &[]).await;
    read_until(&mut first, "event: seen").await;
    let third = get(&site, "/events", &[]).await;
    assert_eq!(third.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(text(third.headers(), header::RETRY_AFTER), "30");
    drop(first);
    let freed = async {
        while get(&site, "/events", &[]).await.status() != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, freed)
        .await
        .expect("a seat that was left is free again");
}

#[tokio::test]
async fn the_end_is_orderly() {
    let site = Site::start(sample::view()).await;
    let mut events = get(&site, "/events", &[]).await;
    read_until(&mut events, "event: seen").await;
    site.stop.cancel();
    let end = timeout(PATIENCE, events.chunk())
        .await
        .expect("the events end");
    assert!(end.unwrap().is_none());
    assert!(Client::new().get(site.url("/")).send().await.is_err());
}
