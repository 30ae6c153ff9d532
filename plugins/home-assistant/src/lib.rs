//! Hands notices to Home Assistant: to an action that notifies, or to a webhook of
//! an automation.

mod receiver;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

pub use self::receiver::{Action, Receiver};

/// The notifier.
pub struct HomeAssistant;

/// The configuration of Home Assistant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What is called.
    pub to: Receiver,
}

/// <https://developers.home-assistant.io/docs/api/rest/>.
const ANSWERS: Answers = Answers {
    reason: &["/message"],
    ..Answers::COMMON
};

impl Notifier for HomeAssistant {
    type Config = Config;

    const NAME: &'static str = "home-assistant";
    const SUMMARY: &'static str = "Hands notices to Home Assistant";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let body = config.to.body(notice);
        let request = match &config.to {
            Receiver::Action(action) => {
                Request::to_url("POST", action.address()?).bearer_auth(action.token.expose())
            }
            Receiver::Webhook(url) => Request::to_url("POST", url.expose().clone()),
        };
        ANSWERS.judge(&request.json(&body).send()?)
    }
}

watchkeeper_sdk::notifier!(HomeAssistant);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
