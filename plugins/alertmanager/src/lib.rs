//! Posts alerts to a Prometheus Alertmanager.

mod alert;

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Span, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::Wording;
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, log, threads};

use self::alert::{Known, alerts};

/// The notifier.
pub struct Alertmanager;

/// The configuration of an Alertmanager. Only `url` is required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Its address.
    pub url: Uri,
    /// The label `alertname` of every alert.
    #[serde(default = "alertname")]
    #[schemars(length(min = 1, max = 200))]
    pub alertname: String,
    /// More labels of every alert.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// How long an alert stays that is neither repeated by a reminder nor resolved.
    #[serde(default = "lasts")]
    pub lasts: Span,
    /// A token, where it or a proxy before it asks for one.
    #[serde(default)]
    pub token: Option<Secret>,
    /// A user's name and password, where there is no token.
    #[serde(default)]
    pub login: Option<Login>,
}

/// A user's name and password.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name.
    #[schemars(length(min = 1))]
    pub username: String,
    /// The password.
    pub password: Secret,
}

/// `api/v2/openapi.yaml`: an error is a text in JSON; what does not fit the schema
/// has a `message`.
const ANSWERS: Answers = Answers {
    reason: &["/message", ""],
    ..Answers::COMMON
};

impl Notifier for Alertmanager {
    type Config = Config;

    const NAME: &'static str = "alertmanager";
    const SUMMARY: &'static str = "Posts alerts to an Alertmanager";
    const ASKS: &'static [Capability] = &[Capability::Http, Capability::State];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let wording = Wording::of(notice);
        let known: Option<Known> = threads::recall(&notice.thread);
        let alerts = alerts(&config, notice, &wording, known);
        let mut url = config.url.url().clone();
        for segment in ["api", "v2", "alerts"] {
            url.push_path(segment);
        }
        let request = Request::to_url("POST", url).json(&alerts.posted);
        let request = match (&config.token, &config.login) {
            (Some(token), _) => request.bearer_auth(token.expose()),
            (None, Some(login)) => request.basic_auth(&login.username, login.password.expose()),
            (None, None) => request,
        };
        ANSWERS.judge(&request.send()?)?;
        let kept = match &alerts.known {
            Some(known) => threads::keep(&notice.thread, known),
            None => threads::forget(&notice.thread),
        };
        // It has arrived: another try would change nothing there.
        if let Err(error) = kept {
            log::warn(format!("the recovery may not find this alert: {error}"));
        }
        Ok(())
    }
}

fn alertname() -> String {
    "Watchkeeper".to_owned()
}

fn lasts() -> Span {
    Span::days(7)
}

watchkeeper_sdk::notifier!(Alertmanager);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
