//! The page in a real browser. Without Chromium and its driver these tests say so
//! and do nothing, except in continuous integration, where they fail.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::prelude::*;
use tokio::time::{Instant, sleep};
use watchkeeper_engine::health::Health;
use watchkeeper_web::{Limits, Overall, View, WebSettings};

use crate::browser_session::{Browser, Look};
use crate::figures::Invented;
use crate::records::Shelf;
use crate::site::{Site, settings};

#[path = "support/browser_session.rs"]
mod browser_session;
#[path = "../examples/sample_page/figures.rs"]
mod figures;
#[path = "support/hostile.rs"]
mod hostile;
#[path = "../examples/sample_page/records.rs"]
mod records;
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[path = "support/site.rs"]
mod site;

/// A test page in a browser; returns from the test where there is no browser.
macro_rules! open {
    ($view:expr, $look:expr) => {{
        let site = Site::start($view).await;
        let Some(browser) = Browser::start($look).await else {
            return;
        };
        browser.driver.goto(site.url("/")).await.unwrap();
        (site, browser)
    }};
}

/// Runs `script` until its value is `expected`; the page has ten seconds.
async fn becomes(browser: &Browser, script: &str, expected: Value) {
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let value = browser.run(script).await;
        if value == expected {
            return;
        }
        assert!(
            Instant::now() < until,
            "`{script}` is {value} and not {expected}"
        );
        sleep(Duration::from_millis(50)).await;
    }
}

/// The sample with its CDN dead and one of its targets refusing.
fn outage() -> View {
    let mut view = sample::view();
    view.health = Overall::Partial;
    view.now = view.now + Duration::from_secs(10);
    let service = Arc::make_mut(&mut view.services[3]);
    service.health = Health::Dead;
    let monitor = Arc::make_mut(&mut service.monitors[0]);
    monitor.health = Health::Dead;
    monitor.since = Some(view.now);
    monitor.targets[0].health = Health::Dead;
    monitor.targets[0].reason = Some("connection refused".into());
    view
}

