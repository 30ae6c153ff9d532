//! Texts with `{{placeholders}}`.

use std::collections::BTreeMap;

use serde_json::Value;

/// What was saved so far, by name.
pub(crate) type Saved = BTreeMap<String, Value>;

/// A text with placeholders that was parsed.
#[derive(Debug)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Placeholder(String),
}

/// What is done to values before they are put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escaping {
    /// Percent-encoded as one segment of a path or one value of a query.
    Url,
    /// Nothing.
    None,
}

impl Template {
    /// Finds the placeholders; the error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                return Err("{{ without }}".to_owned());
            };
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Placeholder(name.trim().to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// The names of its placeholders.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Placeholder(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text with the saved values in it. A placeholder that is all of the text
    /// is put in as it is. The error is the name of one that was not saved.
    pub(crate) fn fill(&self, saved: &Saved, escaping: Escaping) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(part) => text.push_str(part),
                Part::Placeholder(name) => {
                    let value = plain(saved.get(name).ok_or_else(|| name.clone())?);
                    if escaping == Escaping::Url && self.parts.len() > 1 {
                        percent_encode(&value, &mut text);
                    } else {
                        text.push_str(&value);
                    }
                }
            }
        }
        Ok(text)
    }

    /// The saved value where one placeholder is all of it, with its type; otherwise
    /// the text. The error is the name of one that was not saved.
    fn fill_value(&self, saved: &Saved) -> Result<Value, String> {
        match self.parts.as_slice() {
            [Part::Placeholder(name)] => saved.get(name).cloned().ok_or_else(|| name.clone()),
            _ => self.fill(saved, Escaping::None).map(Value::String),
        }
    }
}

/// A JSON value whose texts are templates. Keys are not.
#[derive(Debug)]
pub(crate) enum JsonTemplate {
    /// A text.
    Text(Template),
    /// A list.
    List(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
    /// Anything without a text in it.
    Fixed(Value),
}

impl JsonTemplate {
    /// Finds the placeholders of all texts; the error says what is wrong.
    pub(crate) fn parse(value: &Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => Self::Text(Template::parse(text)?),
            Value::Array(values) => {
                Self::List(values.iter().map(Self::parse).collect::<Result<_, _>>()?)
            }
            Value::Object(entries) => Self::Object(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), Self::parse(value)?)))
                    .collect::<Result<_, String>>()?,
            ),
            other => Self::Fixed(other.clone()),
        })
    }

    /// The names of all placeholders.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Text(text) => text.names().collect(),
            Self::List(values) => values.iter().flat_map(Self::names).collect(),
            Self::Object(entries) => entries
                .iter()
                .flat_map(|(_, value)| value.names())
                .collect(),
            Self::Fixed(_) => Vec::new(),
        }
    }

    /// The value with the saved values in it; the error is the name of one that was
    /// not saved.
    pub(crate) fn fill(&self, saved: &Saved) -> Result<Value, String> {
        Ok(match self {
            Self::Text(text) => text.fill_value(saved)?,
            Self::List(values) => Value::Array(
                values
                    .iter()
                    .map(|value| value.fill(saved))
                    .collect::<Result<_, _>>()?,
            ),
            Self::Object(entries) => Value::Object(
                entries
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), value.fill(saved)?)))
                    .collect::<Result<_, String>>()?,
            ),
            Self::Fixed(value) => value.clone(),
        })
    }
}

/// A text without its quotes, anything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// All but RFC 3986's unreserved characters.
fn percent_encode(text: &str, out: &mut String) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend([byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn saved() -> Saved {
        let value = json!({"id": 7, "name": "a/b é", "next": "https://a.test/x?y=1", "up": true});
        serde_json::from_value(value).unwrap()
    }

    fn check(text: &str, escaping: Escaping, expected: &str) {
        let found = Template::parse(text)
            .and_then(|template| template.fill(&saved(), escaping))
            .unwrap_or_else(|error| format!("error: {error}"));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values_are_put_in_as_their_place_needs() {
        check("/items/{{id}}", Escaping::Url, "/items/7");
        check(
            "/items/{{ name }}?x={{up}}",
            Escaping::Url,
            "/items/a%2Fb%20%C3%A9?x=true",
        );
        check("{{next}}", Escaping::Url, "https://a.test/x?y=1");
        check("Bearer {{name}}", Escaping::None, "Bearer a/b é");
        check("{a}}", Escaping::None, "{a}}");
        check("{{gone}}", Escaping::None, "error: gone");
        check("a {{id", Escaping::None, "error: {{ without }}");
    }

    #[test]
    fn json_keeps_the_types_of_values() {
        let template = json!({"id": "{{id}}", "list": ["{{up}}", "no {{id}}", 1, null]});
        let template = JsonTemplate::parse(&template).unwrap();
        assert_eq!(template.names(), ["id", "up", "id"]);
        assert_eq!(
            template.fill(&saved()).unwrap(),
            json!({"id": 7, "list": [true, "no 7", 1, null]})
        );
        assert_eq!(template.fill(&Saved::new()).unwrap_err(), "id");
    }
}
