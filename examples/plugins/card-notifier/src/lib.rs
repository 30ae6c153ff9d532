use serde_json::{Value, json};
use watchkeeper_sdk::wording::{Markup, Wording};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier};
use watchkeeper_sdk::{config::SecretUri, http::Request};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Config {
    /// Where the cards go. Who knows it can post, so it is a secret.
    hook_url: SecretUri,
}

struct Cards;

impl Notifier for Cards {
    type Config = Config;
    const NAME: &str = "cards";
    const SUMMARY: &str = "Posts notices as Adaptive Cards";
    const ASKS: &[Capability] = &[Capability::Http];

    fn notify(config: Config, notice: &Notice, _: &Context) -> Result<(), Failure> {
        let words = Wording::of(notice);
        // Cards are Markdown; what targets say must not be.
        let plain = |text: &str| Markup::Markdown.escape(text);
        let facts = words.facts.iter();
        let facts = facts.map(|fact| json!({"title": fact.label, "value": plain(&fact.value)}));
        let title = json!({"type": "TextBlock", "text": plain(&words.headline()), "wrap": true});
        let facts = json!({"type": "FactSet", "facts": facts.collect::<Vec<Value>>()});
        let kind = "application/vnd.microsoft.card.adaptive";
        let card = json!({"type": "AdaptiveCard", "version": "1.4", "body": [title, facts]});
        let attachment = json!({"contentType": kind, "content": card});
        let message = json!({"type": "message", "attachments": [attachment]});
        let request = Request::to_url("POST", config.hook_url.expose().clone());
        request.json(&message).send()?.delivered()
    }
}

watchkeeper_sdk::notifier!(Cards);
