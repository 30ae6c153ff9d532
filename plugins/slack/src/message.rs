//! What Slack shows.

use serde::Serialize;
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Severity, Wording};

use crate::Mention;

/// Slack folds away what is longer than a few hundred characters and refuses
/// what is much longer; these keep a message whole and well below that.
const TITLE: Limit = Limit::chars(300);
const BODY: Limit = Limit::chars(2000);
const FIELD: Limit = Limit::chars(2000);

/// The body of an incoming webhook's request.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    text: String,
    attachments: [Attachment; 1],
}

#[derive(Debug, Serialize)]
struct Attachment {
    fallback: String,
    color: String,
    text: String,
    fields: Vec<Field>,
    mrkdwn_in: [&'static str; 2],
    footer: String,
    /// Seconds since 1970; Slack shows it in each reader's own time.
    ts: u64,
}

#[derive(Debug, Serialize)]
struct Field {
    title: &'static str,
    value: String,
    short: bool,
}

impl Message {
    /// The message for a notice. The mention is left out when all is well again.
    pub(crate) fn new(notice: &Notice, mention: Option<&Mention>) -> Self {
        let wording = Wording::of(notice);
        let title = Markup::Slack.cut(&wording.title, TITLE);
        let text = match mention {
            Some(Mention(mention)) if wording.severity.is_trouble() => {
                format!("{mention} {title}")
            }
            Some(_) | None => title.clone(),
        };
        let mut fields: Vec<Field> = wording
            .facts
            .iter()
            .map(|fact| Field {
                title: fact.label,
                value: Markup::Slack.cut(&fact.value, FIELD),
                short: fact.is_short(),
            })
            .collect();
        let links = wording.links_in(Markup::Slack, FIELD);
        if !links.is_empty() {
            fields.push(Field {
                title: "More",
                value: links,
                short: true,
            });
        }
        Self {
            text,
            attachments: [Attachment {
                fallback: title,
                color: match wording.severity {
                    // Slack's own words, which fit the reader's theme.
                    Severity::Healthy => "good".to_owned(),
                    Severity::Sick => "warning".to_owned(),
                    Severity::Dead => "danger".to_owned(),
                    Severity::Info => wording.severity.hex(),
                },
                text: Markup::Slack.cut(&wording.body, BODY),
                fields,
                mrkdwn_in: ["text", "fields"],
                footer: Markup::Slack.cut(&wording.page, TITLE),
                ts: notice.at.seconds(),
            }],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use watchkeeper_sdk::{Affected, Health, Occasion, Timestamp};

    use super::*;

    fn notice(health: Health) -> Notice {
        Notice {
            id: "n1".to_owned(),
            occasion: Occasion::Changed,
            health,
            previous: None,
            at: Timestamp::from_seconds(1_700_000_000),
            title: "API is <down> & out".to_owned(),
            body: "x".repeat(3000),
            affected: vec![Affected {
                id: "api:health:https://a.test:8443/x".to_owned(),
                service: "API".to_owned(),
                monitor: "Health".to_owned(),
                health,
                reason: Some("<!channel> connection refused".to_owned()),
                since: Timestamp::from_seconds(1_700_000_000),
            }],
            lasted: Some(Duration::from_secs(125)),
            reminder: 0,
            page_title: "Acme".to_owned(),
            page_url: "https://status.test/?a=1&b=|".to_owned(),
            incident_url: None,
            thread: "api/health@1".to_owned(),
            started: None,
            acknowledge_url: Some("https://status.test/a".to_owned()),
        }
    }

    fn json(notice: &Notice, mention: Option<&str>) -> serde_json::Value {
        let mention = mention.map(|whom| Mention::try_from(whom.to_owned()).unwrap());
        serde_json::to_value(Message::new(notice, mention.as_ref())).unwrap()
    }

    #[test]
    fn a_message_says_what_is_wrong_where() {
        let message = json(&notice(Health::Dead), Some("here"));
        assert_eq!(message["text"], "<!here> API is &lt;down&gt; &amp; out");
        let attachment = &message["attachments"][0];
        assert_eq!(attachment["color"], "danger");
        assert_eq!(attachment["fallback"], "API is &lt;down&gt; &amp; out");
        let text = attachment["text"].as_str().unwrap();
        assert_eq!(text.chars().count(), BODY.most());
        let fields = attachment["fields"].as_array().unwrap();
        let of = |title: &str| {
            let field = fields.iter().find(|field| field["title"] == title);
            field.unwrap()["value"].as_str().unwrap()
        };
        assert_eq!(of("Target"), "https://a.test:8443/x");
        assert_eq!(of("Cause"), "&lt;!channel&gt; connection refused");
        assert_eq!(of("Lasting"), "2 min 5 s");
        assert_eq!(
            of("More"),
            "<https://status.test/a|Acknowledge> · <https://status.test/?a=1&amp;b=%7C|Status page>"
        );
        assert_eq!(attachment["ts"], 1_700_000_000);
    }

    #[test]
    fn nobody_is_mentioned_when_all_is_well_again() {
        let message = json(&notice(Health::Healthy), Some("channel"));
        assert_eq!(message["text"], "API is &lt;down&gt; &amp; out");
        assert_eq!(message["attachments"][0]["color"], "good");
        let fields = message["attachments"][0]["fields"].as_array().unwrap();
        assert!(fields.iter().any(|field| field["title"] == "Lasted"));
    }
}
