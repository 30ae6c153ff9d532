//! What is called, and with what.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use watchkeeper_sdk::config::{Secret, SecretUri, Uri};
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};
use watchkeeper_sdk::{Failure, Notice, Url};

/// What is called.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Receiver {
    /// An action that notifies.
    Action(Box<Action>),
    /// The address of an automation's webhook: `https://…/api/webhook/…`. Who
    /// knows it can call it, so it is treated as a secret.
    Webhook(SecretUri),
}

/// An action that notifies.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// Home Assistant's address.
    pub url: Uri,
    /// A long-lived access token.
    pub token: Secret,
    /// The action's name: `notify.mobile_app_my_phone`.
    #[schemars(regex(pattern = r"^[a-z0-9_]{1,100}\.[a-z0-9_]{1,200}$"))]
    pub name: String,
    /// More `data` for it, as its integration takes it.
    #[serde(default)]
    pub data: Map<String, Value>,
    /// Whether it is one of the companion app for phones: notices of one outage
    /// then take each other's place, a tap opens the status page, and what is dead
    /// breaks through the phone's silence.
    #[serde(default)]
    pub companion: bool,
}

/// Home Assistant names no limit; phones show less.
const TITLE: Limit = Limit::chars(250);
const MESSAGE: Limit = Limit::chars(4000);

/// Apple refuses longer identifiers (`apns-collapse-id`).
const TAG: Limit = Limit::bytes(64);

impl Action {
    pub(crate) fn address(&self) -> Result<Url, Failure> {
        let (domain, name) = self.name.split_once('.').ok_or_else(|| {
            Failure::permanent("config.to.action.name: write it like notify.mobile_app_my_phone")
        })?;
        let mut url = self.url.url().clone();
        for segment in ["api", "services", domain, name] {
            url.push_path(segment);
        }
        Ok(url)
    }

    /// By <https://companion.home-assistant.io/docs/notifications/notifications-basic/>
    /// and `…/critical-notifications/`.
    fn companion_data(notice: &Notice, wording: &Wording) -> Map<String, Value> {
        // The end of a thread tells it from others.
        let tag: String = notice.thread.chars().rev().take(TAG.most()).collect();
        let tag: String = tag.chars().rev().collect();
        let mut data = Map::from_iter([("tag".to_owned(), TAG.cut(&tag).into())]);
        if let Some(link) = wording.page_link() {
            // The one is read by Android, the other by iOS.
            data.insert("clickAction".to_owned(), link.url.as_str().into());
            data.insert("url".to_owned(), link.url.as_str().into());
        }
        if wording.severity == Severity::Dead {
            data.insert("ttl".to_owned(), 0.into());
            data.insert("priority".to_owned(), "high".into());
            data.insert("push".to_owned(), json!({"interruption-level": "critical"}));
        }
        data
    }
}

impl Receiver {
    /// The body of the request.
    pub(crate) fn body(&self, notice: &Notice) -> Value {
        let wording = Wording::of(notice);
        let mut body = json!({
            "title": inert(&TITLE.cut(&wording.headline())),
            "message": message(&wording),
        });
        match self {
            Self::Action(action) => {
                let mut data = if action.companion {
                    Action::companion_data(notice, &wording)
                } else {
                    Map::new()
                };
                data.extend(action.data.clone());
                if !data.is_empty() {
                    body["data"] = data.into();
                }
            }
            Self::Webhook(_) => {
                body["id"] = notice.id.as_str().into();
                body["thread"] = notice.thread.as_str().into();
                body["severity"] = wording.severity.word().into();
                body["url"] = wording.page_link().map(|link| link.url.as_str()).into();
            }
        }
        body
    }
}

/// What has no text has the title twice: an action refuses an empty message.
fn message(wording: &Wording) -> String {
    let text = wording.details(Markup::Plain, MESSAGE);
    inert(&if text.is_empty() {
        MESSAGE.cut(wording.subject())
    } else {
        text
    })
}

/// `text` without the beginning of a template: many versions of Home Assistant
/// evaluate those in titles and messages, and what targets say is none.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    let mut after_brace = false;
    for c in text.chars() {
        if after_brace && matches!(c, '{' | '%' | '#') {
            inert.push('\u{200B}');
        }
        inert.push(c);
        after_brace = c == '{';
    }
    inert
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_template() {
        for text in [
            "{{ 1 }}",
            "{{{ 1 }}}",
            "{% x %}",
            "{{% x",
            "{# x #}",
            "{{{{",
        ] {
            let text = inert(text);
            for begin in ["{{", "{%", "{#"] {
                assert!(!text.contains(begin), "{text}");
            }
        }
        assert_eq!(inert("{\"a\": {}}"), "{\"a\": {}}");
    }
}
