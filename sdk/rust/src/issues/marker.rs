//! What is not seen in an issue, and finds it.

use std::fmt;
use std::fmt::Write as _;

/// A comment in HTML, as Markdown takes it: `<!-- watchkeeper notice=… -->`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    name: &'static str,
    /// Without any character that could end the comment, or that a search would
    /// read as more than one word.
    value: String,
}

impl Marker {
    /// The marker of a thread or a notice.
    pub(super) fn new(name: &'static str, value: &str) -> Self {
        let mut encoded = String::with_capacity(value.len());
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                encoded.push(char::from(byte));
            } else {
                write!(encoded, "_{byte:02x}").expect("a text takes all that is written");
            }
        }
        Self {
            name,
            value: encoded,
        }
    }

    /// One word that only this marker has, to search for.
    pub fn word(&self) -> &str {
        &self.value
    }

    /// Whether `text` has it.
    pub fn is_in(&self, text: &str) -> bool {
        text.contains(&self.to_string())
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<!-- watchkeeper {}={} -->", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_marker() {
        let marker = Marker::new("thread", "api/health--> x@1");
        assert_eq!(
            marker.to_string(),
            "<!-- watchkeeper thread=api_2fhealth_2d_2d_3e_20x_401 -->"
        );
        assert!(marker.is_in(&format!("text\n\n{marker}\n")));
        assert!(!marker.is_in(&Marker::new("thread", "api/health").to_string()));
        assert!(!marker.is_in(&Marker::new("notice", "api/health--> x@1").to_string()));
    }
}
