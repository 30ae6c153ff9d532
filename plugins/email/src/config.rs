//! What operators say about where mail goes and how.

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Secret, Uri};

use crate::mailbox::Mailbox;

/// The configuration of a mail channel. `server`, `from` and `to` are required.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The mail server: `submission://host[:587]`, `smtps://host[:465]` or
    /// `smtp://host[:25]`.
    pub server: Uri,
    /// Whether and when TLS begins. Default: `implicit` for `smtps://`, else
    /// `starttls`.
    #[serde(default)]
    pub encryption: Option<Encryption>,
    /// What is demanded of the server's certificate.
    #[serde(default)]
    pub tls: Certificate,
    /// Credentials to log in with.
    #[serde(default)]
    pub login: Option<Login>,
    /// The name to say hello with: a host name, or an address in brackets.
    /// Default: what follows the `@` of `from`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 255), regex(pattern = r"^[A-Za-z0-9._:\[\]-]+$"))]
    pub hello: Option<String>,
    /// The sender. Without a name, the status page's title is it.
    pub from: Mailbox,
    /// The recipients.
    #[schemars(length(min = 1, max = 50))]
    pub to: Vec<Mailbox>,
    /// Who gets a copy.
    #[serde(default)]
    #[schemars(length(max = 50))]
    pub cc: Vec<Mailbox>,
    /// Where answers should go, if not to the sender.
    #[serde(default)]
    pub reply_to: Option<Mailbox>,
}

/// Whether and when TLS begins.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// Begin in the clear and go over to TLS; to a server that does not offer it
    /// nothing is sent.
    Starttls,
    /// Go over to TLS where the server offers it.
    Opportunistic,
    /// TLS from the start.
    Implicit,
    /// Stay in the clear.
    None,
}

/// What is demanded of a certificate. All keys are optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Certificate {
    /// Whether the chain may be untrusted for the name, as with a certificate
    /// that signed itself.
    pub allow_untrusted: bool,
    /// The name to ask for and to verify, where it is not the server's host.
    #[schemars(length(min = 1, max = 253))]
    pub server_name: Option<String>,
}

/// Credentials.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user name.
    #[schemars(length(min = 1, max = 320))]
    pub username: String,
    /// The password.
    pub password: Secret,
    /// How to log in. Default: `plain` where the server offers it, else `login`.
    #[serde(default)]
    pub mechanism: Option<Mechanism>,
    /// Whether the password may be sent without TLS.
    #[serde(default)]
    pub in_the_clear: bool,
}

/// A way to log in.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Mechanism {
    /// User name and password at once (RFC 4616).
    Plain,
    /// One after the other; older, and never standardised.
    Login,
}

impl Mechanism {
    /// As in the server's offer.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }
}

impl Config {
    /// The name to say hello with.
    pub(crate) fn hello(&self) -> &str {
        self.hello.as_deref().unwrap_or_else(|| self.from.domain())
    }

    /// The addresses of all who get the mail, each once.
    pub(crate) fn recipients(&self) -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for mailbox in self.to.iter().chain(&self.cc) {
            if all.iter().all(|before| before != mailbox.address()) {
                all.push(mailbox.address().to_owned());
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_mail_twice_and_hello_has_a_default() {
        let config: Config = watchkeeper_sdk::config::parse(
            r#"{"server":"smtp://a.test","from":"W <w@acme.test>","to":["a@x.test","B <b@x.test>"],
                "cc":["b@x.test","c@x.test"]}"#,
        )
        .unwrap();
        assert_eq!(config.recipients(), ["a@x.test", "b@x.test", "c@x.test"]);
        assert_eq!(config.hello(), "acme.test");
    }
}
