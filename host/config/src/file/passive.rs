//! What the files say of monitors that are told instead of asking.

use serde_json::{Value as Json, json};

use crate::plugin_config::SecretText;
use crate::read::scalar::{Share, text, wrong};
use crate::read::{Context, FromNode, quoted, table};
use crate::suggest::nearest;
use crate::tree::Node;

table! {
    /// Vigil's reporters and Vigil Local.
    struct VigilTable {
        /// The password of reporters and of Vigil Local, which they call their token. As every secret
        /// `{ env = "NAME" }` or `{ file = "PATH" }`.
        [optional] reporter_token: SecretText,
        /// The password of those who use Vigil's manager addresses. As every secret
        /// `{ env = "NAME" }` or `{ file = "PATH" }`.
        [optional] manager_token: SecretText,
    }
}

table! {
    /// What load is sick; 1.0 is 100 %.
    struct LoadTable {
        /// Above this share of its processors a process is sick.
        [default 0.9] cpu: Share,
        /// Above this share of its memory a process is sick.
        [default 0.9] ram: Share,
    }
}

/// How a monitor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassiveWord {
    Push,
    Local,
    Heartbeat,
    Manual,
}

impl PassiveWord {
    const WORDS: [(&str, Self); 4] = [
        ("push", Self::Push),
        ("local", Self::Local),
        ("heartbeat", Self::Heartbeat),
        ("manual", Self::Manual),
    ];

    /// As it is written.
    pub(crate) fn as_str(self) -> &'static str {
        let word = Self::WORDS.iter().find(|(_, word)| *word == self);
        word.map_or("", |(text, _)| text)
    }
}

impl FromNode for PassiveWord {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let words = Self::WORDS.map(|(word, _)| word);
        let text = text(node, "a word such as \"push\"", cx)?;
        let found = Self::WORDS.into_iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let instead = nearest(&text, words).map(|word| format!("did you mean \"{word}\"?"));
            wrong(
                node,
                format!("must be one of {}", quoted(&words)),
                instead,
                cx,
            );
        }
        found.map(|(_, word)| word)
    }

    fn schema() -> Json {
        json!({ "enum": Self::WORDS.map(|(word, _)| word) })
    }
}
