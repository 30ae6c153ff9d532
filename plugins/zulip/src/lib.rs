//! Sends notices to Zulip, to a channel or to people.

mod recipient;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

pub use self::recipient::Recipient;

/// The notifier.
pub struct Zulip;

/// The configuration of a Zulip bot and of whom it tells.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The organisation's address: `https://example.zulipchat.com`.
    pub site: Uri,
    /// The bot's e-mail address.
    #[schemars(length(min = 1))]
    pub bot_email: String,
    /// The bot's API key.
    pub api_key: Secret,
    /// Who is told.
    pub to: Recipient,
}

/// <https://zulip.com/api/send-message>: `max_message_length`, in code points,
/// is 10,000 unless the server says otherwise.
const CONTENT: Limit = Limit::chars(10_000);

/// <https://zulip.com/api/rest-error-handling>.
const ANSWERS: Answers = Answers {
    reason: &["/msg"],
    wait: &["/retry-after"],
    ..Answers::COMMON
};

impl Notifier for Zulip {
    type Config = Config;

    const NAME: &'static str = "zulip";
    const SUMMARY: &'static str = "Sends notices to a Zulip channel or to people";
    const ASKS: &'static [Capability] = &[Capability::Http];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let mut url = config.site.url().clone();
        for segment in ["api", "v1", "messages"] {
            url.push_path(segment);
        }
        let mut fields = config.to.fields();
        let content = Wording::of(notice).render(Markup::Zulip, CONTENT);
        fields.push(("content", content));
        let answer = Request::to_url("POST", url)
            .basic_auth(&config.bot_email, config.api_key.expose())
            .form(&fields)
            .send()?;
        ANSWERS.judge(&answer)
    }
}

watchkeeper_sdk::notifier!(Zulip);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
