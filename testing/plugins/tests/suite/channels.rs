//! Notifiers of services that no test can start: each against a recording server
//! that answers as the service documents, and a check of the documented form.
//!
//! A file below has a [`Service`] and calls [`channel_tests!`]; what is special to
//! the service it tests itself.

mod alertmanager;
mod discord;
mod google_chat;
mod gotify;
mod grafana_oncall;
mod home_assistant;
mod incident_io;
mod mailgun;
mod matrix;
mod mattermost;
mod ntfy;
mod opsgenie;
mod pagerduty;
mod pushover;
mod rocketchat;
mod signal;
mod splunk_on_call;
mod teams;
mod telegram;
mod trackers;
mod twilio;
mod vonage;
mod webex;
mod zulip;

use std::time::Duration;

use plugin_tests::{Trial, affected, notice, of_delivery};
use serde_json::{Map, Value};
use target_server::{Answer, Received, Receiver};
use watchkeeper_sandbox::{Notice, Occasion, Verdict};

use crate::http::SHORT;
use crate::measured::shown;
use crate::webhook::receiver;

/// A service as its documentation describes it.
pub(crate) struct Service {
    /// The plugin's name.
    pub(crate) notifier: &'static str,
    /// A configuration that leads to the recording server, whose address without a
    /// path is given. Every secret in it contains [`SECRET`].
    pub(crate) config: fn(&str) -> Value,
    /// What the service answers to what it takes.
    pub(crate) taken: fn() -> Answer,
    /// Panics unless a request has the documented form and keeps its limits.
    pub(crate) form: fn(&Received),
    /// What the service answers to what it does not take, and what is made of it.
    pub(crate) refusals: fn() -> Vec<(Answer, &'static str)>,
    /// What would mention people or mark up if it arrived as it is.
    pub(crate) alive: &'static [&'static str],
}

/// All of them, for what is tried with each.
pub(crate) const SERVICES: [Service; 23] = [
    alertmanager::ALERTMANAGER,
    discord::DISCORD,
    google_chat::GOOGLE_CHAT,
    gotify::GOTIFY,
    grafana_oncall::GRAFANA_ONCALL,
    home_assistant::HOME_ASSISTANT,
    incident_io::INCIDENT_IO,
    mailgun::MAILGUN,
    matrix::MATRIX,
    mattermost::MATTERMOST,
    ntfy::NTFY,
    opsgenie::OPSGENIE,
    pagerduty::PAGERDUTY,
    pushover::PUSHOVER,
    rocketchat::ROCKET_CHAT,
    signal::SIGNAL,
    splunk_on_call::SPLUNK_ON_CALL,
    teams::TEAMS,
    telegram::TELEGRAM,
    twilio::TWILIO,
    vonage::VONAGE,
    webex::WEBEX,
    zulip::ZULIP,
];

/// Is in every secret of a test.
pub(crate) const SECRET: &str = "XXXXXXXXXXXXXXXX";

/// What targets would say to whom they wish no good.
const HOSTILE: &str = "\"</b></script><b>x</b>\r\nX-Injected: 1\r\n\r\n\0\u{1b}[31m\u{202E}\u{2066} \
    @everyone @all @here @channel <!channel> <users/all> <@1> @**all** @_**x** **bold** _i_ `c` ~~s~~ \
    [x](https://evil.test/) <https://evil.test/|y> <a href='https://evil.test/'>z</a> \\ | # ! \
    {{title}} ${title} %0d%0a \u{1F600}\u{FEFF} ";

/// A service with more keys in its configuration.
pub(crate) struct Tuned<'a> {
    service: &'a Service,
    keys: Value,
}

impl Tuned<'_> {
    pub(crate) fn trial(&self, receiver: &Receiver) -> Trial {
        let mut config = (self.service.config)(&address(receiver));
        let keys = self.keys.as_object().expect("a test gives an object");
        for (key, value) in keys {
            config[key] = value.clone();
        }
        Trial::new(self.service.notifier, &config.to_string())
    }

    /// What arrives when `notice` is delivered.
    pub(crate) async fn delivered(&self, notice: Notice) -> Received {
        let mut received = self.delivered_all(notice).await;
        assert_eq!(received.len(), 1);
        received.remove(0)
    }

    /// What arrives when `notice` is delivered in several requests.
    pub(crate) async fn delivered_all(&self, notice: Notice) -> Vec<Received> {
        let receiver = self.service.receiver().await;
        let said = self.trial(&receiver).deliver_in_words(notice).await;
        assert_eq!(said, "delivered");
        receiver.received()
    }

    /// Why nothing is even sent.
    pub(crate) async fn refused(&self) -> String {
        let receiver = self.service.receiver().await;
        let said = self.trial(&receiver).deliver_in_words(notice()).await;
        assert_eq!(receiver.received().len(), 0, "{said}");
        said
    }
}

