use proptest::prelude::*;

use super::*;

fn grants(patterns: &[&str]) -> Grants {
    let mut grants = Grants::new();
    for pattern in patterns {
        grants.grant(pattern.parse().unwrap());
    }
    grants
}

#[test]
fn patterns_match_what_they_say() {
    let grants = grants(&[
        "Example.com:443",
        "*.example.org:80",
        "db.internal:*",
        "[2001:db8::1]:5432",
    ]);
    for (host, port, allowed) in [
        ("example.com", 443, true),
        ("EXAMPLE.COM.", 443, true),
        ("example.com", 80, false),
        ("www.example.com", 443, false),
        ("notexample.com", 443, false),
        ("a.example.org", 80, true),
        ("a.b.example.org", 80, true),
        ("example.org", 80, false),
        ("notexample.org", 80, false),
        (".example.org", 80, false),
        ("db.internal", 1, true),
        ("db.internal", 65_535, true),
        ("[2001:db8::1]", 5432, true),
        ("2001:DB8:0::1", 5432, true),
        ("2001:db8::2", 5432, false),
    ] {
        assert_eq!(grants.allows(host, port).is_ok(), allowed, "{host}:{port}");
    }
}

#[test]
fn bad_patterns_say_why() {
    for (text, reason) in [
        (
            "example.com",
            "`example.com` has no port: write `host:port`",
        ),
        (
            "example.com:",
            "`example.com:` has no port: write `host:port`",
        ),
        (
            "example.com:0",
            "`example.com:0` has no valid port: 1 to 65535",
        ),
        (
            "example.com:+80",
            "`example.com:+80` has no valid port: 1 to 65535",
        ),
        (
            "example.com:65536",
            "`example.com:65536` has no valid port: 1 to 65535",
        ),
        (
            "*:443",
            "`*:443`: a `*` may only stand for whole labels in front, as in `*.example.com:443`",
        ),
        (
            "a*.example.com:443",
            "`a*.example.com:443`: a `*` may only stand for whole labels in front, as in `*.example.com:443`",
        ),
        ("a b:1", "`a b` is no host name"),
        ("::1", "`::1` has no port: write `host:port`"),
    ] {
        let error = text.parse::<HostPattern>().unwrap_err();
        assert_eq!(error.to_string(), reason);
    }
}

#[test]
fn a_refusal_names_the_line_that_would_grant_it() {
    let denied = Grants::new().allows("Example.com", 443).unwrap_err();
    assert_eq!(denied.to_string(), "not granted: example.com:443");
    assert_eq!(denied.remedy(), "allow = [\"example.com:443\"]");
    let denied = Grants::new().allows_host("::1").unwrap_err();
    assert_eq!(denied.to_string(), "not granted: [::1]");
    assert_eq!(denied.remedy(), "allow = [\"[::1]:*\"]");
    let denied = Grants::new().allows("a b", 1).unwrap_err();
    assert_eq!(
        denied.to_string(),
        "not granted: a b (`a b` is no host name)"
    );
}

#[test]
fn names_for_dns_questions() {
    let grants = grants(&["example.com:443", "*.example.org:1"]);
    for (name, allowed) in [
        ("example.com", true),
        ("_dmarc.example.com", true),
        ("_sip._tcp.example.com.", true),
        ("secret.example.com", false),
        ("_a.secret.example.com", false),
        ("_a._b._c.example.com", false),
        ("a.example.org", true),
        ("_dmarc.a.example.org", true),
    ] {
        assert_eq!(grants.allows_name(name).is_ok(), allowed, "{name}");
    }
}

#[test]
fn only_the_address_itself_names_a_listener() {
    let listener: SocketAddr = "127.0.0.1:8080".parse().unwrap();
    for (pattern, names) in [
        ("127.0.0.1:8080", true),
        ("localhost:8080", true),
        ("127.0.0.1:8081", false),
        ("127.0.0.1:*", false),
        ("status.example.com:8080", false),
        ("*.localhost:8080", false),
    ] {
        assert_eq!(
            grants(&[pattern]).names_listener(listener),
            names,
            "{pattern}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*") {
        drop(text.parse::<HostPattern>());
        drop(Grants::new().grant_url(&text));
    }

    #[test]
    fn a_pattern_is_read_as_it_is_written(text in "(\\*\\.)?[a-z]{1,8}(\\.[a-z0-9]{1,8}){0,3}:([1-9][0-9]{0,3}|\\*)") {
        if let Ok(pattern) = text.parse::<HostPattern>() {
            let written = pattern.to_string();
            prop_assert_eq!(written.parse::<HostPattern>(), Ok(pattern));
        }
    }
}

#[test]
fn a_pattern_covers_what_it_names_and_no_more() {
    let covers = |one: &str, other: &str| {
        let one: HostPattern = one.parse().unwrap();
        one.covers(&other.parse().unwrap())
    };
    for (one, other) in [
        ("a.example:443", "a.example:443"),
        ("a.example:*", "a.example:443"),
        ("a.example:*", "a.example:*"),
        ("*.example:443", "a.example:443"),
        ("*.example:443", "*.example:443"),
        ("*.example:443", "*.a.example:443"),
    ] {
        assert!(covers(one, other), "{one} {other}");
    }
    for (one, other) in [
        ("a.example:443", "a.example:80"),
        ("a.example:443", "a.example:*"),
        ("a.example:443", "*.example:443"),
        ("*.a.example:443", "*.example:443"),
        ("*.example:443", "example:443"),
        ("*.example:443", "127.0.0.1:443"),
    ] {
        assert!(!covers(one, other), "{one} {other}");
    }
}

#[test]
fn what_is_not_on_the_internet_is_seen_by_its_text() {
    let first = |urls: &[&str]| {
        let mut grants = Grants::new();
        for url in urls {
            grants.grant_url(url).unwrap();
        }
        grants.first_private().map(|(host, _)| host)
    };
    assert_eq!(
        first(&[
            "https://example.com",
            "tcp://192.0.2.1:1",
            "icmp://host.internal"
        ]),
        None
    );
    for (url, host) in [
        ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
        ("http://LOCALHOST", "localhost:80"),
        ("tcp://a.localhost:1", "a.localhost:1"),
        ("http://0x7f.1/", "127.0.0.1:80"),
        ("postgres://u:p@example.com,10.0.0.1/db", "10.0.0.1:5432"),
        ("http://[::ffff:192.168.0.1]/", "192.168.0.1:80"),
        ("http://169.254.169.254/", "169.254.169.254:80"),
    ] {
        assert_eq!(first(&[url]).as_deref(), Some(host), "{url}");
    }
}
