//! GitHub and GitLab: an issue for every outage. A notice takes several requests
//! there, so that these are apart from the other services.

mod github;
mod gitlab;

use plugin_tests::Trial;
use serde_json::Value;
use target_server::{Answer, Received, Receiver};
use watchkeeper_sandbox::{Notice, Verdict};

use super::receiver;

/// A channel that posts to a recording server.
struct Channel {
    receiver: Receiver,
    trial: Trial,
}

impl Channel {
    async fn new(notifier: &str, config: fn(&str) -> Value) -> Self {
        let receiver = receiver().await;
        let config = config(&receiver.url(""));
        Self {
            trial: Trial::new(notifier, &config.to_string()).remembering(),
            receiver,
        }
    }

    /// The same, after all it remembered was lost.
    fn forgetful(&mut self) {
        self.trial = self.trial.clone().remembering();
    }

    /// What is said of a notice, and what was asked for it: `METHOD path`.
    async fn told(&self, notice: Notice, answers: Vec<Answer>) -> (String, Vec<Received>) {
        self.receiver.forget();
        self.receiver.then(answers);
        let said = self.trial.deliver_in_words(notice).await;
        (said, self.receiver.received())
    }
}

fn notice(id: &str, health: Verdict) -> Notice {
    Notice {
        id: id.to_owned(),
        health,
        ..plugin_tests::notice()
    }
}

/// `METHOD path`, without the query.
fn asked(received: &[Received]) -> Vec<String> {
    let path = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
    received
        .iter()
        .map(|received| format!("{} {}", received.method, path(&received.path)))
        .collect()
}

fn found(body: &Value) -> Answer {
    Answer::ok().body(body.to_string())
}

fn made(body: &Value) -> Answer {
    Answer::status(201).body(body.to_string())
}
