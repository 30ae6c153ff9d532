//! Sends notices to phones through Pushover.

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Span, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

/// The notifier.
pub struct Pushover;

/// The configuration of Pushover. `token` and `user` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The application's API token.
    pub token: Secret,
    /// The key of a user or group; of several users with commas between.
    pub user: Secret,
    /// One device of the user, instead of all.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[A-Za-z0-9_,-]{1,200}$"))]
    pub device: Option<String>,
    /// The name of a sound, instead of the user's own.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[a-z0-9_]{1,40}$"))]
    pub sound: Option<String>,
    /// How much noise a notice makes, from -2 (none) to 2 (until somebody
    /// acknowledges).
    #[serde(default)]
    pub priority: Priority,
    /// How long Pushover waits before it tells an emergency again: 30 s at least.
    #[serde(default = "retry")]
    pub retry: Span,
    /// How long it goes on: 3 h at most.
    #[serde(default = "expire")]
    pub expire: Span,
    /// Another address of the API.
    #[serde(default = "api")]
    pub api_url: Uri,
}

/// A priority for each severity.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Priority {
    /// Of what is dead.
    #[schemars(range(min = -2, max = 2))]
    pub dead: i8,
    /// Of what is sick.
    #[schemars(range(min = -2, max = 2))]
    pub sick: i8,
    /// Of what is well again.
    #[schemars(range(min = -2, max = 1))]
    pub healthy: i8,
    /// Of all else.
    #[schemars(range(min = -2, max = 1))]
    pub info: i8,
}

impl Default for Priority {
    fn default() -> Self {
        Self {
            dead: 1,
            sick: 0,
            healthy: 0,
            info: -1,
        }
    }
}

/// This and the following by <https://pushover.net/api#limits>.
const MESSAGE: Limit = Limit::chars(1024);
const TITLE: Limit = Limit::chars(250);
const ADDRESS: Limit = Limit::chars(512);

/// This and the following by <https://pushover.net/api#priority>.
const EMERGENCY: i8 = 2;
const SHORTEST_RETRY: Duration = Duration::from_secs(30);
const LONGEST_EXPIRE: Duration = Duration::from_hours(3);

/// <https://pushover.net/api#response>.
const ANSWERS: Answers = Answers {
    reason: &["/errors"],
    ..Answers::COMMON
};

impl Notifier for Pushover {
    type Config = Config;

    const NAME: &'static str = "pushover";
    const SUMMARY: &'static str = "Sends notices through Pushover";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["api.pushover.net:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let wording = Wording::of(notice);
        if wording.severity == Severity::Healthy && config.has_emergencies() {
            config.end_emergencies(notice)?;
        }
        let fields = config.fields(notice, &wording)?;
        let mut url = config.api_url.url().clone();
        url.push_path("1");
        url.push_path("messages.json");
        ANSWERS.judge(&Request::to_url("POST", url).form(&fields).send()?)
    }
}

impl Config {
    fn priority(&self, severity: Severity) -> i8 {
        match severity {
            Severity::Dead => self.priority.dead,
            Severity::Sick => self.priority.sick,
            Severity::Healthy => self.priority.healthy,
            Severity::Info => self.priority.info,
        }
    }

    fn has_emergencies(&self) -> bool {
        self.priority.dead == EMERGENCY || self.priority.sick == EMERGENCY
    }

    /// Stops what still rings of the notice's thread
    /// (<https://pushover.net/api/receipts#cancel_by_tag>).
    fn end_emergencies(&self, notice: &Notice) -> Result<(), Failure> {
        let mut url = self.api_url.url().clone();
        for segment in ["1", "receipts", "cancel_by_tag"] {
            url.push_path(segment);
        }
        url.push_path(&format!("{}.json", tag(notice)));
        let token = [("token", self.token.expose())];
        ANSWERS.judge(&Request::to_url("POST", url).form(&token).send()?)
    }

    fn fields(
        &self,
        notice: &Notice,
        wording: &Wording,
    ) -> Result<Vec<(&'static str, String)>, Failure> {
        let mut text = wording.clone();
        let link = wording
            .page_link()
            .filter(|link| ADDRESS.holds(&link.url))
            .cloned();
        // It has a place of its own.
        text.links.retain(|other| Some(other) != link.as_ref());
        let details = text.details(Markup::Plain, MESSAGE);
        let priority = self.priority(wording.severity);
        let mut fields = vec![
            ("token", self.token.expose().to_owned()),
            ("user", self.user.expose().to_owned()),
            ("title", TITLE.cut(&wording.headline())),
            (
                "message",
                // Pushover refuses a message without text.
                if details.is_empty() {
                    MESSAGE.cut(wording.subject())
                } else {
                    details
                },
            ),
            ("priority", priority.to_string()),
            ("timestamp", notice.at.seconds().to_string()),
        ];
        if let Some(link) = link {
            fields.push(("url_title", link.label.to_owned()));
            fields.push(("url", link.url));
        }
        if let Some(device) = &self.device {
            fields.push(("device", device.clone()));
        }
        if let Some(sound) = &self.sound {
            fields.push(("sound", sound.clone()));
        }
        if priority == EMERGENCY {
            let (retry, expire) = (self.retry.duration(), self.expire.duration());
            if retry < SHORTEST_RETRY {
                return Err(Failure::permanent("config.retry: at least 30s"));
            }
            if expire > LONGEST_EXPIRE {
                return Err(Failure::permanent("config.expire: at most 3h"));
            }
            fields.push(("retry", retry.as_secs().to_string()));
            fields.push(("expire", expire.as_secs().to_string()));
            fields.push(("tags", tag(notice)));
        }
        Ok(fields)
    }
}

/// The thread as a tag: commas divide tags, and slashes paths.
fn tag(notice: &Notice) -> String {
    notice
        .thread
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect()
}

fn retry() -> Span {
    Span::new(Duration::from_mins(1))
}

fn expire() -> Span {
    Span::new(Duration::from_hours(1))
}

fn api() -> Uri {
    Uri::parse("https://api.pushover.net").expect("it is a URL with a host")
}

watchkeeper_sdk::notifier!(Pushover);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
