//! The page of a service.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::sync::Arc;

use watchkeeper_web::{Limits, View, WebSettings};

use crate::asking::get;
use crate::figures::Invented;
use crate::records::Shelf;
use crate::site::{Site, settings};

#[expect(dead_code, reason = "only asking is needed here")]
#[path = "support/asking.rs"]
mod asking;
#[path = "../examples/sample_page/figures.rs"]
mod figures;
#[path = "../examples/sample_page/records.rs"]
mod records;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[path = "support/site.rs"]
mod site;

async fn site(view: View) -> Site {
    let past = view.past.clone().unwrap_or_default().incidents;
    let incidents = view.incidents.iter().cloned().chain(past);
    let settings = WebSettings {
        records: Arc::new(Shelf::of(incidents)),
        figures: Arc::new(Invented),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(view);
    site
}

#[tokio::test]
async fn a_service_has_its_monitors_months_and_incidents() {
    let site = site(sample::view()).await;
    let answer = get(&site, "/services/api", &[]).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["cache-control"],
        "public, max-age=0, s-maxage=15"
    );
    let page = answer.text().await.unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    for part in [
        "<h1>Core API</h1>",
        "<h3><a href=\"/services/api#monitor-api/rest\">REST API</a></h3>",
        "answered in 1 870 ms, slower than 1 s",
        "median 184\u{a0}ms",
        "class=\"l95\" d=\"M",
        "<a href=\"?window=24h\" aria-current=\"true\">24h</a>",
        "<th scope=\"row\">November 2026</th>",
        "href=\"/incidents/214\"",
        "/feed.atom?service=api",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // 200 days are known: seven months have some, and those before are not told.
    assert_eq!(page.matches("<th scope=\"row\">").count(), 7);
    assert!(!page.contains("CDN"), "another service's monitor");
    let month = get(&site, "/services/api?window=30d", &[]).await;
    let month = month.text().await.unwrap();
    assert!(
        month.contains("<a href=\"?window=30d\" aria-current=\"true\">"),
        "{month}"
    );
    let first = get(&site, "/", &[]).await.text().await.unwrap();
    assert!(
        first.contains("<a href=\"/services/api\">More about Core API</a>"),
        "{first}"
    );
}

#[tokio::test]
async fn what_is_not_a_service_has_no_page() {
    let site = site(sample::view()).await;
    for (path, code) in [
        ("/services/none", 404),
        ("/services/API!", 404),
        ("/services/api?window=1y", 400),
        ("/services/api?month=1", 400),
        ("/services/", 404),
    ] {
        assert_eq!(get(&site, path, &[]).await.status(), code, "{path}");
    }
    // Where nothing is summed up, nothing is claimed.
    let bare = Site::start(sample::view()).await;
    let page = get(&bare, "/services/api", &[]).await.text().await.unwrap();
    assert!(
        !page.contains("class=\"chart\"") && !page.contains("<table>"),
        "{page}"
    );
    assert!(page.contains("No incidents"));
}
