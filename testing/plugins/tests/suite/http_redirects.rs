//! The http probe: servers that send it elsewhere.

use plugin_tests::{Trial, check, run};

use crate::http::site;

/// `url` as a value in a query.
fn quoted(url: &str) -> String {
    url.replace('%', "%25")
        .replace('?', "%3F")
        .replace('&', "%26")
        .replace('=', "%3D")
}

#[test]
fn redirects_are_followed_as_far_as_asked() {
    run(async {
        let site = site().await;
        let once = site.url("/redirect?to=/ok");
        let twice = site.url(&format!("/redirect?to={}", quoted("/redirect?to=/ok")));
        let whole = site.url(&format!("/redirect?status=308&to={}", site.url("/ok")));
        let relative = site.url("/redirect?to=ok");
        let none = r#"{"redirects": {"follow": 0}}"#;
        let elsewhere = site.url("/redirect?to=ftp://a.test/file");
        for (target, config, expected) in [
            (
                &elsewhere,
                "{}",
                "dead: redirected to ftp://a.test/file: ftp is neither http nor https",
            ),
            (&once, "{}", "healthy"),
            (&twice, "{}", "healthy"),
            (&whole, "{}", "healthy"),
            (&relative, "{}", "healthy"),
            (
                &once,
                none,
                "dead: status 302, expected 2xx (redirects to /ok)",
            ),
            (
                &once,
                r#"{"redirects": {"follow": 0}, "expect": {"status": [302], "headers": [{"name": "location", "value": "/ok"}]}}"#,
                "healthy",
            ),
            (&once, r#"{"redirects": {"follow": 1}}"#, "healthy"),
            (
                &twice,
                r#"{"redirects": {"follow": 1}}"#,
                "dead: status 302, expected 2xx (redirects to /ok)",
            ),
            (&once, r#"{"redirects": {"follow": 21}}"#, "refused: "),
        ] {
            let said = check("http", target, config).await;
            assert!(said.starts_with(expected), "{target} {config}: {said}");
            assert!(
                expected.starts_with("refused") || said == expected,
                "{said}"
            );
        }
    });
}

#[test]
fn a_loop_ends() {
    run(async {
        let site = site().await;
        let said = check("http", &site.url("/redirect-loop"), "{}").await;
        assert_eq!(
            said,
            "dead: status 302, expected 2xx (redirects to /redirect-loop)"
        );
        assert_eq!(site.hits(), 11, "the first and ten redirects");
    });
}

#[test]
fn a_redirect_to_what_is_not_granted_is_no_verdict() {
    run(async {
        let (site, other) = (site().await, site().await);
        let target = site.url(&format!("/redirect?to={}", other.url("/ok")));
        let elsewhere = other.address();
        let trial = Trial::new("http", "{}");
        assert_eq!(
            trial.check_in_words(&target).await,
            format!(
                "undecided: not granted: {elsewhere}; \
                 add allow = [\"{elsewhere}\"] under [plugins.http]"
            )
        );
        assert_eq!(other.hits(), 0);
        let trial = trial.allow(elsewhere.to_string());
        assert_eq!(trial.check_in_words(&target).await, "healthy");

        let target = site.url("/redirect?to=http://169.254.169.254/latest/meta-data");
        let said = check("http", &target, "{}").await;
        assert!(
            said.starts_with("undecided: not granted: 169.254.169.254:80"),
            "{said}"
        );
    });
}

#[test]
fn a_redirect_to_no_web_site_is_told() {
    run(async {
        let site = site().await;
        for (to, expected) in [
            (
                "http://",
                "dead: redirected to http://, which is no URL: no host after the scheme",
            ),
            (
                "ftp://here.test/",
                "dead: redirected to ftp://here.test/: ftp is neither http nor https",
            ),
        ] {
            let said = check("http", &site.url(&format!("/redirect?to={to}")), "{}").await;
            assert!(said.starts_with(expected), "{said}");
        }
    });
}

#[test]
fn credentials_stay_with_the_target() {
    run(async {
        let (site, other) = (site().await, site().await);
        let config = |exists: bool| {
            format!(
                r#"{{"auth": {{"bearer": "token"}}, "headers": {{"x-key": "k"}}, "expect": {{"json": [
                {{"path": "$.headers.authorization", "op": "exists", "value": {exists}}},
                {{"path": "$.headers['x-key']", "op": "exists", "value": {exists}}}]}}}}"#
            )
        };
        let within = site.url("/redirect?to=/headers");
        let elsewhere = site.url(&format!("/redirect?to={}", other.url("/headers")));
        for (target, sent) in [(within, true), (elsewhere, false)] {
            let trial = Trial::new("http", &config(sent)).allow(other.address().to_string());
            assert_eq!(trial.check_in_words(&target).await, "healthy", "{target}");
        }
    });
}

#[test]
fn a_post_becomes_a_get_where_it_must() {
    run(async {
        let site = site().await;
        for (status, method) in [
            (301, "GET"),
            (302, "GET"),
            (303, "GET"),
            (307, "POST"),
            (308, "POST"),
        ] {
            let target = site.url(&format!("/redirect?status={status}&to=/headers"));
            let config = format!(
                r#"{{"method": "POST", "body": "x", "expect": {{"json": [{{"path": "$.method", "value": "{method}"}}]}}}}"#
            );
            assert_eq!(check("http", &target, &config).await, "healthy", "{status}");
        }
    });
}