#[tokio::test]
async fn renders_cleanly() {
    let (site, browser) = open!(sample::view(), Look::default());
    let heading = browser
        .driver
        .query(By::Css("#overall h1"))
        .first()
        .await
        .unwrap();
    assert_eq!(heading.text().await.unwrap(), "Degraded performance");
    assert_eq!(
        browser.driver.title().await.unwrap(),
        "Degraded performance · Acme Cloud Status"
    );
    let bars = "document.querySelectorAll('.bars [d], .bars use').length > 9";
    assert_eq!(browser.run(&format!("return {bars}")).await, json!(true));
    becomes(
        &browser,
        "return document.querySelector('#live').classList.contains('on')",
        json!(true),
    )
    .await;

    // Nothing came from elsewhere, and nothing was complained of.
    let loaded = browser
        .run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        .await;
    let loaded = loaded.as_array().unwrap();
    assert!(loaded.len() >= 2, "{loaded:?}");
    for name in loaded {
        assert!(name.as_str().unwrap().starts_with(&site.url("/")), "{name}");
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn changes_without_a_reload() {
    let (site, browser) = open!(sample::view(), Look::default());
    becomes(
        &browser,
        "return document.querySelector('#live').classList.contains('on')",
        json!(true),
    )
    .await;
    // Marks that a reload, or a patch of what did not change, would take away; a
    // choice of the visitor's; and the place of the keyboard.
    browser
        .run(
            "window.mark = 1; document.getElementById('monitor-edge/dns').mark = 1;
             document.querySelector('#service-web').open = false;
             document.getElementById('monitor-edge/cdn').querySelector('.bars').focus();",
        )
        .await;
    site.web.publish(outage());
    becomes(
        &browser,
        "return document.querySelector('#overall h1').textContent",
        json!("Partial outage"),
    )
    .await;
    let seen = browser
        .run(
            "const cdn = document.getElementById('monitor-edge/cdn');
             return [
               window.mark,
               document.getElementById('monitor-edge/dns').mark,
               document.querySelector('#service-web').open,
               document.activeElement === cdn.querySelector('.bars'),
               cdn.querySelector('.r1 .st').textContent,
               cdn.querySelector('.rep:not(.ev)').open,
               cdn.querySelector('.why').textContent,
               document.title,
               document.querySelector('#say').textContent.startsWith('Partial outage. '),
               document.querySelector('#live').classList.contains('on'),
               document.querySelector('#ago') !== null,
             ]",
        )
        .await;
    assert_eq!(
        seen,
        json!([
            1,
            1,
            false,
            true,
            "Partial outage",
            true,
            "connection refused",
            "Partial outage · Acme Cloud Status",
            true,
            true,
            true
        ])
    );

    // A list with one service less replaces the list, and the choice stays.
    let mut view = outage();
    view.services.remove(0);
    site.web.publish(view);
    becomes(
        &browser,
        "return document.querySelector('#service-api')",
        Value::Null,
    )
    .await;
    let open = "return document.querySelector('#service-web').open";
    assert_eq!(browser.run(open).await, json!(false));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test]
async fn another_page_is_loaded_once() {
    let (site, browser) = open!(sample::view(), Look::default());
    becomes(
        &browser,
        "return document.querySelector('#live').classList.contains('on')",
        json!(true),
    )
    .await;
    site.web.publish(View {
        title: "Other Status".into(),
        ..sample::view()
    });
    becomes(
        &browser,
        "return document.querySelector('.brand').textContent.trim()",
        json!("Other Status"),
    )
    .await;
    browser.close().await;
}

#[tokio::test]
async fn days_can_be_read_with_the_keyboard() {
    let (_site, browser) = open!(sample::view(), Look::default());
    let bar = "document.getElementById('monitor-web/sso').querySelector('.bars')";
    let press = |key: &str| {
        format!(
            "{bar}.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))"
        )
    };
    let text = format!("return {bar}.getAttribute('aria-valuetext')");
    browser.run(&press("Home")).await;
    assert_eq!(
        browser.run(&text).await,
        json!("Mon, Aug 24, 2026: Operational. No downtime recorded")
    );
    for _ in 0..12 {
        browser.run(&press("ArrowRight")).await;
    }
    let told = "Sat, Sep 5, 2026: Major outage. Affected for 1 h 36 min. Login page returned 502";
    assert_eq!(browser.run(&text).await, json!(told));
    let tip = "return document.querySelector('#tip').className";
    assert_eq!(browser.run(tip).await, json!("on s-out"));
    browser.save_screenshot("tooltip").await;
    browser.run(&press("Escape")).await;
    assert_eq!(browser.run(tip).await, json!(""));

    let unknown = "document.getElementById('monitor-api/gql').querySelector('.bars')";
    browser
        .run(&format!(
            "{unknown}.dispatchEvent(new KeyboardEvent('keydown', {{key: 'Home'}}))"
        ))
        .await;
    assert_eq!(
        browser
            .run(&format!("return {unknown}.getAttribute('aria-valuetext')"))
            .await,
        json!("Mon, Aug 24, 2026: No data")
    );
    browser.close().await;
}

#[tokio::test]
async fn complete_without_scripts() {
    let (_site, browser) = open!(
        sample::view(),
        Look {
            scripts: false,
            ..Look::default()
        }
    );
    let source = browser.driver.source().await.unwrap();
    assert!(!source.contains("data-js"), "no script ran");
    let text = browser
        .driver
        .find(By::Tag("body"))
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for shown in [
        "Degraded performance",
        "Checked at 01:49:12 UTC",
        "TLS 1.0 and 1.1 end on 1 December.",
        "21 Nov, 01:31 UTC",
        "99.96 % uptime",
        "answered in 1 870 ms, slower than 1 s",
        "3 days with an event",
        "PostgreSQL 17 to 18",
        "14 – 18 Nov 2026",
    ] {
        assert!(text.contains(shown), "`{shown}` is missing in {text}");
    }
    for needs_scripts in ["Live", "Times in"] {
        assert!(
            !text.contains(needs_scripts),
            "`{needs_scripts}` does nothing here"
        );
    }
    browser.save_screenshot("status-nojs").await;
    browser.close().await;
}

#[tokio::test]
async fn light_dark_and_narrow() {
    let looks = [
        ("status-light", Look::default()),
        (
            "status-dark",
            Look {
                dark: true,
                ..Look::default()
            },
        ),
        (
            "status-mobile-380",
            Look {
                width: 380,
                ..Look::default()
            },
        ),
        (
            "status-mobile-380-dark",
            Look {
                width: 380,
                dark: true,
                ..Look::default()
            },
        ),
    ];
    for (name, look) in looks {
        let (site, browser) = open!(sample::view(), look);
        let dark = browser
            .run("return getComputedStyle(document.body).backgroundColor")
            .await;
        assert_eq!(
            dark == json!("rgb(11, 14, 20)"),
            look.dark,
            "{name}: {dark}"
        );
        browser.save_screenshot(name).await;
        let views = [
            ("full", sample::view()),
            ("long", sample::long_view(60)),
            ("empty", View::default()),
            ("wordy", wordy()),
        ];
        for (kind, view) in views {
            site.web.publish(view);
            browser.driver.goto(site.url("/")).await.unwrap();
            let beyond = browser
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                .await;
            assert_eq!(beyond, json!(0), "{name}, {kind}: wider than the window");
            if kind != "full" && look == Look::default() {
                browser.save_screenshot(&format!("status-{kind}")).await;
            }
            if let Some(axe) = axe() {
                let violations = browser.axe(&axe).await;
                assert_eq!(violations, json!([]), "{name}, {kind}");
            }
        }
        let detailed = detailed().await;
        for path in [
            "/?lang=de",
            "/?lang=ja",
            "/services/data?window=90d",
            "/services/api",
        ] {
            browser.driver.goto(detailed.url(path)).await.unwrap();
            let beyond = browser
                .run("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
                .await;
            assert_eq!(beyond, json!(0), "{name}, {path}: wider than the window");
            if let Some(axe) = axe() {
                assert_eq!(browser.axe(&axe).await, json!([]), "{name}, {path}");
            }
        }
        browser
            .save_screenshot(&name.replace("status", "service"))
            .await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name}");
        let missing = browser.driver.goto(site.url("/nothing")).await;
        missing.unwrap();
        if let Some(axe) = axe() {
            assert_eq!(browser.axe(&axe).await, json!([]), "{name}, not found");
        }
        browser.close().await;
    }
}

#[tokio::test]
async fn the_theme_is_chosen_and_kept() {
    let (_site, browser) = open!(sample::view(), Look::default());
    browser
        .driver
        .find(By::Id("theme"))
        .await
        .unwrap()
        .click()
        .await
        .unwrap();
    let theme = "return document.documentElement.dataset.theme";
    assert_eq!(browser.run(theme).await, json!("dark"));
    browser.driver.refresh().await.unwrap();
    assert_eq!(browser.run(theme).await, json!("dark"));
    browser.close().await;
}

#[tokio::test]
async fn markup_of_strangers_is_text() {
    let (_site, browser) = open!(
        hostile::hostile("<img src=x onerror=window.owned=1>"),
        Look::default()
    );
    let seen =
        "return [window.owned ?? 0, document.querySelectorAll('main img, main script').length]";
    assert_eq!(browser.run(seen).await, json!([0, 0]));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

/// The sample with all that is kept and summed up of it.
async fn detailed() -> Site {
    let view = sample::view();
    let past = view.past.clone().unwrap_or_default().incidents;
    let settings = WebSettings {
        records: Arc::new(Shelf::of(view.incidents.iter().cloned().chain(past))),
        figures: Arc::new(Invented),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(view);
    site
}

/// Texts without a place to break them, wherever texts stand.
fn wordy() -> View {
    hostile::hostile(&"Unbreakable".repeat(20))
}

/// The script of axe-core, which tests whether a page can be used by everyone.
fn axe() -> Option<String> {
    let default = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/axe/node_modules/axe-core/axe.min.js");
    let path = std::env::var_os("WATCHKEEPER_AXE").map_or(default, PathBuf::from);
    let script = std::fs::read_to_string(&path).ok();
    if script.is_none() {
        browser_session::skip(&format!(
            "axe-core is not at {}; `cargo xtask test` brings it",
            path.display()
        ));
    }
    script
}
