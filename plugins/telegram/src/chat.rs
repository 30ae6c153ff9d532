//! Which chat.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A chat: a number, which may be in quotes, or `@channelname`.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(from = "Written", untagged)]
pub enum Chat {
    /// The number of a person, a group or a channel.
    Number(i64),
    /// The name of a public channel or group.
    Name(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Number(i64),
    Text(String),
}

impl From<Written> for Chat {
    fn from(written: Written) -> Self {
        match written {
            Written::Number(number) => Self::Number(number),
            Written::Text(text) => text
                .trim()
                .parse()
                .map_or_else(|_| Self::Name(text), Self::Number),
        }
    }
}

impl JsonSchema for Chat {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Chat".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["integer", "string"],
            "minLength": 1,
            "examples": [-1_001_234_567_890_i64, "@channelname"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_numbers_even_in_quotes() {
        let read = |json: &str| watchkeeper_sdk::config::parse::<Chat>(json).unwrap();
        assert_eq!(read("-100"), Chat::Number(-100));
        assert_eq!(read("\"-100\""), Chat::Number(-100));
        assert_eq!(read("\"@ops\""), Chat::Name("@ops".to_owned()));
        assert_eq!(serde_json::to_string(&read("\"7\"")).unwrap(), "7");
        assert_eq!(serde_json::to_string(&read("\"@a\"")).unwrap(), "\"@a\"");
    }
}
