//! What the page answers, asked over a real connection.

#![expect(
    clippy::unwrap_used,
    reason = "what fails in a test, or in what it stands on, fails the test"
)]

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header;
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use watchkeeper_engine::health::Health;
use watchkeeper_web::{Limits, Overall, View, WebSettings};

use crate::asking::{PATIENCE, ask, get, outage, text};
use crate::site::{Site, settings};

#[path = "support/asking.rs"]
mod asking;
#[expect(dead_code, reason = "the long page is for the browser and the example")]
#[path = "../examples/sample_page/sample.rs"]
mod sample;
#[path = "support/site.rs"]
mod site;

#[tokio::test]
async fn the_page_in_every_encoding() {
    let site = Site::start(sample::view()).await;
    let plain = get(&site, "/?utm_source=anything&x", &[]).await;
    assert_eq!(plain.status(), StatusCode::OK);
    let headers = plain.headers().clone();
    assert_eq!(
        text(&headers, header::CONTENT_TYPE),
        "text/html; charset=utf-8"
    );
    assert_eq!(
        text(&headers, header::VARY),
        "accept-encoding, accept-language"
    );
    assert_eq!(
        text(&headers, header::CACHE_CONTROL),
        "public, max-age=0, s-maxage=10, stale-while-revalidate=60, stale-if-error=86400"
    );
    let plain = plain.text().await.unwrap();
    assert!(plain.starts_with("<!doctype html>") && plain.trim_end().ends_with("</html>"));

    let mut tags = vec![text(&headers, header::ETAG)];
    for encoding in ["gzip", "br"] {
        let packed = get(&site, "/", &[("accept-encoding", encoding)]).await;
        assert_eq!(text(packed.headers(), header::CONTENT_ENCODING), encoding);
        tags.push(text(packed.headers(), header::ETAG));
        let packed = packed.bytes().await.unwrap();
        assert!(packed.len() * 3 < plain.len());
        let mut unpacked = String::new();
        match encoding {
            "gzip" => flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut unpacked),
            _ => brotli::Decompressor::new(&packed[..], 4096).read_to_string(&mut unpacked),
        }
        .unwrap();
        assert_eq!(unpacked, plain);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 3, "each encoding has a tag of its own");
}

