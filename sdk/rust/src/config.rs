//! Types for a plugin's configuration: each knows its JSON Schema, so that the
//! host can check a configuration before the plugin sees it.

mod node;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

use self::node::Node;
use crate::{Url, UrlError, in_words};

/// The units of a span, longest first, in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1000),
    ("ms", 1),
];

/// Takes a configuration from the JSON object that the host hands over. The
/// error names the key: `config.expect.status: …`.
pub fn parse<C: DeserializeOwned>(json: &str) -> Result<C, String> {
    let value = serde_json::from_str(json).map_err(|error| format!("config: {error}"))?;
    C::deserialize(Node(value)).map_err(|error| error.to_string())
}

/// The JSON Schema (2020-12) of a configuration, as it is derived.
pub fn schema<C: JsonSchema>() -> String {
    schemars::schema_for!(C).as_value().to_string()
}

/// Panics unless the file at `path` is the schema of `C` as it is derived: a test
/// for plugins that embed the file. With `WRITE_SCHEMAS` in the environment it
/// writes the file first, if it is another.
#[cfg(not(target_family = "wasm"))]
pub fn assert_schema_file<C: JsonSchema>(path: impl AsRef<std::path::Path>) {
    let path = path.as_ref();
    let derived = schemars::schema_for!(C).to_value();
    // As values: the order of keys is another with each set of features that the
    // plugin happens to be built with.
    let is_derived = || {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|found| found == derived)
    };
    if !is_derived() && std::env::var_os("WRITE_SCHEMAS").is_some() {
        std::fs::write(path, format!("{derived:#}\n")).expect("the file can be written");
    }
    assert!(
        is_derived(),
        "{} is not the derived schema: run the test with WRITE_SCHEMAS=1",
        path.display()
    );
}

/// The configuration of a plugin that has none.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A text that must not be seen: `writeOnly` in the schema, so that the host
/// masks it, and printed as `****`.
#[derive(Clone, Default, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being printed.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl JsonSchema for Secret {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "writeOnly": true })
    }
}

/// A URL. `"format": "uri"` in the schema, by which the host grants the plugin
/// its host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uri(Url);

impl Uri {
    /// Parses a URL that has a host.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text)?;
        if url.host().is_none() {
            return Err(UrlError::NoHost);
        }
        Ok(Self(url))
    }

    /// The URL in its parts.
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Uri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

impl JsonSchema for Uri {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Uri".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri" })
    }
}

/// A [`Uri`] that is itself a secret, as the address of a webhook is.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct SecretUri(Uri);

impl SecretUri {
    /// The URL itself, for the call that needs it.
    pub fn expose(&self) -> &Url {
        self.0.url()
    }
}

impl fmt::Debug for SecretUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("****")
    }
}

impl JsonSchema for SecretUri {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SecretUri".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", "writeOnly": true })
    }
}

/// A span of time as operators write it: `"500ms"`, `"30s"`, `"1h30m"`, `"14d"`.
/// Units are `d`, `h`, `m`, `s` and `ms`, larger ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(Duration);

impl Span {
    /// The span that is `duration` long.
    pub const fn new(duration: Duration) -> Self {
        Self(duration)
    }

    /// So many days.
    pub const fn days(days: u64) -> Self {
        Self(Duration::from_secs(days * 86_400))
    }

    /// The span for calculation.
    pub const fn duration(self) -> Duration {
        self.0
    }

    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let mut units = UNITS.iter();
        let mut millis = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
            let end = after
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            // The search goes on behind the unit before: no unit comes twice.
            let (_, length) = units.find(|(unit, _)| *unit == name)?;
            millis = millis.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
            rest = after;
        }
        Some(Self(Duration::from_millis(millis)))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_words(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!(
                "{text:?} is no span of time: write it like \"30s\", \"1h30m\" or \"14d\""
            ))
        })
    }
}

