//! Bodies that the operator writes: text with `{{placeholders}}`.

use std::fmt::Write as _;

use watchkeeper_sdk::{Notice, in_words, wording};

use crate::payload;

/// A placeholder's value.
type ValueOf = fn(&Notice) -> String;

/// What a template can hold.
const PLACEHOLDERS: [(&str, ValueOf); 17] = [
    ("id", |notice| notice.id.clone()),
    ("occasion", |notice| {
        payload::occasion(notice.occasion).to_owned()
    }),
    ("health", |notice| payload::health(notice.health).to_owned()),
    ("previous", |notice| {
        notice
            .previous
            .map(payload::health)
            .unwrap_or_default()
            .to_owned()
    }),
    ("at", |notice| notice.at.to_string()),
    ("title", |notice| notice.title.clone()),
    ("body", |notice| notice.body.clone()),
    ("affected", |notice| {
        notice
            .affected
            .iter()
            .map(|affected| affected.id.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }),
    (AFFECTED_JSON, payload::affected),
    ("lasted", |notice| {
        notice.lasted.map(in_words).unwrap_or_default()
    }),
    ("reminder", |notice| notice.reminder.to_string()),
    ("page_title", |notice| notice.page_title.clone()),
    ("page_url", |notice| notice.page_url.clone()),
    ("incident_url", |notice| {
        notice.incident_url.clone().unwrap_or_default()
    }),
    ("thread", |notice| notice.thread.clone()),
    ("started", |notice| {
        notice
            .started
            .map(|started| started.to_string())
            .unwrap_or_default()
    }),
    ("acknowledge_url", |notice| {
        notice.acknowledge_url.clone().unwrap_or_default()
    }),
];

/// The one whose value is JSON already.
const AFFECTED_JSON: &str = "affected_json";

/// A template that was parsed.
#[derive(Debug)]
pub(crate) struct Template<'a> {
    parts: Vec<Part<'a>>,
}

#[derive(Debug)]
enum Part<'a> {
    Text(&'a str),
    Placeholder(usize),
}

/// How values are made fit for what is around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// As within a JSON string, without its quotes.
    Json,
    /// Percent-encoded, as in a form.
    Form,
    /// In one line, as a header's value has to be.
    Line,
    /// Not at all.
    None,
}

impl Escaping {
    /// The one that this content type needs.
    pub(crate) fn of(content_type: &str) -> Self {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        if media_type == "application/json" || media_type.ends_with("+json") {
            Self::Json
        } else if media_type == "application/x-www-form-urlencoded" {
            Self::Form
        } else {
            Self::None
        }
    }

    fn escape(self, value: &str, out: &mut String) {
        match self {
            Self::Json => {
                let quoted = serde_json::to_string(value).expect("a text is JSON");
                let inner = quoted
                    .strip_prefix('"')
                    .and_then(|rest| rest.strip_suffix('"'));
                out.push_str(inner.unwrap_or_default());
            }
            Self::Form => {
                for byte in value.bytes() {
                    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                        out.push(char::from(byte));
                    } else {
                        write!(out, "%{byte:02X}").expect("a text takes all that is written");
                    }
                }
            }
            Self::Line => out.push_str(&wording::line(value)),
            Self::None => out.push_str(value),
        }
    }
}

impl<'a> Template<'a> {
    /// Finds the placeholders in the text of `key`, by which the error names what is
    /// wrong.
    pub(crate) fn parse(key: &str, text: &'a str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, after) = after
                .split_once("}}")
                .ok_or_else(|| format!("{key}: {{{{ without }}}}"))?;
            let name = name.trim();
            let index = PLACEHOLDERS
                .iter()
                .position(|(known, _)| *known == name)
                .ok_or_else(|| {
                    let known: Vec<&str> = PLACEHOLDERS.iter().map(|(known, _)| *known).collect();
                    format!("{key}: no {{{{{name}}}}}; there are {}", known.join(", "))
                })?;
            parts.push(Part::Text(before));
            parts.push(Part::Placeholder(index));
            rest = after;
        }
        parts.push(Part::Text(rest));
        Ok(Self { parts })
    }

    /// The body for this notice.
    pub(crate) fn fill(&self, notice: &Notice, escaping: Escaping) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Placeholder(index) => {
                    let Some((name, value)) = PLACEHOLDERS.get(*index) else {
                        continue;
                    };
                    let value = value(notice);
                    if *name == AFFECTED_JSON && escaping == Escaping::Json {
                        out.push_str(&value);
                    } else {
                        escaping.escape(&value, &mut out);
                    }
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::tests::notice;

    fn check(content_type: &str, template: &str, expected: &str) {
        let filled = Template::parse("config.template", template)
            .map(|template| template.fill(&notice(), Escaping::of(content_type)));
        assert_eq!(filled.unwrap_or_else(|error| error), expected);
    }

    #[test]
    fn values_fit_what_is_around_them() {
        let json = "application/json; charset=utf-8";
        check(
            json,
            r#"{"text":"{{title}}\n{{ body }}"}"#,
            r#"{"text":"API is dead: \"connection refused\"\nTwo\nlines"}"#,
        );
        check(
            "application/x-www-form-urlencoded",
            "m={{title}}&h={{health}}",
            "m=API%20is%20dead%3A%20%22connection%20refused%22&h=dead",
        );
        check(
            "text/plain",
            "{{lasted}} {{incident_url}}{{previous}}",
            "5 s healthy",
        );
        check(
            "text/plain",
            "{{thread}} {{started}} {{acknowledge_url}}",
            "api/health@1 2023-11-14T22:13:20Z https://status.test/a?k=1",
        );
        check(json, "{", "{");
    }

    #[test]
    fn lists_stay_json() {
        let template = Template::parse("k", r#"{"a":{{affected_json}}}"#).unwrap();
        let body = template.fill(&notice(), Escaping::Json);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["a"][1]["id"], "api:health:b");
    }

    #[test]
    fn mistakes_are_named() {
        check("", "{{title", "config.template: {{ without }}");
        let error = Template::parse("config.template", "{{titel}}").unwrap_err();
        assert!(
            error.starts_with("config.template: no {{titel}}; there are id, occasion"),
            "{error}"
        );
    }
}
