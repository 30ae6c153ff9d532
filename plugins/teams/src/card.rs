//! What Teams shows: an Adaptive Card
//! (<https://adaptivecards.io/explorer/AdaptiveCard.html>).

use serde_json::{Value, json};
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};

/// Teams refuses messages of more than 28 KB
/// (<https://learn.microsoft.com/microsoftteams/limits-specifications-teams>).
/// JSON writes some bytes as two: with these every card stays below half of it.
const TITLE: Limit = Limit::bytes(600);
const BODY: Limit = Limit::bytes(4000);
const FACT: Limit = Limit::bytes(1500);
const LINK: Limit = Limit::bytes(1000);

/// The body of the request: one message with one card.
pub(crate) fn message(notice: &Notice) -> Value {
    let wording = Wording::of(notice);
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card(&wording),
        }],
    })
}

fn card(wording: &Wording) -> Value {
    let mut body = vec![json!({
        "type": "TextBlock",
        "text": Markup::Markdown.cut(&wording.headline(), TITLE),
        "size": "Medium",
        "weight": "Bolder",
        "color": match wording.severity {
            Severity::Info => "Accent",
            Severity::Healthy => "Good",
            Severity::Sick => "Warning",
            Severity::Dead => "Attention",
        },
        "wrap": true,
        "style": "heading",
    })];
    if !wording.body.is_empty() {
        body.push(text(&wording.body, BODY));
    }
    let (lists, facts): (Vec<_>, Vec<_>) = wording
        .facts
        .iter()
        .partition(|fact| fact.value.contains('\n'));
    // A fact set has no room for a list.
    for list in lists {
        body.push(json!({
            "type": "TextBlock",
            "text": list.label,
            "weight": "Bolder",
            "wrap": true,
        }));
        body.push(text(&list.value, FACT));
    }
    if !facts.is_empty() {
        let facts: Vec<Value> = facts
            .iter()
            .map(|fact| json!({"title": fact.label, "value": Markup::Markdown.cut(&fact.value, FACT)}))
            .collect();
        body.push(json!({"type": "FactSet", "facts": facts}));
    }
    if !wording.page.is_empty() {
        body.push(json!({
            "type": "TextBlock",
            "text": Markup::Markdown.cut(&wording.page, TITLE),
            "size": "Small",
            "isSubtle": true,
            "wrap": true,
        }));
    }
    let actions: Vec<Value> = wording
        .links
        .iter()
        .filter(|link| LINK.holds(&link.url))
        .map(|link| json!({"type": "Action.OpenUrl", "title": link.label, "url": link.url}))
        .collect();
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
        "actions": actions,
    })
}

/// A paragraph. In a text block one line break is a space, two are a paragraph.
fn text(text: &str, limit: Limit) -> Value {
    json!({
        "type": "TextBlock",
        "text": Markup::Markdown.cut(text, limit).replace('\n', "\n\n"),
        "wrap": true,
    })
}