impl Service {
    /// With these keys as well, a JSON object.
    pub(crate) fn with(&self, keys: Value) -> Tuned<'_> {
        Tuned {
            service: self,
            keys,
        }
    }

    pub(crate) fn trial(&self, receiver: &Receiver) -> Trial {
        let config = (self.config)(&address(receiver));
        Trial::new(self.notifier, &config.to_string())
    }

    pub(crate) async fn receiver(&self) -> Receiver {
        let receiver = receiver().await;
        receiver.otherwise((self.taken)());
        receiver
    }

    /// What arrives when `notice` is delivered.
    pub(crate) async fn delivered(&self, notice: Notice) -> Received {
        self.with(Value::Object(Map::new())).delivered(notice).await
    }

    /// Every kind of notice arrives in the documented form.
    pub(crate) async fn keeps_its_form(&self) {
        for notice in notices() {
            (self.form)(&self.delivered(notice).await);
        }
    }

    /// Nothing that a target says breaks the form or means anything.
    pub(crate) async fn survives_what_targets_say(&self) {
        for times in [1, 200] {
            let received = self.delivered(hostile(times)).await;
            (self.form)(&received);
            assert_eq!(received.header("x-injected"), None);
            assert!(!received.path.contains("Injected"), "{}", received.path);
            let texts = texts(&received);
            assert!(!texts.is_empty());
            for text in texts {
                let bad = text.chars().find(|c| {
                    (c.is_control() && *c != '\n')
                        || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
                });
                assert_eq!(bad, None, "{text:?}");
                for alive in self.alive {
                    assert!(!text.contains(alive), "{alive:?} in {text:?}");
                }
            }
        }
    }

    /// The service's refusals are told in its words, and tried again where that
    /// can help.
    pub(crate) async fn judges_refusals(&self) {
        let receiver = self.receiver().await;
        let trial = self.trial(&receiver);
        for (answer, expected) in (self.refusals)() {
            receiver.then([answer]);
            assert_eq!(trial.deliver_in_words(notice()).await, expected);
        }
        receiver.then([Answer::status(302).header("location", "http://evil.test/")]);
        let said = trial.deliver_in_words(notice()).await;
        assert!(
            said.starts_with("permanent: status 302 redirects to http://evil.test/"),
            "{said}"
        );
        // More than is read of an answer, and more than the host lets through: the
        // host tries again after that too.
        for (megabytes, expected) in [(3, "temporary: status 503: xxx"), (10, "limit: ")] {
            receiver.then([Answer::status(503).body("x".repeat(megabytes << 20))]);
            let said = trial.deliver_in_words(notice()).await;
            assert!(said.starts_with(expected), "{said}");
            assert!(said.len() < 1000, "{}", said.len());
        }
    }

    /// A secret is in nothing that is shown, whatever happens.
    pub(crate) async fn hides_its_secrets(&self) {
        let receiver = self.receiver().await;
        let config = (self.config)(&address(&receiver));
        let mut secrets = Vec::new();
        collect(&config, &mut secrets);
        secrets.retain(|text| text.contains(SECRET));
        assert!(!secrets.is_empty());
        receiver.then([
            (self.taken)(),
            Answer::status(401).body(secrets.join(" ")),
            Answer::reset(),
            Answer::hang(),
        ]);
        let trial = self.trial(&receiver).within(SHORT);
        for number in 0..4 {
            let run = trial
                .deliver(notice())
                .await
                .expect("the configuration fits");
            let shown = shown(&run);
            assert!(!shown.contains(SECRET), "{number}: {shown}");
            let said = of_delivery(&run.outcome);
            let expected =
                ["delivered", "permanent: status 401", "temporary: "][usize::min(number, 2)];
            assert!(said.starts_with(expected), "{number}: {said}");
        }
    }
}

/// Without a slash at its end.
fn address(receiver: &Receiver) -> String {
    receiver.url("")
}