#[tokio::test]
async fn who_has_the_page_is_told_so() {
    let site = Site::start(sample::view()).await;
    let packed = [("accept-encoding", "gzip")];
    let tag = text(get(&site, "/", &packed).await.headers(), header::ETAG);
    assert!(tag.starts_with('"') && tag.ends_with("-gzip\""), "{tag}");

    let known = [packed[0], ("if-none-match", tag.as_str())];
    let unchanged = get(&site, "/", &known).await;
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(text(unchanged.headers(), header::ETAG), tag);
    assert!(!text(unchanged.headers(), header::CACHE_CONTROL).is_empty());
    assert!(unchanged.bytes().await.unwrap().is_empty());

    let other_encoding = get(&site, "/", &[("if-none-match", tag.as_str())]).await;
    assert_eq!(other_encoding.status(), StatusCode::OK);
    site.web.publish(outage());
    assert_eq!(get(&site, "/", &known).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn head_says_what_get_would() {
    let site = Site::start(sample::view()).await;
    for path in [
        "/",
        "/status/text",
        "/status/report",
        "/favicon.svg",
        "/healthz",
        "/metrics",
    ] {
        let whole = get(&site, path, &[]).await;
        let head = ask(&site, Method::HEAD, path, &[]).await;
        assert_eq!(head.status(), whole.status(), "{path}");
        for name in [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::ETAG] {
            assert_eq!(
                text(head.headers(), name.clone()),
                text(whole.headers(), name),
                "{path}"
            );
        }
        assert!(head.bytes().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let site = Site::start(sample::view()).await;
    for path in [
        "/",
        "/events",
        "/status/text",
        "/favicon.svg",
        "/metrics",
        "/nothing",
        "/robots.txt",
    ] {
        let answer = get(&site, path, &[]).await;
        let headers = answer.headers();
        let policy = text(headers, header::CONTENT_SECURITY_POLICY);
        assert_eq!(
            policy,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            "{path}"
        );
        assert_eq!(
            text(headers, header::X_CONTENT_TYPE_OPTIONS),
            "nosniff",
            "{path}"
        );
        assert_eq!(
            text(headers, header::REFERRER_POLICY),
            "no-referrer",
            "{path}"
        );
    }
    let refused = ask(&site, Method::POST, "/", &[]).await;
    assert!(
        refused
            .headers()
            .contains_key(header::CONTENT_SECURITY_POLICY)
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_in_one_shape() {
    let site = Site::start(sample::view()).await;
    for path in [
        "/nothing",
        "/assets/status.css",
        "/assets/../Cargo.toml",
        "/%00",
        "/status",
    ] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            text(answer.headers(), header::CONTENT_TYPE),
            "application/problem+json"
        );
        assert_eq!(
            answer.text().await.unwrap(),
            r#"{"type":"about:blank","title":"Not found","status":404,"detail":"There is nothing at this address.","errors":[]}"#
        );
    }
    let people = get(&site, "/nothing", &[("accept", "text/html,*/*;q=0.8")]).await;
    assert_eq!(people.status(), StatusCode::NOT_FOUND);
    assert!(people.text().await.unwrap().contains("<h1>Not found</h1>"));

    let refused = ask(&site, Method::POST, "/", &[]).await;
    assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert!(text(refused.headers(), header::ALLOW).contains("GET"));
    assert!(refused.text().await.unwrap().contains("\"status\":405"));
    // Vigil answers a wrong method on its addresses as if there were nothing.
    for path in ["/status/text", "/status/report/"] {
        assert_eq!(
            ask(&site, Method::PUT, path, &[]).await.status(),
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn vigils_addresses() {
    let site = Site::start(sample::view()).await;
    for path in ["/status/text", "/status/text/"] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(
            text(answer.headers(), header::CONTENT_TYPE),
            "text/plain; charset=utf-8"
        );
        assert_eq!(answer.text().await.unwrap(), "sick");
    }
    site.web.publish(outage());
    assert_eq!(
        get(&site, "/status/text", &[]).await.text().await.unwrap(),
        "dead"
    );
    site.web.publish(View {
        health: Overall::Healthy,
        ..sample::view()
    });
    assert_eq!(
        get(&site, "/status/text", &[]).await.text().await.unwrap(),
        "healthy"
    );

    let mut view = sample::view();
    view.services.truncate(2);
    Arc::make_mut(&mut Arc::make_mut(&mut view.services[1]).monitors[0]).health = Health::Unknown;
    site.web.publish(view);
    for path in ["/status/report", "/status/report/"] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(
            text(answer.headers(), header::CONTENT_TYPE),
            "application/json"
        );
        assert_eq!(
            answer.text().await.unwrap(),
            concat!(
                r#"{"health":"sick","#,
                r#""page":{"name":"Acme Cloud Status","url":"https://status.acme.example"},"#,
                r#""probes":[{"name":"Core API","status":"sick","nodes":["#,
                r#"{"name":"REST API","status":"sick","replicas":["healthy","healthy","sick"]},"#,
                r#"{"name":"Webhooks","status":"healthy","replicas":["healthy","healthy"]},"#,
                r#"{"name":"GraphQL","status":"healthy","replicas":["healthy","healthy"]}]},"#,
                r#"{"name":"Web application","status":"healthy","nodes":["#,
                r#"{"name":"Dashboard","status":"sick","replicas":["healthy","healthy"]},"#,
                r#"{"name":"Sign-in and SSO","status":"healthy","replicas":["healthy","healthy"]}]}]}"#,
            )
        );
    }
}

#[tokio::test]
async fn the_hosts_own_addresses() {
    let (readying, is_ready) = tokio::sync::watch::channel(false);
    let settings = WebSettings {
        metrics: Arc::new(|| "# TYPE checks counter\nchecks_total 7\n# EOF\n".to_owned()),
        ready: Arc::new(move || {
            if *is_ready.borrow() {
                Ok(Some("3 plugins are being loaded".to_owned()))
            } else {
                Err("plugins are being loaded".to_owned())
            }
        }),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    for path in ["/", "/status/text", "/status/report", "/events"] {
        let answer = get(&site, path, &[]).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(text(answer.headers(), header::RETRY_AFTER), "1", "{path}");
    }
    assert_eq!(
        get(&site, "/healthz", &[]).await.text().await.unwrap(),
        "ok\n"
    );
    let waiting = get(&site, "/readyz", &[]).await;
    assert_eq!(waiting.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        waiting.text().await.unwrap(),
        "not ready: plugins are being loaded\n"
    );
    readying.send_replace(true);
    let ready = get(&site, "/readyz", &[]).await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert_eq!(
        ready.text().await.unwrap(),
        "ready\n3 plugins are being loaded\n"
    );
    for (accept, content_type, body) in [
        (
            "application/openmetrics-text;version=1.0.0,*/*;q=0.1",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "# TYPE checks counter\nchecks_total 7\n# EOF\n",
        ),
        (
            "*/*",
            "text/plain; version=0.0.4; charset=utf-8",
            "# TYPE checks_total counter\nchecks_total 7\n",
        ),
    ] {
        let metrics = get(&site, "/metrics", &[("accept", accept)]).await;
        assert_eq!(text(metrics.headers(), header::CONTENT_TYPE), content_type);
        assert_eq!(metrics.text().await.unwrap(), body);
    }
    assert_eq!(
        get(&site, "/robots.txt", &[]).await.text().await.unwrap(),
        "User-agent: *\nDisallow:\n"
    );
}

#[tokio::test]
async fn files_are_kept_for_ever() {
    let site = Site::start(sample::view()).await;
    let page = get(&site, "/", &[]).await.text().await.unwrap();
    let named: Vec<&str> = page
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");
    for path in named {
        let answer = get(&site, path, &[("accept-encoding", "br")]).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        let headers = answer.headers();
        assert_eq!(text(headers, header::CONTENT_ENCODING), "br");
        assert_eq!(
            text(headers, header::CACHE_CONTROL),
            "public, max-age=31536000, immutable"
        );
    }
    let icon = get(&site, "/favicon.svg", &[]).await;
    assert_eq!(text(icon.headers(), header::CONTENT_TYPE), "image/svg+xml");
    assert_eq!(
        text(icon.headers(), header::CACHE_CONTROL),
        "public, max-age=86400"
    );
}

#[tokio::test]
async fn who_dawdles_is_cut_off() {
    let limits = Limits {
        header_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let site = Site::with(settings(), limits).await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("it is closed")
        .unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains(" 200 "));
}

#[tokio::test]
async fn who_takes_nothing_is_cut_off() {
    let limits = Limits {
        stall_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let site = Site::with(settings(), limits).await;
    let mut view = sample::view();
    // More than the buffers of a connection hold.
    view.announcements[0].text = "words ".repeat(4_000_000).into();
    site.web.publish(view);
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    // Making so long a page takes its time; being stalled begins with the first byte.
    stream.readable().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut taken = Vec::new();
    // A connection that was cut off ends early, with or without an error.
    let _end = timeout(PATIENCE, stream.read_to_end(&mut taken))
        .await
        .expect("it is closed");
    assert!(taken.len() < 20_000_000, "{} bytes arrived", taken.len());
}

#[tokio::test]
async fn only_so_many_connections() {
    let limits = Limits {
        max_connections: 2,
        ..Limits::default()
    };
    let site = Site::with(settings(), limits).await;
    site.web.publish(sample::view());
    let ask = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(site.address).await.unwrap();
        stream.write_all(ask).await.unwrap();
        assert!(stream.read(&mut [0; 64]).await.unwrap() > 0);
        open.push(stream);
    }
    let mut waiting = TcpStream::connect(site.address).await.unwrap();
    waiting.write_all(ask).await.unwrap();
    let mut buffer = [0; 64];
    assert!(
        timeout(Duration::from_millis(300), waiting.read(&mut buffer))
            .await
            .is_err()
    );
    drop(open);
    let read = timeout(PATIENCE, waiting.read(&mut buffer))
        .await
        .expect("its turn comes");
    assert!(read.unwrap() > 0);
}

#[tokio::test]
async fn a_busy_page_is_given_out_while_the_next_is_made() {
    let settings = WebSettings {
        page_grace: Duration::from_hours(1),
        ..settings()
    };
    let site = Site::with(settings, Limits::default()).await;
    site.web.publish(sample::view());
    let before = get(&site, "/", &[]).await.text().await.unwrap();
    site.web.publish(outage());
    let still = get(&site, "/", &[]).await.text().await.unwrap();
    assert_eq!(before, still);
    let next = async {
        while !get(&site, "/", &[])
            .await
            .text()
            .await
            .unwrap()
            .contains("connection refused")
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, next)
        .await
        .expect("the next page was made meanwhile");
}
