//! What Slack shows.

use serde::Serialize;
use watchkeeper_sdk::{Affected, Health, Notice, in_words};

use crate::Mention;

/// Slack folds away what is longer than a few hundred characters and refuses
/// what is much longer; these keep a message whole and well below that.
const TITLE: usize = 300;
const BODY: usize = 2000;
const REASON: usize = 200;
const LISTED: usize = 15;

/// The body of an incoming webhook's request.
#[derive(Debug, Serialize)]
pub(crate) struct Message {
    text: String,
    attachments: [Attachment; 1],
}

#[derive(Debug, Serialize)]
struct Attachment {
    fallback: String,
    color: &'static str,
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
        let title = escaped(&cut(&notice.title, TITLE));
        let text = match mention {
            Some(Mention(mention)) if notice.health != Health::Healthy => {
                format!("{mention} {title}")
            }
            Some(_) | None => title.clone(),
        };
        let mut fields = Vec::new();
        if !notice.affected.is_empty() {
            fields.push(Field {
                title: "Affected",
                value: list(&notice.affected),
                short: false,
            });
        }
        if let Some(lasted) = notice.lasted {
            let title = if notice.health == Health::Healthy {
                "Lasted"
            } else {
                "Lasting"
            };
            fields.push(Field {
                title,
                value: in_words(lasted),
                short: true,
            });
        }
        let mut links = Vec::new();
        if let Some(url) = &notice.incident_url {
            links.push(link(url, "Incident"));
        }
        if !notice.page_url.is_empty() {
            links.push(link(&notice.page_url, "Status page"));
        }
        if !links.is_empty() {
            fields.push(Field {
                title: "More",
                value: links.join(" · "),
                short: true,
            });
        }
        Self {
            text,
            attachments: [Attachment {
                fallback: title,
                color: match notice.health {
                    Health::Healthy => "good",
                    Health::Sick => "warning",
                    Health::Dead => "danger",
                },
                text: escaped(&cut(&notice.body, BODY)),
                fields,
                mrkdwn_in: ["text", "fields"],
                footer: escaped(&notice.page_title),
                ts: notice.at.seconds(),
            }],
        }
    }
}

fn list(affected: &[Affected]) -> String {
    let mut lines: Vec<String> = affected
        .iter()
        .take(LISTED)
        .map(|affected| {
            // The target is what follows the service's and the monitor's ids.
            let target = affected.id.splitn(3, ':').nth(2).unwrap_or(&affected.id);
            let mut line = format!(
                "• *{}* / {} ({}): {}",
                escaped(&affected.service),
                escaped(&affected.monitor),
                escaped(target),
                match affected.health {
                    Health::Healthy => "healthy",
                    Health::Sick => "sick",
                    Health::Dead => "dead",
                }
            );
            if let Some(reason) = &affected.reason {
                line.push_str(", ");
                line.push_str(&escaped(&cut(reason, REASON)));
            }
            line
        })
        .collect();
    if affected.len() > LISTED {
        lines.push(format!("… and {} more", affected.len() - LISTED));
    }
    lines.join("\n")
}

fn link(url: &str, text: &str) -> String {
    // A bar would end the address.
    format!("<{}|{text}>", escaped(&url.replace('|', "%7C")))
}

/// The three characters that Slack gives a meaning of its own.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn cut(text: &str, length: usize) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(length).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use watchkeeper_sdk::{Occasion, Timestamp};

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
                reason: Some("connection refused".to_owned()),
                since: Timestamp::from_seconds(1_700_000_000),
            }],
            lasted: Some(Duration::from_secs(125)),
            reminder: 0,
            page_title: "Acme".to_owned(),
            page_url: "https://status.test/?a=1&b=|".to_owned(),
            incident_url: None,
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
        assert_eq!(
            attachment["text"].as_str().map(|text| text.chars().count()),
            Some(BODY + 1)
        );
        assert_eq!(
            attachment["fields"][0]["value"],
            "• *API* / Health (https://a.test:8443/x): dead, connection refused"
        );
        assert_eq!(attachment["fields"][1]["value"], "2 min 5 s");
        assert_eq!(
            attachment["fields"][2]["value"],
            "<https://status.test/?a=1&amp;b=%7C|Status page>"
        );
        assert_eq!(attachment["ts"], 1_700_000_000);
    }

    #[test]
    fn nobody_is_mentioned_when_all_is_well_again() {
        let message = json(&notice(Health::Healthy), Some("channel"));
        assert_eq!(message["text"], "API is &lt;down&gt; &amp; out");
        assert_eq!(message["attachments"][0]["color"], "good");
        assert_eq!(message["attachments"][0]["fields"][1]["title"], "Lasted");
    }

    #[test]
    fn long_lists_are_cut() {
        let mut notice = notice(Health::Sick);
        notice.affected = vec![notice.affected[0].clone(); 40];
        let list = list(&notice.affected);
        assert_eq!(list.lines().count(), LISTED + 1);
        assert!(list.ends_with("… and 25 more"));
    }
}
