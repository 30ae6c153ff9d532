//! The email notifier, against Exim, which delivers into a file.

use std::process::Command;
use std::time::Duration;

use plugin_tests::{ANY, Inetd, Trial, Workplace, notice, of_delivery, run};
use serde_json::{Value, json};
use target_server::{TcpBehaviour, TcpTarget, TlsKind};
use tokio::time::{Instant, sleep};
use watchkeeper_sandbox::{Notice, Occasion, Verdict};

use crate::http::SHORT;
use crate::measured::shown;
use crate::smtp::{Begins, exim_with};

/// Long, for a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Exim that takes mail for all but `nobody`, and for `later` once there is a file
/// `let-in`. All that it takes comes into the file `mails`.
pub(crate) fn postman(kind: Option<TlsKind>, begins: Begins) -> Option<Inetd> {
    exim_with(kind, begins, |place| receiving(place, "1M"))
}

fn receiving(place: &Workplace, size: &str) -> String {
    let place = place.path().display();
    format!(
        "deliver_drop_privilege\n\
         message_size_limit = {size}\n\
         acl_smtp_rcpt = rcpt\n\
         acl_smtp_data = data\n\
         begin acl\n\
         rcpt:\n  deny local_parts = nobody\n       message = no such person here\n  \
         defer local_parts = later\n        condition = ${{if exists{{{place}/let-in}}{{no}}{{yes}}}}\n        \
         message = greylisted, try again in 300 seconds\n  accept\n\
         data:\n  deny condition = ${{if match{{$h_Subject:}}{{buy now}}}}\n       \
         message = this is spam\n  accept\n\
         begin routers\n\
         all:\n  driver = accept\n  transport = file\n\
         begin transports\n\
         file:\n  driver = appendfile\n  file = {place}/mails\n  envelope_to_add\n"
    )
}

/// The configuration for a server, with more keys.
fn config(server: &Inetd, keys: Value) -> String {
    let mut config = json!({
        "server": format!("smtp://localhost:{}", server.address().port()),
        "from": "watch@acme.test",
        "to": ["Operations <ops@acme.test>"],
    });
    merge(&mut config, keys);
    config.to_string()
}

/// Puts these keys in, or in place of others.
pub(crate) fn merge(config: &mut Value, keys: Value) {
    let Value::Object(keys) = keys else {
        panic!("a test gives an object: {keys}");
    };
    for (key, value) in keys {
        config[key] = value;
    }
}

fn login(mechanism: &str, password: &str) -> Value {
    json!({"username": "watch", "password": password, "mechanism": mechanism})
}

/// Every mail that came, as Python's own parser reads it: headers, and the text of
/// each part. The server delivers when it likes: waits for `count`.
async fn mails(server: &Inetd, count: usize) -> Vec<Value> {
    const READ: &str = "
import email.policy, json, mailbox, sys
box = mailbox.mbox(sys.argv[1])
out = []
for raw in box:
    mail = email.message_from_bytes(raw.as_bytes(), policy=email.policy.default)
    out.append({
        'headers': [[name, str(value)] for name, value in mail.items()],
        'parts': {part.get_content_type(): part.get_content()
                  for part in mail.walk() if not part.is_multipart()},
        'type': mail.get_content_type(),
        'defects': [repr(defect) for part in mail.walk() for defect in part.defects],
    })
print(json.dumps(out))
";
    let file = server.workplace().path().join("mails");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut found = Vec::new();
        if file.exists() {
            let output = Command::new("/usr/bin/python3")
                .args(["-c", READ])
                .arg(&file)
                .output()
                .expect("Debian has Python");
            // It may be written to at this moment.
            found = serde_json::from_slice(&output.stdout).unwrap_or_default();
        }
        let log = || server.workplace().read("log/mainlog");
        assert!(found.len() <= count, "{found:?}");
        if found.len() == count {
            return found;
        }
        assert!(Instant::now() < deadline, "{found:?} {}", log());
        sleep(Duration::from_millis(50)).await;
    }
}

fn header<'a>(mail: &'a Value, name: &str) -> Vec<&'a str> {
    let headers = mail["headers"].as_array().expect("the reader lists them");
    let named = headers.iter().filter(|header| header[0] == name);
    named.filter_map(|header| header[1].as_str()).collect()
}

/// Delivers with these keys; what came of it in words.
async fn deliver(server: &Inetd, keys: Value, notice: Notice) -> String {
    let trial = Trial::new("email", &config(server, keys));
    trial.deliver_in_words(notice).await
}

