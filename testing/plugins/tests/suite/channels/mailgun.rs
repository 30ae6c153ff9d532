//! Mailgun, by <https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages>.

use serde_json::json;
use target_server::{Answer, Received};

use super::{Service, form as fields};

pub(super) const MAILGUN: Service = Service {
    notifier: "mailgun",
    config: |server| {
        json!({
            "api_key": "XXXXXXXXXXXXXXXX",
            "domain": "mail.test",
            "from": "Status <status@mail.test>",
            "to": ["a@b.test", "C <c@d.test>"],
            "api_url": server,
        })
    },
    taken: || Answer::ok().body(r#"{"id":"<x@mail.test>","message":"Queued. Thank you."}"#),
    form,
    refusals: || {
        vec![
            (
                Answer::status(401).body("Forbidden"),
                "permanent: status 401: Forbidden",
            ),
            (
                Answer::status(400)
                    .body(r#"{"message":"to parameter is not a valid address. please check documentation"}"#),
                "permanent: status 400: to parameter is not a valid address. please check documentation",
            ),
            (
                Answer::status(429).body(r#"{"message":"Domain mail.test is rate limited"}"#),
                "temporary: status 429: Domain mail.test is rate limited",
            ),
        ]
    },
    alive: &["<script>", "<b>x</b>", "<a href='"],
};

#[test]
fn every_notice_has_the_documented_form() {
    plugin_tests::run(MAILGUN.keeps_its_form());
}

#[test]
fn refusals_are_told_in_the_services_words() {
    plugin_tests::run(MAILGUN.judges_refusals());
}

#[test]
fn secrets_are_in_nothing_that_is_shown() {
    plugin_tests::run(MAILGUN.hides_its_secrets());
}

fn all<'a>(fields: &'a [(String, String)], name: &str) -> Vec<&'a str> {
    fields
        .iter()
        .filter(|(other, _)| other == name)
        .map(|(_, value)| value.as_str())
        .collect()
}

fn form(received: &Received) {
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        ("POST", "/v3/mail.test/messages")
    );
    assert_eq!(
        received.header("authorization"),
        Some("Basic YXBpOlhYWFhYWFhYWFhYWFhYWFg=")
    );
    let fields = fields(received);
    assert_eq!(all(&fields, "from"), ["Status <status@mail.test>"]);
    assert_eq!(all(&fields, "to"), ["a@b.test", "C <c@d.test>"]);
    let [subject] = all(&fields, "subject")[..] else {
        panic!("{fields:?}");
    };
    assert!((1..=998).contains(&subject.len()) && !subject.contains(['\r', '\n']));
    assert_eq!(
        all(&fields, "h:Message-Id"),
        ["<0192f3a1-notice@mail.test>"]
    );
    assert_eq!(
        all(&fields, "h:References"),
        ["<api_health_1700000000000@mail.test>"]
    );
    let [html] = all(&fields, "html")[..] else {
        panic!("{fields:?}");
    };
    for alive in MAILGUN.alive {
        assert!(!html.contains(alive), "{alive}");
    }
    assert_eq!(all(&fields, "text").len(), 1);
}

// The plain text is what targets say, and no mail program reads it as HTML.
#[test]
fn nothing_that_targets_say_means_anything() {
    plugin_tests::run(async {
        let hostile = MAILGUN.delivered(super::hostile(1)).await;
        form(&hostile);
        let hostile = MAILGUN.delivered(super::hostile(200)).await;
        form(&hostile);
    });
}

#[test]
fn an_address_cannot_bring_headers() {
    plugin_tests::run(async {
        for (key, value) in [
            ("from", json!("x@y.test\r\nBcc: z@y.test")),
            ("to", json!(["x"])),
            ("domain", json!("a/../b")),
        ] {
            let said = MAILGUN.with(json!({key: value})).refused().await;
            assert!(said.contains(&format!("config.{key}")), "{said}");
        }
    });
}
