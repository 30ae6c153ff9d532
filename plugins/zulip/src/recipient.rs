//! Who is told.

use schemars::JsonSchema;
use serde::Deserialize;

/// Who is told: a channel, or people.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Recipient {
    /// A channel.
    Channel(Channel),
    /// One person or several together, by their e-mail addresses.
    People(#[schemars(length(min = 1))] Vec<String>),
}

/// A channel and a topic in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The channel's name.
    #[schemars(length(min = 1))]
    pub name: String,
    /// The topic, of 60 characters at most.
    #[serde(default = "default_topic")]
    #[schemars(length(min = 1, max = 60))]
    pub topic: String,
}

fn default_topic() -> String {
    "Status".to_owned()
}

impl Recipient {
    /// The parameters that say so, by <https://zulip.com/api/send-message>. The
    /// types have names that older servers know too.
    pub(crate) fn fields(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Channel(Channel { name, topic }) => vec![
                ("type", "stream".to_owned()),
                ("to", name.clone()),
                ("topic", topic.clone()),
            ],
            Self::People(people) => vec![
                ("type", "private".to_owned()),
                (
                    "to",
                    serde_json::to_string(people).expect("a list of texts is JSON"),
                ),
            ],
        }
    }
}
