//! The feeds: what they hold, when they are sent again, and whether a real feed
//! reader takes them.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use watchkeeper_web::{IncidentView, Limits, Stage, UpdateView, View, WebSettings};

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

async fn site(view: View, incidents: Vec<IncidentView>) -> Site {
    let settings = WebSettings {
        records: Arc::new(Shelf::of(incidents)),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(view);
    site
}

fn incidents(view: &View) -> Vec<IncidentView> {
    let past = view.past.clone().unwrap_or_default().incidents;
    view.incidents.iter().cloned().chain(past).collect()
}

/// The sample with words that are not theirs to decide.
fn hostile() -> Vec<IncidentView> {
    let mut all = incidents(&sample::view());
    all[0].title = "</title><script>alert(1)</script> & \u{1}\u{b}]]>".into();
    all[0].updates.insert(
        0,
        UpdateView {
            is_markdown: false,
            stage: Stage::Monitoring,
            at: sample::NOW,
            text: "<img src=x onerror=alert(1)>\n\n&amp; \u{0}\u{ffff}\"'".into(),
        },
    );
    all
}

#[tokio::test]
async fn an_entry_is_an_incident_and_keeps_its_id() {
    let view = sample::view();
    let site = site(view.clone(), incidents(&view)).await;
    let feed: Value = get(&site, "/feed.json", &[]).await.json().await.unwrap();
    assert_eq!(feed["version"], "https://jsonfeed.org/version/1.1");
    assert_eq!(feed["title"], "Acme Cloud Status");
    assert_eq!(feed["home_page_url"], "https://status.acme.example/");
    assert_eq!(feed["feed_url"], "https://status.acme.example/feed.json");
    assert_eq!(
        feed["items"][1]["id"],
        "https://status.acme.example/incidents/213"
    );
    assert_eq!(feed["items"][1]["tags"], json!(["Webhooks"]));
    assert_eq!(feed["items"][1]["date_published"], "2026-11-19T14:02:00Z");
    assert_eq!(feed["items"][1]["date_modified"], "2026-11-19T14:20:00Z");
    let html = feed["items"][1]["content_html"].as_str().unwrap();
    assert!(
        html.starts_with("<p><strong>Resolved</strong>, 19 Nov 2026, 14:20 UTC</p><p>The backlog")
    );
    let atom = get(&site, "/feed.atom", &[]).await.text().await.unwrap();
    assert!(
        atom.contains("<id>https://status.acme.example/incidents/213</id>"),
        "{atom}"
    );
    assert!(
        atom.contains("<updated>2026-11-19T14:20:00Z</updated>"),
        "{atom}"
    );
    let rss = get(&site, "/feed.rss", &[]).await.text().await.unwrap();
    assert!(
        rss.contains("<pubDate>Thu, 19 Nov 2026 14:02:00 +0000</pubDate>"),
        "{rss}"
    );
    assert!(
        rss.contains("<guid isPermaLink=\"true\">https://status.acme.example/incidents/213</guid>")
    );
    let page = get(&site, "/", &[]).await.text().await.unwrap();
    assert!(page.contains("type=\"application/atom+xml\"") && page.contains("href=\"/feed.rss\""));
}

#[tokio::test]
async fn a_feed_is_sent_again_only_when_something_was_said() {
    let view = sample::view();
    let site = site(view.clone(), incidents(&view)).await;
    for path in ["/feed.atom", "/feed.rss", "/feed.json"] {
        let first = get(&site, path, &[]).await;
        assert_eq!(first.headers()["cache-control"], "public, max-age=60");
        let tag = first.headers()["etag"].to_str().unwrap().to_owned();
        let modified = first.headers()["last-modified"]
            .to_str()
            .unwrap()
            .to_owned();
        let mut later = view.clone();
        later.now = later.now + Duration::from_hours(1);
        site.web.publish(later);
        for asked in [("if-none-match", &tag), ("if-modified-since", &modified)] {
            let again = get(&site, path, &[(asked.0, asked.1)]).await;
            assert_eq!(again.status(), 304, "{path} {asked:?}");
            assert!(!again.headers().contains_key("content-type"));
        }
        let before = ("if-modified-since", "Thu, 19 Nov 2026 14:02:00 GMT");
        assert_eq!(get(&site, path, &[before]).await.status(), 200);
        // A tag says more than a time.
        let both = [
            ("if-modified-since", &*modified),
            ("if-none-match", "\"old\""),
        ];
        assert_eq!(get(&site, path, &both).await.status(), 200);
    }
    for (path, code) in [
        ("/feed.atom?service=api", 200),
        ("/feed.atom?service=none", 404),
        ("/feed.atom?tag=x", 400),
        ("/feed.xml", 404),
    ] {
        assert_eq!(get(&site, path, &[]).await.status(), code, "{path}");
    }
}

#[tokio::test]
async fn a_feed_without_incidents_is_a_feed() {
    let site = site(sample::view(), Vec::new()).await;
    let atom = get(&site, "/feed.atom", &[]).await;
    assert!(!atom.headers().contains_key("last-modified"));
    let atom = atom.text().await.unwrap();
    assert!(atom.contains("<updated>2026-11-21T00:00:00Z</updated>") && !atom.contains("<entry>"));
    let json: Value = get(&site, "/feed.json", &[]).await.json().await.unwrap();
    assert_eq!(json["items"], json!([]));
}

/// What feedparser, the reader that most programs in Python use, makes of a feed.
const READ: &str = r#"
import sys, json, xml.dom.minidom, feedparser
body = sys.stdin.buffer.read()
xml.dom.minidom.parseString(body)
feed = feedparser.parse(body)
print(json.dumps({
    "bozo": bool(feed.bozo), "version": feed.version, "title": feed.feed.title,
    "entries": [[e.id, e.link, e.title, bool(e.get("published_parsed")),
                 [t.term for t in e.get("tags", [])], (e.get("content") or [e])[0].get("value", e.summary)]
                for e in feed.entries],
}))
"#;

#[tokio::test]
async fn a_feed_reader_takes_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/languages/clients/bin/python");
    if !python.exists() {
        println!("SKIPPED: feeds: feedparser from PyPI is missing; `cargo xtask test` brings it");
        return;
    }
    let site = site(sample::view(), hostile()).await;
    for (path, version) in [("/feed.atom", "atom10"), ("/feed.rss", "rss20")] {
        let body = get(&site, path, &[]).await.bytes().await.unwrap();
        let mut child = Command::new(&python)
            .args(["-c", READ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(&body).await.unwrap();
        drop(input);
        let output = child.wait_with_output().await.unwrap();
        assert!(output.status.success(), "{path}");
        let read: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(read["bozo"], json!(false), "{path}: {read}");
        assert_eq!(read["version"], version);
        assert_eq!(read["title"], "Acme Cloud Status");
        let address = "https://status.acme.example/incidents/213";
        let second = &read["entries"][1];
        assert_eq!([&second[0], &second[1]], [address, address]);
        assert_eq!(second[3], json!(true));
        assert_eq!(second[4], json!(["Webhooks"]));
        let first = &read["entries"][0];
        let title = first[2].as_str().unwrap();
        assert!(
            title.contains("&lt;script>")
                || title.contains("&lt;script&gt;")
                || title.contains("<script>"),
            "{title}"
        );
        let text = first[5].as_str().unwrap();
        assert!(!text.contains("<img") && text.contains("onerror"), "{text}");
    }
}
