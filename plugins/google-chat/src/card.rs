//! What Google Chat shows: a card
//! (<https://developers.google.com/workspace/chat/api/reference/rest/v1/cards>).

use serde_json::{Value, json};
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Wording};

use crate::Config;

/// A message with its cards has 32,000 bytes at most
/// (<https://developers.google.com/workspace/chat/create-messages>). JSON writes
/// some bytes as two: with these every message stays below half of it.
const TITLE: Limit = Limit::bytes(600);
const BODY: Limit = Limit::bytes(5000);
const FACT: Limit = Limit::bytes(1500);
const LINK: Limit = Limit::bytes(1000);

/// A thread's key, by its documentation.
const THREAD: Limit = Limit::chars(4000);

/// The body of the request. Texts of a card are a kind of HTML; the title and the
/// text for notifications are plain.
pub(crate) fn message(notice: &Notice, config: &Config) -> Value {
    let wording = Wording::of(notice);
    let mut widgets = Vec::new();
    if !wording.body.is_empty() {
        let text = Markup::Html.cut(&wording.body, BODY);
        widgets.push(json!({"textParagraph": {"text": text.replace('\n', "<br>")}}));
    }
    for fact in &wording.facts {
        let text = Markup::Html.cut(&fact.value, FACT).replace('\n', "<br>");
        widgets.push(json!({
            "decoratedText": {"topLabel": fact.label, "text": text, "wrapText": true},
        }));
    }
    let buttons: Vec<Value> = wording
        .links
        .iter()
        .filter(|link| LINK.holds(&link.url))
        .map(|link| json!({"text": link.label, "onClick": {"openLink": {"url": link.url}}}))
        .collect();
    if !buttons.is_empty() {
        widgets.push(json!({"buttonList": {"buttons": buttons}}));
    }
    let title = TITLE.cut(&wording.headline());
    let mut card = json!({
        "header": {"title": title, "subtitle": TITLE.cut(&wording.page)},
    });
    if !widgets.is_empty() {
        card["sections"] = json!([{"widgets": widgets}]);
    }
    let mut message = json!({
        "fallbackText": title,
        "cardsV2": [{"cardId": "notice", "card": card}],
    });
    if config.mention_all && wording.severity.is_trouble() {
        message["text"] = "<users/all>".into();
    }
    if config.threads {
        message["thread"] = json!({"threadKey": THREAD.cut(&notice.thread)});
    }
    message
}