/// An outage, one of which no more is known than that it is, a reminder with all
/// that there can be, a recovery, and one of many targets.
fn notices() -> Vec<Notice> {
    let nothing = Notice {
        title: String::new(),
        body: String::new(),
        affected: Vec::new(),
        lasted: None,
        page_title: String::new(),
        page_url: String::new(),
        started: None,
        occasion: Occasion::Trial,
        health: Verdict::Healthy,
        ..notice()
    };
    let whole = Notice {
        affected: vec![affected("api:health:https://a.test/", Verdict::Dead)],
        body: String::new(),
        reminder: 3,
        occasion: Occasion::Reminder,
        incident_url: Some("https://status.test/incidents/1".to_owned()),
        acknowledge_url: Some("https://status.test/acknowledge?k=a.b-c_d".to_owned()),
        ..notice()
    };
    let recovered = Notice {
        health: Verdict::Healthy,
        previous: Some(Verdict::Dead),
        title: "API is healthy again after 2 min 5 s".to_owned(),
        ..notice()
    };
    let many = Notice {
        affected: vec![affected("api:health:https://a.test/", Verdict::Sick); 50],
        health: Verdict::Sick,
        ..notice()
    };
    vec![notice(), nothing, whole, recovered, many]
}

pub(crate) fn hostile(times: usize) -> Notice {
    let text = HOSTILE.repeat(times);
    let mut one = affected(&format!("api:health:{text}"), Verdict::Dead);
    one.service.clone_from(&text);
    one.monitor.clone_from(&text);
    one.reason = Some(text.clone());
    Notice {
        title: text.clone(),
        body: text.clone(),
        affected: vec![one; if times == 1 { 1 } else { 50 }],
        lasted: Some(Duration::from_secs(90)),
        page_title: "Acme\r\nX-Injected: 1".to_owned(),
        page_url: format!("https://status.test/{text}"),
        incident_url: Some(format!("https://status.test/i/{text}")),
        acknowledge_url: Some("https://status.test/a".to_owned()),
        ..notice()
    }
}

/// Every text in a body of JSON or of a form.
pub(crate) fn texts(received: &Received) -> Vec<String> {
    if received.header("content-type") == Some("application/json") {
        let mut texts = Vec::new();
        collect(&received.json().expect("the body is JSON"), &mut texts);
        texts
    } else {
        form(received).into_iter().map(|(_, value)| value).collect()
    }
}

/// Every text in `value`.
fn collect(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect(value, texts)),
        Value::Object(values) => values.values().for_each(|value| collect(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Names and values of a form.
pub(crate) fn form(received: &Received) -> Vec<(String, String)> {
    assert_eq!(
        received.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    form_urlencoded::parse(&received.body)
        .into_owned()
        .collect()
}

/// Asserts how a request with JSON begins, and gives its body.
pub(crate) fn json(received: &Received, method: &str, path: &str) -> Value {
    assert_eq!(
        (received.method.as_str(), received.path.as_str()),
        (method, path)
    );
    assert_eq!(received.header("content-type"), Some("application/json"));
    received.json().expect("the body is JSON")
}

/// A text of a body, which must be there; its length in UTF-16 units is at most
/// `most` and not nothing.
#[track_caller]
pub(crate) fn text(value: &Value, most: usize) -> &str {
    let text = value.as_str().unwrap_or_else(|| panic!("no text: {value}"));
    let length = text.encode_utf16().count();
    assert!((1..=most).contains(&length), "{length} of {most}: {text}");
    text
}

/// A text that may be empty.
#[track_caller]
pub(crate) fn any_text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The values of a list.
#[track_caller]
pub(crate) fn list(value: &Value) -> &[Value] {
    value
        .as_array()
        .unwrap_or_else(|| panic!("no list: {value}"))
}

/// The one value of a list.
#[track_caller]
pub(crate) fn only(value: &Value) -> &Value {
    let [only] = list(value) else {
        panic!("not one: {value}");
    };
    only
}

/// The tests that every service has.
macro_rules! channel_tests {
    ($service:expr) => {
        #[test]
        fn every_notice_has_the_documented_form() {
            plugin_tests::run($service.keeps_its_form());
        }

        #[test]
        fn nothing_that_targets_say_means_anything() {
            plugin_tests::run($service.survives_what_targets_say());
        }

        #[test]
        fn refusals_are_told_in_the_services_words() {
            plugin_tests::run($service.judges_refusals());
        }

        #[test]
        fn secrets_are_in_nothing_that_is_shown() {
            plugin_tests::run($service.hides_its_secrets());
        }
    };
}
pub(crate) use channel_tests;
