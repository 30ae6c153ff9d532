//! Badges: what they say, how they are sent, and what they refuse.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::sync::Arc;

use serde_json::{Value, json};
use watchkeeper_web::{Limits, Overall, View, WebSettings};

use crate::asking::get;
use crate::figures::Invented;
use crate::site::{Site, settings};

#[expect(dead_code, reason = "only asking is needed here")]
#[path = "support/asking.rs"]
mod asking;
#[path = "../examples/sample_page/figures.rs"]
mod figures;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[expect(dead_code, reason = "figures have to be put in place first")]
#[path = "support/site.rs"]
mod site;

async fn site(view: View) -> Site {
    let settings = WebSettings {
        figures: Arc::new(Invented),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(view);
    site
}

#[tokio::test]
async fn badges_tell_health_uptime_and_latency() {
    let site = site(sample::view()).await;
    let cases = [
        ("/badge/api", "Core API", "degraded", "#b45309"),
        (
            "/badge/api/rest?metric=health",
            "REST API",
            "degraded",
            "#b45309",
        ),
        ("/badge/edge/cdn", "CDN", "operational", "#15803d"),
        (
            "/badge/api?metric=uptime",
            "Core API uptime 90d",
            "99.97 %",
            "#15803d",
        ),
        (
            "/badge/api/rest?metric=uptime&window=7d",
            "REST API uptime 7d",
            "97.50 %",
            "#b45309",
        ),
        (
            "/badge/api/rest?metric=latency",
            "REST API latency 24h",
            "184\u{a0}ms",
            "#1d4ed8",
        ),
        (
            "/badge/edge/dns?metric=latency&window=30d",
            "DNS latency 30d",
            "no data",
            "#57606a",
        ),
        (
            "/badge/edge/cdn?label=%3Cb%3E%26",
            "<b>&",
            "operational",
            "#15803d",
        ),
        ("/badge", "status", "degraded", "#b45309"),
    ];
    for (path, label, message, colour) in cases {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let drawn = get(&site, &format!("{path}.svg?{query}"), &[]).await;
        assert_eq!(drawn.status(), 200, "{path}");
        assert_eq!(drawn.headers()["content-type"], "image/svg+xml");
        assert_eq!(drawn.headers()["cache-control"], "public, max-age=30");
        let drawing = drawn.text().await.unwrap();
        let escaped = label
            .replace('&', "&#38;")
            .replace('<', "&#60;")
            .replace('>', "&#62;");
        let title = format!("<title>{escaped}: {message}</title>");
        assert!(drawing.contains(&title), "{path}: {drawing}");
        assert!(
            drawing.contains(&format!("fill=\"{colour}\"")),
            "{path}: {drawing}"
        );
        let told = get(&site, &format!("{path}.json?{query}"), &[]).await;
        assert_eq!(told.headers()["access-control-allow-origin"], "*");
        let told: Value = told.json().await.unwrap();
        let expected = json!({
            "schemaVersion": 1, "label": label, "message": message, "color": colour,
            "isError": false,
        });
        assert_eq!(told, expected, "{path}");
    }
}

#[tokio::test]
async fn vigils_badges_tell_of_the_page() {
    let mut view = sample::view();
    let site = site(view.clone()).await;
    for (path, word) in [("/badge/icon", "sick"), ("/badge/color/", "sick")] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], "image/svg+xml");
        assert!(answer.headers().contains_key("etag"));
        assert!(!answer.headers().contains_key("last-modified"));
        let drawing = answer.text().await.unwrap();
        assert!(
            drawing.contains(&format!("<title>{word}</title>")),
            "{drawing}"
        );
    }
    view.health = Overall::Dead;
    site.web.publish(view);
    let dead = get(&site, "/badge/icon", &[]).await.text().await.unwrap();
    assert!(dead.contains("<title>dead</title>"), "{dead}");
    assert_eq!(get(&site, "/badge/other", &[]).await.status(), 404);
}

#[tokio::test]
async fn an_unchanged_badge_is_not_sent_again() {
    let site = site(sample::view()).await;
    let first = get(&site, "/badge/api.svg", &[]).await;
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    let again = get(&site, "/badge/api.svg", &[("if-none-match", &tag)]).await;
    assert_eq!(again.status(), 304);
    assert_eq!(again.headers()["etag"], tag.as_str());
    assert_eq!(again.text().await.unwrap(), "");
    let other = get(&site, "/badge/edge.svg", &[("if-none-match", &tag)]).await;
    assert_eq!(other.status(), 200);
}

#[tokio::test]
async fn what_a_badge_cannot_tell_is_said() {
    let site = site(sample::view()).await;
    for (path, code, told) in [
        ("/badge/nothing.svg", 404, "nothing at this address"),
        ("/badge/api/nothing.svg", 404, "nothing at this address"),
        ("/badge/api.png", 404, "nothing at this address"),
        ("/badge/API!.svg", 404, "nothing at this address"),
        (
            "/badge/api.svg?metric=mood",
            400,
            "`health`, `uptime` or `latency`",
        ),
        (
            "/badge/api.svg?window=1y",
            400,
            "`24h`, `7d`, `30d` or `90d`",
        ),
        (
            "/badge/api.svg?colour=red",
            400,
            "`colour` is not asked for here",
        ),
        ("/badge.svg?metric=uptime", 400, "only `metric=health`"),
    ] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(answer.status(), code, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let text = answer.text().await.unwrap();
        assert!(text.contains(told), "{path}: {text}");
    }
    let long = format!("/badge/api.svg?label={}", "x".repeat(61));
    assert_eq!(get(&site, &long, &[]).await.status(), 400);
    let silent = Site::with(settings(), Limits::default()).await;
    assert_eq!(get(&silent, "/badge/api.svg", &[]).await.status(), 503);
}