#[test]
fn a_mail_arrives_as_text_and_html() {
    run(async {
        let Some(server) = postman(Some(TlsKind::Valid), Begins::InTheClear) else {
            return;
        };
        let keys = json!({
            "cc": ["Ätna <desk@acme.test>"], "reply_to": "desk@acme.test",
            "login": login("plain", "right"),
        });
        assert_eq!(deliver(&server, keys, notice()).await, "delivered");
        let mails = mails(&server, 2).await;
        let mut to: Vec<_> = mails
            .iter()
            .flat_map(|mail| header(mail, "Envelope-to"))
            .collect();
        to.sort_unstable();
        assert_eq!(to, ["desk@acme.test", "ops@acme.test"]);
        let mail = &mails[0];
        assert_eq!(mail["defects"], json!([]));
        for (name, expected) in [
            ("From", "\"Acme <status>\" <watch@acme.test>"),
            ("To", "Operations <ops@acme.test>"),
            ("Cc", "Ätna <desk@acme.test>"),
            ("Reply-To", "desk@acme.test"),
            ("Subject", "API is dead: \"<refused>\" & more"),
            ("Date", "Tue, 14 Nov 2023 22:13:25 +0000"),
            ("Message-ID", "<0192f3a1-notice@acme.test>"),
            (
                "References",
                "<thread.api=2Fhealth=401700000000000@acme.test>",
            ),
            (
                "In-Reply-To",
                "<thread.api=2Fhealth=401700000000000@acme.test>",
            ),
            ("Auto-Submitted", "auto-generated"),
            ("Importance", "high"),
        ] {
            assert_eq!(header(mail, name), [expected], "{name}");
        }
        assert_eq!(mail["type"], "multipart/alternative");
        let text = mail["parts"]["text/plain"].as_str().unwrap();
        let start = "❌ API is dead: \"<refused>\" & more\nfirst line\nsecond \\ line\n";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("https://status.test/?a=1&b=2"), "{text}");
        let html = mail["parts"]["text/html"].as_str().unwrap();
        assert!(html.contains("API is dead: &quot;&lt;refused&gt;&quot; &amp; more</h1>"));
        assert!(html.contains("first line<br>\nsecond \\ line"), "{html}");
        assert!(html.contains("#C4291C"), "{html}");
        let log = server.workplace().read("log/mainlog");
        assert!(
            log.contains("A=plain:watch") && log.contains("X=TLS1.3"),
            "{log}"
        );
        assert!(!log.contains("without QUIT"), "{log}");
    });
}

#[test]
fn another_attempt_is_the_same_mail() {
    run(async {
        let Some(server) = postman(None, Begins::InTheClear) else {
            return;
        };
        let clear = json!({"encryption": "none"});
        let recovered = Notice {
            id: "another".to_owned(),
            occasion: Occasion::Changed,
            health: Verdict::Healthy,
            ..notice()
        };
        for notice in [notice(), notice(), recovered] {
            assert_eq!(deliver(&server, clear.clone(), notice).await, "delivered");
        }
        let mails = mails(&server, 3).await;
        let ids = |name| -> Vec<_> { mails.iter().flat_map(|mail| header(mail, name)).collect() };
        let (one, two) = ("<0192f3a1-notice@acme.test>", "<another@acme.test>");
        let mut found = ids("Message-ID");
        found.sort_unstable();
        assert_eq!(found, [one, one, two]);
        let threads = ids("References");
        assert!(threads.iter().all(|thread| *thread == threads[0]));
        assert_eq!(ids("Importance"), ["high", "high"]);
    });
}

#[test]
fn nothing_that_targets_say_means_anything() {
    run(async {
        let Some(server) = postman(None, Begins::InTheClear) else {
            return;
        };
        let hostile = "\r\nBcc: evil@evil.test\r\n\r\n.\r\nRSET\r\n\u{202E}\0\u{1b}[31m\
                       </h1><script>x</script><a href='https://evil.test/'>=?utf-8?Q?x?= é \u{1F600}";
        for times in [1, 300] {
            let text = hostile.repeat(times);
            let notice = Notice {
                id: text.chars().take(100).collect(),
                title: text.clone(),
                body: text.clone(),
                page_title: text.clone(),
                thread: text.clone(),
                incident_url: Some(format!("https://status.test/{text}")),
                ..notice()
            };
            let clear = json!({"encryption": "none"});
            assert_eq!(deliver(&server, clear, notice).await, "delivered");
        }
        for mail in mails(&server, 2).await {
            assert_eq!(mail["defects"], json!([]));
            assert_eq!(header(&mail, "Envelope-to"), ["ops@acme.test"]);
            assert_eq!(header(&mail, "Bcc").len(), 0);
            let [subject] = header(&mail, "Subject")[..] else {
                panic!("{mail}");
            };
            assert!(
                subject.starts_with("Bcc: evil@evil.test . RSET"),
                "{subject}"
            );
            for text in [
                subject,
                header(&mail, "From")[0],
                mail["parts"]["text/plain"].as_str().unwrap(),
            ] {
                let bad = text.chars().find(|c| {
                    (c.is_control() && *c != '\n') || matches!(c, '\u{202A}'..='\u{202E}')
                });
                assert_eq!(bad, None, "{text:?}");
            }
            let html = mail["parts"]["text/html"].as_str().unwrap();
            assert!(
                !html.contains("<script") && !html.contains("<a href='"),
                "{html}"
            );
        }
    });
}

