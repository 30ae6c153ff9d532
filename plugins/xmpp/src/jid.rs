//! Addresses of XMPP (RFC 7622), without the resource that names one of somebody's
//! devices.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// A bare address: `local@domain`, or `domain` alone.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Jid {
    text: String,
    /// Where the domain begins.
    domain: String,
    local: Option<String>,
}

impl Jid {
    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What is before the `@`.
    pub fn local(&self) -> Option<&str> {
        self.local.as_deref()
    }

    /// What is behind the `@`.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether a stanza's sender, which may name a device, is this one. Servers
    /// write addresses in lower case.
    pub(crate) fn is(&self, from: &str) -> bool {
        let bare = from.split('/').next().unwrap_or_default();
        bare.to_lowercase() == self.text.to_lowercase()
    }
}

impl fmt::Display for Jid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Jid {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (local, domain) = match text.split_once('@') {
            Some((local, domain)) => (Some(local), domain),
            None => (None, text.as_str()),
        };
        let is_bad = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '"' | '&' | '\'' | '/' | ':' | '<' | '>' | '@')
        };
        // RFC 7622 section 3: 1023 bytes for each part.
        let fits = |part: &str| (1..=1023).contains(&part.len()) && !part.contains(is_bad);
        if !fits(domain) || !local.is_none_or(fits) {
            return Err(format!(
                "{text:?} is no address: write it like ops@example.com, without a resource"
            ));
        }
        let (local, domain) = (local.map(str::to_owned), domain.to_owned());
        Ok(Self {
            text,
            domain,
            local,
        })
    }
}

impl JsonSchema for Jid {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Jid".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": r#"^([^\s"&'/:<>@]{1,1023}@)?[^\s"&'/:<>@]{1,1023}$"#,
            "examples": ["ops@example.com"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_no_resource_and_nothing_that_means_something_in_xml() {
        for text in [
            "ops@a.test",
            "a.test",
            "ätna@a.test",
            "a.b_c@xn--tna-qla.test",
        ] {
            let jid = Jid::try_from(text.to_owned()).unwrap();
            assert_eq!(jid.to_string(), text);
        }
        for text in [
            "", "@a.test", "ops@", "a@b@c", "a@b/c", "a b@c", "a<b@c", "a'@c", "a@c\n",
        ] {
            assert!(Jid::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_sender_may_name_a_device() {
        let jid = Jid::try_from("Ops@a.test".to_owned()).unwrap();
        assert!(jid.is("ops@a.test/phone/1") && jid.is("OPS@a.test"));
        assert!(!jid.is("ops@b.test") && !jid.is(""));
    }
}
