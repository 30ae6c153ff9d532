//! What is said to people and rooms.

use watchkeeper_sdk::Notice;
use watchkeeper_sdk::wording::{Limit, Markup, Wording};

use crate::xml::escaped;

/// The longest text: programs show some screens of it, and servers take stanzas of
/// ten times the size.
const TEXT: Limit = Limit::chars(5000);

/// A notice as a message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    id: String,
    thread: String,
    text: String,
}

impl Message {
    pub(crate) fn new(notice: &Notice) -> Self {
        Self {
            id: notice.id.clone(),
            thread: notice.thread.clone(),
            text: Wording::of(notice).render(Markup::Plain, TEXT),
        }
    }

    /// The same for every attempt, by which programs know a message again
    /// (XEP-0359).
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The stanza for `to`; `kind` is `chat` or `groupchat`.
    pub(crate) fn stanza(&self, to: &str, kind: &str) -> String {
        let (to, id) = (escaped(to), escaped(&self.id));
        let thread = match self.thread.as_str() {
            "" => String::new(),
            thread => format!("<thread>{}</thread>", escaped(thread)),
        };
        format!(
            "<message to='{to}' type='{kind}' id='{id}'><body>{}</body>{thread}\
             <origin-id xmlns='urn:xmpp:sid:0' id='{id}'/></message>",
            escaped(&self.text)
        )
    }
}

#[cfg(test)]
mod tests {
    use watchkeeper_sdk::{Health, Occasion, Timestamp};

    use super::*;
    use crate::xml::{Piece, piece};

    #[test]
    fn nothing_that_targets_say_is_an_element() {
        let hostile = "</body></message><message to='evil'>\u{202E}]]>&amp;\0\r\n\u{1b}é";
        let notice = Notice {
            id: "a'><b/>".to_owned(),
            occasion: Occasion::Changed,
            health: Health::Dead,
            previous: None,
            at: Timestamp::from_seconds(1_700_000_000),
            title: hostile.to_owned(),
            body: hostile.repeat(500),
            affected: Vec::new(),
            lasted: None,
            reminder: 0,
            page_title: hostile.to_owned(),
            page_url: "https://status.test/".to_owned(),
            incident_url: None,
            thread: hostile.to_owned(),
            started: None,
            acknowledge_url: None,
        };
        let stanza = Message::new(&notice).stanza("ops@a.test", "chat");
        let Ok(Some((Piece::Stanza(message), length))) = piece(stanza.as_bytes()) else {
            panic!("{stanza}");
        };
        assert_eq!(length, stanza.len());
        let names: Vec<&str> = message
            .children
            .iter()
            .map(|child| child.name.as_str())
            .collect();
        assert_eq!(names, ["body", "thread", "origin-id"]);
        let body = &message.child("body").unwrap().text;
        assert!(TEXT.holds(body) && body.ends_with("Status page: https://status.test/"));
        assert!(
            body.starts_with("❌ </body></message><message to='evil'>]]>&amp; é"),
            "{body}"
        );
    }
}
