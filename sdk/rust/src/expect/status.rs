//! Sets of status codes: `200`, `"2xx"`, `"200-299"`.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// The codes that HTTP can have (RFC 9110 section 15).
const CODES: RangeInclusive<u16> = 100..=599;

/// A run of status codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRange(RangeInclusive<u16>);

impl StatusRange {
    /// Any 2xx: success.
    pub const SUCCESS: Self = Self(200..=299);

    /// Whether `status` is one of them.
    pub fn contains(&self, status: u16) -> bool {
        self.0.contains(&status)
    }

    fn parse(text: &str) -> Option<Self> {
        let code = |text: &str| text.parse().ok().filter(|code| CODES.contains(code));
        if let Some(class) = text.strip_suffix("xx") {
            let first = code(&format!("{class}00"))?;
            return Some(Self(first..=first + 99));
        }
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (code(first)?, code(last)?),
            None => (code(text)?, code(text)?),
        };
        (first <= last).then_some(Self(first..=last))
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last {
            write!(f, "{first}")
        } else if first % 100 == 0 && *last == first + 99 {
            write!(f, "{}xx", first / 100)
        } else {
            write!(f, "{first}-{last}")
        }
    }
}

impl<'de> Deserialize<'de> for StatusRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Code;

        impl Visitor<'_> for Code {
            type Value = StatusRange;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "status codes from 100 to 599, written like 200, \"2xx\" or \"200-299\"",
                )
            }

            fn visit_u64<E: Error>(self, code: u64) -> Result<StatusRange, E> {
                self.visit_str(&code.to_string())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<StatusRange, E> {
                StatusRange::parse(text)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }
        }

        deserializer.deserialize_any(Code)
    }
}

impl JsonSchema for StatusRange {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "StatusRange".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": ["string", "integer"],
            "minimum": 100,
            "maximum": 599,
            "pattern": "^([1-5]xx|[1-5][0-9]{2}(-[1-5][0-9]{2})?)$",
            "examples": ["2xx", 301, "200-299"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let found = match serde_json::from_str::<StatusRange>(json) {
            Ok(range) => range.to_string(),
            Err(_) => "none".to_owned(),
        };
        assert_eq!(found, expected, "{json}");
    }

    #[test]
    fn sets_are_read_as_operators_write_them() {
        check("200", "200");
        check(r#""301""#, "301");
        check(r#""2xx""#, "2xx");
        check(r#""200-299""#, "2xx");
        check(r#""200-204""#, "200-204");
        for wrong in [
            "99",
            "600",
            r#""6xx""#,
            r#""xx""#,
            r#""2x""#,
            r#""299-200""#,
            r#""-200""#,
            "-1",
            "2.5",
            "null",
        ] {
            check(wrong, "none");
        }
    }

    #[test]
    fn a_class_holds_its_first_and_last_code() {
        let range = StatusRange::parse("4xx").unwrap();
        assert!(range.contains(400) && range.contains(499));
        assert!(!range.contains(399) && !range.contains(500));
    }
}