#[test]
fn who_can_get_the_mail_gets_it_once() {
    run(async {
        let Some(server) = postman(None, Begins::InTheClear) else {
            return;
        };
        let to = |to: &[&str]| {
            let all: Vec<String> = to.iter().map(|name| format!("{name}@acme.test")).collect();
            Trial::new(
                "email",
                &config(&server, json!({"encryption": "none", "to": all})),
            )
        };
        let never = r#"the server refuses the recipient: "550 no such person here""#;
        let said = to(&["nobody"]).deliver_in_words(notice()).await;
        assert_eq!(said, format!("permanent: {never}"));
        let trial = to(&["nobody", "later", "ops"]).remembering();
        for _ in 0..2 {
            assert_eq!(
                trial.deliver_in_words(notice()).await,
                format!(
                    "temporary: nobody@acme.test: {never}; later@acme.test: the server refuses \
                     the recipient: \"451 greylisted, try again in 300 seconds\" (wait 300 s)"
                )
            );
        }
        server.workplace().write("let-in", "");
        // All are told but the one who cannot be, which is no reason to try again.
        assert_eq!(
            trial.deliver_in_words(notice()).await,
            format!("permanent: nobody@acme.test: {never}")
        );
        let mails = mails(&server, 2).await;
        let mut to: Vec<_> = mails
            .iter()
            .flat_map(|mail| header(mail, "Envelope-to"))
            .collect();
        to.sort_unstable();
        assert_eq!(to, ["later@acme.test", "ops@acme.test"]);
    });
}

#[test]
fn logins_are_refused_in_the_servers_words() {
    run(async {
        let Some(server) = postman(Some(TlsKind::Valid), Begins::InTheClear) else {
            return;
        };
        for mechanism in ["plain", "login"] {
            let right = json!({"login": login(mechanism, "right")});
            assert_eq!(deliver(&server, right, notice()).await, "delivered");
            let wrong = json!({"login": login(mechanism, "wr0ng-one")});
            let trial = Trial::new("email", &config(&server, wrong));
            let run = trial.deliver(notice()).await.unwrap();
            assert_eq!(
                of_delivery(&run.outcome),
                r#"permanent: the server refuses the login of watch: "535 Incorrect authentication data""#
            );
            assert!(!shown(&run).contains("wr0ng-one"));
        }
        let Some(clear) = postman(None, Begins::InTheClear) else {
            return;
        };
        let mut allowed = login("plain", "right");
        allowed["in_the_clear"] = true.into();
        for (keys, expected) in [
            (
                json!({"encryption": "none", "login": login("plain", "right")}),
                "permanent: config.login: encryption = \"none\" would send the password in the clear: allow it with in_the_clear = true",
            ),
            (
                json!({"encryption": "opportunistic", "login": login("plain", "right")}),
                "temporary: the server offers no TLS to log in over: allow it with config.login.in_the_clear = true",
            ),
            (json!({"encryption": "none", "login": allowed}), "delivered"),
        ] {
            assert_eq!(deliver(&clear, keys, notice()).await, expected);
        }
    });
}

