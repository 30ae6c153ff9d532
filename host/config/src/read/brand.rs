//! What a page looks like: colours and languages.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::read::address::is_web_url;
use crate::read::scalar::{text, wrong};
use crate::read::{Context, FromNode};
use crate::tree::Node;

/// The languages that the page can be read in, by their codes in ISO 639-1.
pub(crate) const LANGUAGES: [&str; 6] = ["en", "de", "fr", "sv", "es", "ja"];

/// A language of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LanguageCode(pub(crate) &'static str);

impl fmt::Display for LanguageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromNode for LanguageCode {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a language such as \"en\"", cx)?;
        let known = LANGUAGES.into_iter().find(|code| *code == text);
        if known.is_none() {
            let known = LANGUAGES.map(|code| format!("\"{code}\"")).join(", ");
            wrong(node, format!("must be one of {known}"), None, cx);
        }
        known.map(Self)
    }

    fn schema() -> Json {
        json!({ "enum": LANGUAGES })
    }
}

/// A scheme, host and port, or `*` for every one.
#[derive(Clone, Debug)]
pub(crate) struct Origin(pub(crate) String);

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromNode for Origin {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "an origin such as \"https://www.example.com\", or \"*\"";
        let text = text(node, EXPECTED, cx)?;
        if text == "*" {
            return Some(Self(text));
        }
        let origin = text.trim_end_matches('/');
        let (_, host) = origin.split_once("://").unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]*".contains(&byte);
        if !is_web_url(origin) || !host.bytes().all(plain) {
            wrong(node, format!("must be {EXPECTED}"), None, cx);
            return None;
        }
        Some(Self(origin.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(\\*|https?://[^/]+/?)$" })
    }
}

/// The name of a host, in small letters and without a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Domain(pub(crate) String);

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromNode for Domain {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "the name of a host such as \"status.example.com\"";
        let text = text(node, EXPECTED, cx)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
        if text.is_empty() || text.len() > 253 || !text.bytes().all(plain) {
            wrong(node, format!("must be {EXPECTED}"), None, cx);
            return None;
        }
        Some(Self(text.to_ascii_lowercase()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[a-zA-Z0-9.-]{1,253}$" })
    }
}

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl FromNode for Colour {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "a colour such as \"#2a55cf\"";
        let text = text(node, EXPECTED, cx)?;
        let colour = Self::parse(&text);
        if colour.is_none() {
            wrong(node, format!("must be {EXPECTED}"), None, cx);
        }
        colour
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^#[0-9a-fA-F]{6}$" })
    }
}

impl Colour {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// How well text of this colour can be read on the other: 1 to 21 (WCAG 2.2,
    /// "contrast ratio").
    pub(crate) fn contrast(self, ground: Self) -> f64 {
        let (one, other) = (self.luminance(), ground.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.03928 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The grounds on which the page has links, the one that asks most first.
    pub(crate) const LIGHT_GROUND: Self = Self([0xf3, 0xf5, 0xf8]);
    pub(crate) const DARK_GROUND: Self = Self([0x12, 0x16, 0x1f]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrasts_are_those_of_the_standard() {
        let colour = |text| Colour::parse(text).unwrap();
        let contrast = |one, other| (colour(one).contrast(colour(other)) * 100.0).round();
        assert!((contrast("#000000", "#ffffff") - 2100.0).abs() < f64::EPSILON);
        assert!((contrast("#777777", "#ffffff") - 448.0).abs() < f64::EPSILON);
        assert!((contrast("#2a55cf", "#2A55CF") - 100.0).abs() < f64::EPSILON);
        for wrong in [
            "", "2a55cf", "#2a55c", "#2a55cg", "#2a55cf0", "blue", "#+a55cf",
        ] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
        assert_eq!(colour("#2A55CF").to_string(), "#2a55cf");
    }
}
