//! Several pages from one host.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::sync::Arc;

use reqwest::Response;
use watchkeeper_engine::id::ServiceId;
use watchkeeper_web::{Limits, OtherPage, View, WebSettings};

use crate::asking::get;
use crate::records::Shelf;
use crate::site::{Site, settings};

#[expect(dead_code, reason = "only asking is needed here")]
#[path = "support/asking.rs"]
mod asking;
#[path = "../examples/sample_page/records.rs"]
mod records;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[expect(dead_code, reason = "what is kept has to be put in place first")]
#[path = "support/site.rs"]
mod site;

const SHOP: (&str, &str) = ("host", "Shop.example:8080");

/// A page of the data services alone.
fn shop() -> OtherPage {
    OtherPage {
        domain: "shop.example".into(),
        services: Some(Arc::new([ServiceId::new("data").unwrap()])),
        title: "Shop Status".into(),
        company: None,
        description: None,
        website: None,
        support: None,
        languages: Arc::default(),
        time_zone: None,
        embed_on: Arc::default(),
        look: None,
    }
}

async fn site(view: View) -> Site {
    let past = view.past.clone().unwrap_or_default().incidents;
    let incidents: Vec<_> = view.incidents.iter().cloned().chain(past).collect();
    let settings = WebSettings {
        records: Arc::new(Shelf::of(incidents)),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(view);
    site
}

async fn text(answer: Response) -> String {
    answer.text().await.unwrap()
}

#[tokio::test]
async fn a_name_has_its_own_page_and_knows_nothing_of_the_others() {
    let site = site(View {
        others: Arc::new([shop()]),
        ..sample::view()
    })
    .await;
    let page = text(get(&site, "/", &[SHOP]).await).await;
    assert!(
        page.contains("Shop Status") && page.contains("PostgreSQL"),
        "{page}"
    );
    assert!(page.contains("https://shop.example"), "{page}");
    for elsewhere in ["REST API", "CDN", "Acme", "Slow responses"] {
        assert!(!page.contains(elsewhere), "{elsewhere}: {page}");
    }
    let main = text(get(&site, "/", &[]).await).await;
    assert!(main.contains("Acme Cloud Status") && main.contains("REST API"));
    for (path, there) in [
        ("/services/data", 200),
        ("/services/api", 404),
        ("/badge/data.svg", 200),
        ("/badge/api.svg", 404),
        ("/feed.atom?service=api", 404),
        ("/metrics", 404),
        ("/api/v1/incidents", 404),
        ("/healthz", 404),
        ("/incidents/999", 404),
    ] {
        assert_eq!(get(&site, path, &[SHOP]).await.status(), there, "{path}");
    }
    let components = text(get(&site, "/api/v2/summary.json", &[SHOP]).await).await;
    assert!(components.contains("PostgreSQL") && !components.contains("REST API"));
    let report = text(get(&site, "/status/report", &[SHOP]).await).await;
    assert!(!report.contains("Dashboard"), "{report}");
    // Any other name is the main page's.
    let other = [("host", "somewhere.example")];
    assert!(
        text(get(&site, "/", &other).await)
            .await
            .contains("Acme Cloud Status")
    );
}

#[tokio::test]
async fn pages_come_and_go() {
    let site = site(sample::view()).await;
    let title = async || text(get(&site, "/", &[SHOP]).await).await;
    assert!(title().await.contains("Acme Cloud Status"));
    let with = |other: OtherPage| View {
        others: Arc::new([other]),
        ..sample::view()
    };
    site.web.publish(with(shop()));
    assert!(title().await.contains("Shop Status"));
    site.web.publish(with(OtherPage {
        title: "Store Status".into(),
        ..shop()
    }));
    assert!(title().await.contains("Store Status"));
    site.web.publish(sample::view());
    assert!(title().await.contains("Acme Cloud Status"));
}
