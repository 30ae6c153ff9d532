//! The page in other languages, in another zone, and with the look of its owner.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use watchkeeper_web::{Branding, Language, Look, Overall, View};

use crate::asking::{PATIENCE, get};
use crate::site::Site;

#[expect(dead_code, reason = "only asking is needed here")]
#[path = "support/asking.rs"]
mod asking;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[path = "support/site.rs"]
mod site;

async fn page(site: &Site, path: &str, accepted: &str) -> String {
    let asked = [("accept-language", accepted), ("accept", "text/html")];
    get(site, path, &asked).await.text().await.unwrap()
}

#[tokio::test]
async fn a_page_is_in_the_language_that_is_asked_for() {
    let site = Site::start(sample::view()).await;
    let cases = [
        (
            "/",
            "de-AT, en;q=0.5",
            "lang=\"de\"",
            "Leistung beeinträchtigt",
        ),
        ("/", "fr", "lang=\"fr\"", "Performances dégradées"),
        ("/", "sv", "lang=\"sv\"", "Försämrad prestanda"),
        ("/", "es", "lang=\"es\"", "Rendimiento degradado"),
        ("/", "ja", "lang=\"ja\"", "性能が低下しています"),
        ("/", "nl", "lang=\"en\"", "Degraded performance"),
        ("/?lang=ja", "de", "lang=\"ja\"", "11月26日"),
        ("/services/api", "de", "lang=\"de\"", "Überwachungen"),
        (
            "/history",
            "de",
            "lang=\"de\"",
            "Störungen im November 2026",
        ),
        (
            "/history?lang=fr",
            "de",
            "lang=\"fr\"",
            "Incidents en novembre 2026",
        ),
        ("/nothing", "de", "lang=\"de\"", "Nicht gefunden"),
    ];
    for (path, accepted, language, shown) in cases {
        let page = page(&site, path, accepted).await;
        assert!(page.contains(language), "{path} {accepted}: {page}");
        assert!(page.contains(shown), "{path} {accepted}: {page}");
    }
    let german = page(&site, "/", "de").await;
    for left in [
        "Operational",
        "Scheduled maintenance",
        "days ago",
        "Checked at",
        "History<",
    ] {
        assert!(!german.contains(left), "{left}: {german}");
    }
    assert!(german.contains("99,96 % verfügbar"), "{german}");
    // What people wrote stays as it is.
    assert!(
        german.contains("Slow responses from the REST API"),
        "{german}"
    );
}

#[tokio::test]
async fn caches_keep_languages_apart() {
    let site = Site::start(sample::view()).await;
    let german = get(&site, "/", &[("accept-language", "de")]).await;
    assert_eq!(german.headers()["vary"], "accept-encoding, accept-language");
    let tag = german.headers()["etag"].to_str().unwrap().to_owned();
    let asked = |language| {
        [
            ("accept-language", language),
            ("if-none-match", tag.as_str()),
        ]
    };
    assert_eq!(get(&site, "/", &asked("de")).await.status(), 304);
    assert_eq!(get(&site, "/", &asked("sv")).await.status(), 200);
}

#[tokio::test]
async fn only_what_is_offered_is_given() {
    let site = Site::start(View {
        languages: Arc::new([Language::Swedish, Language::English]),
        ..sample::view()
    })
    .await;
    assert!(page(&site, "/", "de").await.contains("<html lang=\"sv\""));
    assert!(
        page(&site, "/?lang=de", "en")
            .await
            .contains("<html lang=\"en\"")
    );
    let swedish = page(&site, "/", "sv").await;
    assert!(swedish.contains("hreflang=\"en\"") && !swedish.contains("hreflang=\"de\""));
    let alone = Site::start(View {
        languages: Arc::new([Language::Swedish]),
        ..sample::view()
    })
    .await;
    assert!(!page(&alone, "/", "sv").await.contains("hreflang"));
}

#[tokio::test]
async fn changes_are_told_in_the_language_of_the_page() {
    let site = Site::start(sample::view()).await;
    let mut german = get(&site, "/events?lang=de", &[]).await;
    let mut english = get(&site, "/events?lang=en", &[]).await;
    let mut view = sample::view();
    view.health = Overall::Dead;
    view.now = view.now + Duration::from_secs(1);
    site.web.publish(view);
    for (events, expected) in [(&mut german, ">Ausfall<"), (&mut english, ">Major outage<")] {
        let mut told = String::new();
        while !told.contains(expected) {
            let chunk = timeout(PATIENCE, events.chunk()).await.unwrap();
            told.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
        }
    }
}

