//! What is sent: parsed from the configuration, then filled with a notice.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use watchkeeper_sdk::Notice;
use watchkeeper_sdk::config::Secret;

use crate::payload;
use crate::template::{Escaping, Template};
use crate::{Config, Format, Method};

/// What every request of a channel is made of, with its templates parsed.
#[derive(Debug)]
pub(crate) struct Form<'a> {
    query: Vec<(&'a str, Template<'a>)>,
    headers: Vec<(&'a str, Template<'a>)>,
    body: Body<'a>,
    secret: Option<&'a Secret>,
}

#[derive(Debug)]
enum Body<'a> {
    Watchkeeper,
    Vigil,
    Template {
        content_type: &'a str,
        template: Template<'a>,
    },
    None,
}

/// What a request has besides its method and address.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
}

impl<'a> Form<'a> {
    /// The error names the key that cannot work.
    pub(crate) fn of(config: &'a Config) -> Result<Self, String> {
        let parsed = |table: &str, (name, value): (&'a String, &'a String)| {
            let template = Template::parse(&format!("config.{table}.{name}"), value)?;
            Ok::<_, String>((name.as_str(), template))
        };
        let query = config.query.iter().map(|entry| parsed("query", entry));
        let headers = config.headers.iter().map(|entry| parsed("headers", entry));
        Ok(Self {
            body: Body::of(config)?,
            query: query.collect::<Result<_, _>>()?,
            headers: headers.collect::<Result<_, _>>()?,
            secret: config.secret.as_ref(),
        })
    }

    /// The request about `notice`.
    pub(crate) fn fill(&self, notice: &Notice) -> Message {
        let body = self.body.fill(notice);
        let mut headers = vec![("idempotency-key".to_owned(), notice.id.clone())];
        if let Some(content_type) = self.body.content_type() {
            headers.push(("content-type".to_owned(), content_type.to_owned()));
        }
        if let Some(secret) = self.secret {
            let signature = signature(secret, body.as_deref().unwrap_or_default());
            headers.push(("x-watchkeeper-signature".to_owned(), signature));
        }
        for (name, value) in &self.headers {
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            headers.push(((*name).to_owned(), value.fill(notice, Escaping::Line)));
        }
        let query = self.query.iter();
        Message {
            query: query
                .map(|(name, value)| ((*name).to_owned(), value.fill(notice, Escaping::None)))
                .collect(),
            headers,
            body,
        }
    }
}

impl<'a> Body<'a> {
    fn of(config: &'a Config) -> Result<Self, String> {
        if config.method == Method::Get && config.format != Format::None {
            return Err(
                "config.method: GET sends no body: it needs config.format = \"none\"".to_owned(),
            );
        }
        match (config.format, &config.template) {
            (Format::Template, Some(template)) => Ok(Self::Template {
                content_type: &config.content_type,
                template: Template::parse("config.template", template)?,
            }),
            (Format::Template, None) => {
                Err("config.template: the format \"template\" needs one".to_owned())
            }
            (Format::Watchkeeper | Format::Vigil | Format::None, Some(_)) => {
                Err("config.template: needs config.format = \"template\"".to_owned())
            }
            (Format::Watchkeeper, None) => Ok(Self::Watchkeeper),
            (Format::Vigil, None) => Ok(Self::Vigil),
            (Format::None, None) => Ok(Self::None),
        }
    }

    fn content_type(&self) -> Option<&str> {
        match self {
            Self::Watchkeeper | Self::Vigil => Some("application/json"),
            Self::Template { content_type, .. } => Some(content_type),
            Self::None => None,
        }
    }

    fn fill(&self, notice: &Notice) -> Option<String> {
        match self {
            Self::Watchkeeper => Some(payload::full(notice)),
            Self::Vigil => Some(payload::vigil(notice)),
            Self::Template {
                content_type,
                template,
            } => Some(template.fill(notice, Escaping::of(content_type))),
            Self::None => None,
        }
    }
}

/// `sha256=` and the body's HMAC (RFC 2104) in hexadecimal, the form that
/// receivers of GitHub's webhooks know.
fn signature(secret: &Secret, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    let mut text = "sha256=".to_owned();
    for byte in mac.finalize().into_bytes() {
        for digit in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload::tests::notice;

    fn message(config: &str) -> Result<Message, String> {
        let config: Config = watchkeeper_sdk::config::parse(config).unwrap();
        Form::of(&config).map(|form| form.fill(&notice()))
    }

    fn header<'a>(message: &'a Message, name: &str) -> Vec<&'a str> {
        let named = message
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn a_signature_is_what_the_receiver_computes() {
        // RFC 4231 section 4.3.
        assert_eq!(
            signature(&Secret::new("Jefe"), "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn headers_identify_sign_and_give_way() {
        let message = message(
            r#"{"url":"https://a.test/","secret":"k","headers":{"X-Token":"t","Content-Type":"x/y"}}"#,
        )
        .unwrap();
        assert_eq!(header(&message, "idempotency-key"), ["n1"]);
        assert_eq!(header(&message, "x-token"), ["t"]);
        assert_eq!(header(&message, "content-type"), ["x/y"]);
        assert_eq!(
            header(&message, "x-watchkeeper-signature"),
            [signature(
                &Secret::new("k"),
                message.body.as_deref().unwrap()
            )]
        );
    }

    #[test]
    fn a_template_and_its_format_belong_together() {
        let check = |config, expected: &str| assert_eq!(message(config).unwrap_err(), expected);
        check(
            r#"{"url":"https://a.test/","format":"template"}"#,
            "config.template: the format \"template\" needs one",
        );
        check(
            r#"{"url":"https://a.test/","template":"x"}"#,
            "config.template: needs config.format = \"template\"",
        );
        let message = message(
            r#"{"url":"https://a.test/","format":"template","content_type":"text/plain","template":"{{title}}!"}"#,
        )
        .unwrap();
        assert_eq!(
            message.body.as_deref(),
            Some("API is dead: \"connection refused\"!")
        );
        assert_eq!(header(&message, "content-type"), ["text/plain"]);
    }

    #[test]
    fn headers_and_query_are_templates_as_well() {
        let message = message(
            r#"{"url":"https://a.test/","method":"GET","format":"none",
                "headers":{"X-Health":"{{health}} {{body}}"},"query":{"t":"{{title}} & more"}}"#,
        )
        .unwrap();
        assert_eq!(header(&message, "x-health"), ["dead Two lines"]);
        let title = "API is dead: \"connection refused\" & more";
        assert_eq!(message.query, [("t".to_owned(), title.to_owned())]);
        assert_eq!(message.body, None);
        assert!(header(&message, "content-type").is_empty());
    }

    #[test]
    fn what_cannot_be_sent_names_its_key() {
        for (keys, expected) in [
            (r#""method":"GET""#, "config.method: GET sends no body"),
            (
                r#""headers":{"X":"{{x}}"}"#,
                "config.headers.X: no {{x}}; there are id",
            ),
            (r#""query":{"q":"{{"}"#, "config.query.q: {{ without }}"),
            (
                r#""format":"none","template":"x""#,
                "config.template: needs config.format",
            ),
        ] {
            let found = message(&format!(r#"{{"url":"https://a.test/",{keys}}}"#)).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