#[test]
fn encryption_is_as_configured() {
    run(async {
        let valid = Some(TlsKind::Valid);
        let own = Some(TlsKind::SelfSigned);
        let clear = Begins::InTheClear;
        for (kind, begins, keys, expected) in [
            (valid, clear, json!({}), "delivered"),
            (valid, clear, json!({"encryption": "none"}), "delivered"),
            (
                valid,
                Begins::WithTls,
                json!({"encryption": "implicit"}),
                "delivered",
            ),
            (
                None,
                clear,
                json!({}),
                "temporary: the server does not offer STARTTLS: nothing is sent in the clear unless config.encryption = \"opportunistic\"",
            ),
            (
                None,
                clear,
                json!({"encryption": "opportunistic"}),
                "delivered",
            ),
            (
                None,
                clear,
                json!({"encryption": "implicit"}),
                "temporary: the server does not speak TLS",
            ),
            (
                own,
                clear,
                json!({}),
                "temporary: certificate is self-signed",
            ),
            (
                own,
                clear,
                json!({"encryption": "opportunistic"}),
                "delivered",
            ),
            (
                own,
                clear,
                json!({"encryption": "opportunistic", "login": login("plain", "right")}),
                "temporary: certificate is self-signed",
            ),
            (
                own,
                clear,
                json!({"tls": {"allow_untrusted": true}}),
                "delivered",
            ),
            (
                valid,
                clear,
                json!({"tls": {"server_name": "other.test"}}),
                "temporary: certificate name does not match: names are localhost, 127.0.0.1, ::1",
            ),
        ] {
            let Some(server) = postman(kind, begins) else {
                return;
            };
            assert_eq!(
                deliver(&server, keys.clone(), notice()).await,
                expected,
                "{keys}"
            );
        }
    });
}

#[test]
fn a_mail_can_be_refused_or_too_large() {
    run(async {
        let Some(server) = postman(None, Begins::InTheClear) else {
            return;
        };
        let spam = Notice {
            title: "buy now".to_owned(),
            ..notice()
        };
        let clear = json!({"encryption": "none"});
        assert_eq!(
            deliver(&server, clear.clone(), spam).await,
            r#"permanent: the server refuses the mail: "550 this is spam""#
        );
        let small = exim_with(None, Begins::InTheClear, |place| receiving(place, "1K"));
        let Some(small) = small else {
            return;
        };
        let said = deliver(&small, clear, notice()).await;
        let start = "permanent: the server takes no more than 1024 bytes, and the mail has ";
        assert!(said.starts_with(start), "{said}");
    });
}

#[test]
fn mistakes_are_named() {
    run(async {
        for (keys, expected) in [
            (
                json!({"server": "https://a.test"}),
                "permanent: config.server: https:// is not for mail",
            ),
            (json!({"to": []}), "refused: config.to"),
            (json!({"to": ["ops"]}), "refused: config.to"),
            (json!({"from": "a@b.test\r\nX: y"}), "refused: config.from"),
            (json!({"from": "a@-b"}), "permanent: config.from: "),
            (json!({"encryption": "maybe"}), "refused: config.encryption"),
            (json!({"hello": "a b"}), "refused: config.hello"),
        ] {
            let mut config = json!({
                "server": "smtp://localhost:1", "from": "watch@acme.test", "to": ["ops@acme.test"],
            });
            merge(&mut config, keys.clone());
            let said = plugin_tests::deliver("email", &config.to_string(), notice()).await;
            assert!(said.starts_with(expected), "{keys}: {said}");
        }
    });
}

#[test]
fn what_is_no_mail_server_is_tried_again() {
    run(async {
        let mut server = TcpTarget::start(ANY, TcpBehaviour::Hang).await.unwrap();
        let to = |host: &str| {
            let json = json!({
                "server": format!("smtp://{host}"), "from": "w@acme.test", "to": ["o@acme.test"],
                "encryption": "opportunistic",
            });
            Trial::new("email", &json.to_string())
        };
        let here = to(&server.address().to_string());
        let silent = here.clone().within(SHORT);
        assert_eq!(
            silent.deliver_in_words(notice()).await,
            "temporary: waited 1 s for the greeting"
        );
        let says = |line: &str| TcpBehaviour::Echo {
            banner: Some(line.to_owned()),
        };
        for (behaviour, expected) in [
            (
                TcpBehaviour::greeting(),
                r#"temporary: the server does not speak SMTP: "target-server ready""#,
            ),
            (
                says("554 no service here"),
                r#"permanent: the server greets with "554 no service here""#,
            ),
            (
                says("421 busy, try again in 2 minutes"),
                r#"temporary: the server greets with "421 busy, try again in 2 minutes" (wait 120 s)"#,
            ),
            (
                TcpBehaviour::Close,
                "temporary: connection closed before the greeting",
            ),
        ] {
            server.set(behaviour);
            assert_eq!(here.deliver_in_words(notice()).await, expected);
        }
        server.stop().await;
        assert_eq!(
            here.deliver_in_words(notice()).await,
            "temporary: connection refused"
        );
        assert_eq!(
            to("gone.test").deliver_in_words(notice()).await,
            "temporary: no such host: gone.test"
        );
        let ungranted = here.ungranted().deliver_in_words(notice()).await;
        assert!(
            ungranted.starts_with("undecided: ") || ungranted.starts_with("permanent: "),
            "{ungranted}"
        );
    });
}
