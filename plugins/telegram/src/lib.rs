//! Sends notices to a Telegram chat through a bot.

mod chat;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use watchkeeper_sdk::config::{Secret, Uri};
use watchkeeper_sdk::http::{Answers, Request};
use watchkeeper_sdk::wording::{Limit, Markup, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};

pub use self::chat::Chat;

/// The notifier.
pub struct Telegram;

/// The configuration of a Telegram chat. `token` and `chat_id` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The bot's token, as `@BotFather` gives it.
    pub token: Secret,
    /// The chat: its number, negative for groups, or `@channelname`.
    pub chat_id: Chat,
    /// The number of a topic of a group that has topics.
    #[serde(default)]
    pub thread_id: Option<i64>,
    /// Deliver without a sound.
    #[serde(default)]
    pub silent: bool,
    /// Another server of the Bot API; `https://api.telegram.org` unless given.
    #[serde(default)]
    pub api_url: Option<Uri>,
}

/// <https://core.telegram.org/bots/api#sendmessage>: "1-4096 characters after
/// entities parsing". Before it, they are more.
const TEXT: Limit = Limit::utf16(4096);

/// <https://core.telegram.org/bots/api#making-requests>.
const ANSWERS: Answers = Answers {
    reason: &["/description"],
    wait: &["/parameters/retry_after"],
    ..Answers::COMMON
};

/// The parameters of `sendMessage`.
#[derive(Debug, Serialize)]
struct Parameters<'a> {
    chat_id: &'a Chat,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_thread_id: Option<i64>,
    text: String,
    parse_mode: &'static str,
    link_preview_options: Preview,
    disable_notification: bool,
}

#[derive(Debug, Serialize)]
struct Preview {
    is_disabled: bool,
}

impl Notifier for Telegram {
    type Config = Config;

    const NAME: &'static str = "telegram";
    const SUMMARY: &'static str = "Sends notices to a Telegram chat";
    const ASKS: &'static [Capability] = &[Capability::Http];
    const HOSTS: &'static [&'static str] = &["api.telegram.org:443"];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let token = token(config.token.expose())?;
        let api = config.api_url.as_ref().map(|api| api.url().to_string());
        let api = api.as_deref().unwrap_or("https://api.telegram.org");
        // As it is, not percent-encoded: so the host finds it and masks it.
        let url = format!("{}/bot{token}/sendMessage", api.trim_end_matches('/'));
        let parameters = Parameters {
            chat_id: &config.chat_id,
            message_thread_id: config.thread_id,
            text: Wording::of(notice).render(Markup::TelegramHtml, TEXT),
            parse_mode: "HTML",
            link_preview_options: Preview { is_disabled: true },
            disable_notification: config.silent,
        };
        ANSWERS.judge(&Request::post(url).json(&parameters).send()?)
    }
}

/// A part of the address: it must hold nothing that would change the rest.
fn token(token: &str) -> Result<&str, Failure> {
    let is_token = token.split_once(':').is_some_and(|(bot, key)| {
        !bot.is_empty()
            && bot.chars().all(|c| c.is_ascii_digit())
            && !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    });
    if is_token {
        Ok(token)
    } else {
        Err(Failure::permanent(
            "config.token: a bot's token is a number, a colon, and letters and digits",
        ))
    }
}

watchkeeper_sdk::notifier!(Telegram);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_change_the_address() {
        assert!(token("123456:ABC-def_1").is_ok());
        for wrong in ["", "x", "1:", ":a", "1:a/../b", "1:a?b", "a:1", "1:a\n"] {
            assert!(token(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
