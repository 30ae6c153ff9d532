//! Mail addresses with names, as operators write them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use watchkeeper_sdk::wording;

/// What an address without brackets may look like: an RFC 5321 dot-string of 64
/// characters at most, and a domain or an address in brackets. Quoted local parts
/// and characters beyond ASCII are left out: hardly a server takes them.
const ADDRESS: &str = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9.:\[\]-]{1,255}";

/// A mailbox: `ops@example.com` or `Operations <ops@example.com>`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Mailbox {
    name: Option<String>,
    address: String,
    domain: String,
}

impl Mailbox {
    /// The name in front of the address, if there is one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `local@domain`, without brackets.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What follows the `@`.
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl TryFrom<String> for Mailbox {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bad = |why: &str| {
            format!("{text:?} {why}: write it like ops@example.com or Operations <ops@example.com>")
        };
        if text.contains(['\r', '\n']) {
            return Err(bad("has a line break"));
        }
        let (name, address) = match text.trim().split_once('<') {
            Some((name, rest)) => {
                let address = rest.strip_suffix('>').ok_or_else(|| bad("has no >"))?;
                (name.trim(), address)
            }
            None => ("", text.trim()),
        };
        let (local, domain) = address.rsplit_once('@').ok_or_else(|| bad("has no @"))?;
        if !is_dot_string(local) {
            return Err(bad("has no valid name before its @"));
        }
        if !is_domain(domain) {
            return Err(bad("has no valid domain after its @"));
        }
        // Quotes belong to the header, which writes its own.
        let name = name
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(name);
        let name = wording::line(name);
        let (address, domain) = (address.to_owned(), domain.to_owned());
        Ok(Self {
            name: (!name.is_empty()).then_some(name),
            address,
            domain,
        })
    }
}

impl JsonSchema for Mailbox {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Mailbox".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": format!("^({ADDRESS}|[^<>\\r\\n]{{0,200}}<{ADDRESS}>)$"),
            "examples": ["ops@example.com", "Operations <ops@example.com>"],
        })
    }
}

/// RFC 5321 section 4.1.2.
fn is_dot_string(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte))
    };
    text.len() <= 64 && text.split('.').all(is_atom)
}

/// A host name, or an address in brackets (RFC 5321 section 4.1.3).
fn is_domain(text: &str) -> bool {
    if let Some(literal) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address = literal.strip_prefix("IPv6:").unwrap_or(literal);
        return address.parse::<std::net::IpAddr>().is_ok();
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailboxes_have_an_address_and_perhaps_a_name() {
        for (text, name, address) in [
            ("ops@acme.test", None, "ops@acme.test"),
            (" <ops@acme.test>", None, "ops@acme.test"),
            ("Ops <a.b+c@acme.test>", Some("Ops"), "a.b+c@acme.test"),
            (
                "\"Ops, Ätna\" <o@[192.0.2.1]>",
                Some("Ops, Ätna"),
                "o@[192.0.2.1]",
            ),
            ("x@[IPv6:2001:db8::1]", None, "x@[IPv6:2001:db8::1]"),
            ("Ops\u{202E}\u{7}x <o@a.test>", Some("Ops x"), "o@a.test"),
        ] {
            let mailbox = Mailbox::try_from(text.to_owned()).unwrap();
            assert_eq!(
                (mailbox.name(), mailbox.address()),
                (name, address),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "ops",
            "ops@",
            "@acme.test",
            "a b@acme.test",
            "a@b@acme.test",
            ".a@acme.test",
            "a..b@acme.test",
            "a@-b.test",
            "a@b..test",
            "a@[x]",
            "Ops <a@acme.test",
            "a@acme.test\r\nRCPT TO:<b@acme.test>",
            "a@acme.test> SIZE=1",
            "<a@acme.test>, <b@acme.test>",
            "ö@acme.test",
        ] {
            let error = Mailbox::try_from(text.to_owned()).unwrap_err();
            assert!(error.contains("write it like"), "{text}: {error}");
        }
    }
}