/// In the notation that is read; schemas show defaults so.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        let mut text = String::new();
        for (unit, length) in UNITS {
            if millis >= length {
                text += &(millis / length).to_string();
                text += unit;
                millis %= length;
            }
        }
        serializer.serialize_str(if text.is_empty() { "0s" } else { &text })
    }
}

impl JsonSchema for Span {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 2,
            "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
            "examples": ["30s", "1h30m", "14d"],
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn an_error_names_its_key() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Inner {
            #[expect(dead_code, reason = "read for its errors")]
            status: Vec<u16>,
            #[expect(dead_code, reason = "read for its errors")]
            auth: Option<Auth>,
        }
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Auth {
            None,
            #[expect(dead_code, reason = "read for its errors")]
            Bearer(Secret),
        }
        type Config = BTreeMap<String, Inner>;
        let check = |json: &str, expected: &str| {
            let found = parse::<Config>(json).map(drop);
            assert_eq!(found.err().unwrap_or_default(), expected, "{json}");
        };
        check(r#"{"expect":{"status":[200],"auth":{"bearer":"x"}}}"#, "");
        check(r#"{"expect":{"status":[200],"auth":"none"}}"#, "");
        check(r#"{"expect":{"status":[200],"auth":null}}"#, "");
        check(
            r#"{"expect":{"status":[200,"x"]}}"#,
            "config.expect.status[1]: invalid type: string \"x\", expected u16",
        );
        check(r#"{"expect":{}}"#, "config.expect: missing field `status`");
        check(
            r#"{"expect":{"stats":1}}"#,
            "config.expect: unknown field `stats`, expected `status` or `auth`",
        );
        check("[]", "config: invalid type: sequence, expected a map");
        check(
            "{",
            "config: EOF while parsing an object at line 1 column 1",
        );
        let auth = |auth: &str| format!(r#"{{"e":{{"status":[],"auth":{auth}}}}}"#);
        check(
            &auth(r#"{"bearer":1}"#),
            "config.e.auth.bearer: invalid type: integer `1`, expected a string",
        );
        check(
            &auth(r#""bearer""#),
            "config.e.auth.bearer: needs a value: write it as a table with this key",
        );
        check(&auth(r#"{"none":1}"#), "config.e.auth.none: takes no value");
        check(
            &auth(r#""basic""#),
            "config.e.auth: unknown variant `basic`, expected `none` or `bearer`",
        );
        check(&auth("{}"), "config.e.auth: one key expected");
        check(
            &auth("1"),
            "config.e.auth: invalid type: integer `1`, expected a text or one key",
        );
    }

    #[test]
    fn spans_are_read_and_written() {
        for (text, millis, again) in [
            ("500ms", 500, "500ms"),
            ("1h30m", 5_400_000, "1h30m"),
            ("14d", 1_209_600_000, "14d"),
            ("0s", 0, "0s"),
            ("90s", 90_000, "1m30s"),
        ] {
            let span: Span = serde_json::from_value(text.into()).unwrap();
            assert_eq!(span.duration(), Duration::from_millis(millis), "{text}");
            assert_eq!(serde_json::to_value(span).unwrap(), again);
        }
        for text in [
            "",
            "5",
            "s",
            "5 s",
            "-1s",
            "1.5s",
            "1y",
            "99999999999999999999d",
            "1é",
        ] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn schemas_mark_secrets_and_uris() {
        let schema = |value: Schema| value.as_value().clone();
        let mut generator = SchemaGenerator::default();
        assert_eq!(
            schema(Secret::json_schema(&mut generator))["writeOnly"],
            true
        );
        assert_eq!(schema(Uri::json_schema(&mut generator))["format"], "uri");
        let both = schema(SecretUri::json_schema(&mut generator));
        assert_eq!(
            (&both["format"], &both["writeOnly"]),
            (&"uri".into(), &true.into())
        );
        assert_eq!(format!("{:?}", Secret::new("x")), "****");
    }

    #[test]
    fn a_uri_has_a_host() {
        assert_eq!(
            parse::<Uri>(r#""mailto:a@b""#).unwrap_err(),
            "config: no host after the scheme"
        );
    }
}