#[tokio::test]
async fn times_are_in_the_zone_of_the_page() {
    let site = Site::start(View {
        time_zone: Some("Asia/Tokyo".into()),
        ..sample::view()
    })
    .await;
    let first = page(&site, "/", "en").await;
    assert!(first.contains("10:49:12 JST"), "{first}");
    assert!(first.contains("<option value=\"Asia/Tokyo\">"), "{first}");
    let other = Site::start(View {
        time_zone: Some("Nowhere/Else".into()),
        ..sample::view()
    })
    .await;
    assert!(page(&other, "/", "en").await.contains("01:49:12 UTC"));
}

#[tokio::test]
async fn a_page_looks_as_its_owner_wants() {
    let branding = Branding {
        logo: Some(("image/png", Arc::from(*b"\x89PNG\r\n\x1a\n"))),
        colours: Some(["#9a3412".into(), "#fdba74".into()]),
        custom_css: Some(".card{border:0}".into()),
        links: vec![("Imprint".into(), "https://acme.example/imprint".into())],
        ..Branding::default()
    };
    let site = Site::start(View {
        look: Some(Arc::new(Look::new(&branding))),
        ..sample::view()
    })
    .await;
    let first = page(&site, "/", "en").await;
    let path = |start: &str| {
        let (_, rest) = first.split_once(start).unwrap();
        let (name, _) = rest.split_once('"').unwrap();
        format!("{}{name}", start.rsplit('"').next().unwrap())
    };
    let logo = get(&site, &path("src=\"/assets/logo-"), &[]).await;
    assert_eq!(logo.headers()["content-type"], "image/png");
    let style = get(&site, &path("href=\"/assets/own-"), &[]).await;
    assert_eq!(style.headers()["content-type"], "text/css; charset=utf-8");
    let style = style.text().await.unwrap();
    assert!(
        style.contains("#9a3412") && style.ends_with(".card{border:0}"),
        "{style}"
    );
    assert!(first.contains("<a href=\"https://acme.example/imprint\">Imprint</a>"));
    // Another look is another page for those who follow it.
    let mut events = get(&site, "/events", &[]).await;
    let mut plain = sample::view();
    plain.now = plain.now + Duration::from_secs(1);
    site.web.publish(plain);
    let mut told = String::new();
    while told.matches("event: shape").count() < 2 {
        let chunk = timeout(PATIENCE, events.chunk()).await.unwrap();
        told.push_str(&String::from_utf8_lossy(&chunk.unwrap().unwrap()));
    }
    let gone = get(&site, &path("href=\"/assets/own-"), &[]).await;
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn only_pages_that_are_named_may_frame_the_widget() {
    let site = Site::start(sample::view()).await;
    let alone = get(&site, "/embed", &[]).await;
    assert_eq!(alone.headers()["x-frame-options"], "DENY");
    let policy = alone.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("frame-ancestors 'none'"), "{policy}");
    let site = Site::start(View {
        embed_on: Arc::new([
            "https://www.acme.example".into(),
            "bad; script-src *".into(),
        ]),
        ..sample::view()
    })
    .await;
    let framed = get(&site, "/embed?service=api&lang=de", &[]).await;
    assert!(!framed.headers().contains_key("x-frame-options"));
    let policy = framed.headers()["content-security-policy"]
        .to_str()
        .unwrap();
    assert!(
        policy.ends_with("frame-ancestors https://www.acme.example"),
        "{policy}"
    );
    assert!(
        policy.starts_with("default-src 'none'; script-src 'self'"),
        "{policy}"
    );
    let widget = framed.text().await.unwrap();
    assert!(
        widget.contains("<b>Core API</b> <span>Beeinträchtigt</span>"),
        "{widget}"
    );
    assert!(widget.contains("href=\"https://status.acme.example/services/api\""));
    let page = get(&site, "/", &[]).await;
    assert_eq!(page.headers()["x-frame-options"], "DENY");
    assert_eq!(get(&site, "/embed?service=none", &[]).await.status(), 404);
}
