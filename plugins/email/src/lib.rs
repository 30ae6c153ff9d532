//! Sends notices as mail through an SMTP server.
//!
//! One run is one conversation with the server. Where only some of the recipients
//! could be served, the run keeps which, so that another attempt sends nobody the
//! same mail twice.

mod config;
mod dialogue;
mod mailbox;
mod message;
mod reply;
#[cfg(test)]
mod script;

use std::borrow::Cow;

use watchkeeper_sdk::recipients::{self, Round};
use watchkeeper_sdk::tls::{Connection, Verify};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, Problem, Stop};

pub use crate::config::{Certificate, Config, Encryption, Login, Mechanism};
pub use crate::mailbox::Mailbox;

use crate::dialogue::{Dialogue, waiting};
use crate::message::Message;

/// Which part of a run's time may be spent on waiting: what is left is enough to
/// say in words what did not come.
const PATIENCE: f64 = 0.96;

/// The notifier.
pub struct Email;

impl Notifier for Email {
    type Config = Config;

    const NAME: &'static str = "email";
    const SUMMARY: &'static str = "Sends notices as mail through an SMTP server";
    const ASKS: &'static [Capability] = &[Capability::Tls, Capability::State];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        match Plan::new(config) {
            Ok(_) => Ok(()),
            Err(why) => Err(vec![Stop::Misconfigured(why).into()]),
        }
    }

    fn notify(config: Config, notice: &Notice, context: &Context) -> Result<(), Failure> {
        let plan = Plan::new(&config).map_err(Failure::Permanent)?;
        let message = Message::new(&config, notice);
        recipients::together(notice, &config.recipients(), |recipients| {
            plan.send(&message, recipients, context)
        })
    }
}

watchkeeper_sdk::notifier!(Email);

/// Where and how to send, checked.
struct Plan<'a> {
    config: &'a Config,
    host: String,
    port: u16,
    encryption: Encryption,
}

impl<'a> Plan<'a> {
    /// The error names the key that cannot work.
    fn new(config: &'a Config) -> Result<Self, String> {
        let url = config.server.url();
        let (port, usual) = match url.scheme() {
            "smtp" => (25, Encryption::Starttls),
            "submission" => (587, Encryption::Starttls),
            "smtps" => (465, Encryption::Implicit),
            other => {
                return Err(format!(
                    "config.server: {other}:// is not for mail: write submission://host, \
                     smtps://host or smtp://host"
                ));
            }
        };
        let encryption = config.encryption.unwrap_or(usual);
        if url.scheme() == "smtps" && encryption != Encryption::Implicit {
            return Err(
                "config.encryption: smtps:// speaks TLS from the start: write \
                 submission:// or smtp:// for another"
                    .to_owned(),
            );
        }
        if let Some(login) = &config.login
            && encryption == Encryption::None
            && !login.in_the_clear
        {
            return Err(
                "config.login: encryption = \"none\" would send the password in the clear: \
                 allow it with in_the_clear = true"
                    .to_owned(),
            );
        }
        let host = url.host().ok_or("config.server: no host")?.to_owned();
        Ok(Self {
            config,
            port: url.port().unwrap_or(port),
            host,
            encryption,
        })
    }

    /// Offers the message to the server for all `recipients`.
    fn send(
        &self,
        message: &Message,
        recipients: &[&str],
        context: &Context,
    ) -> Result<Round, Failure> {
        let timeout = context.timeout();
        let patience = context.remaining().mul_f64(PATIENCE);
        let connection = Connection::open(&self.host, self.port, patience)
            .map_err(waiting("the TCP handshake", timeout))?;
        let mut is_secure = self.encryption == Encryption::Implicit;
        if is_secure {
            self.secure(&connection, context)?;
        }
        let mut dialogue = Dialogue::new(connection, timeout);
        dialogue.greeting()?;
        let mut offer = dialogue.hello(self.config.hello())?;
        let upgrades = matches!(
            self.encryption,
            Encryption::Starttls | Encryption::Opportunistic
        );
        if upgrades && offer.has("STARTTLS") {
            dialogue.start_tls()?;
            self.secure(dialogue.stream(), context)?;
            is_secure = true;
            // What was said in the clear no longer holds (RFC 3207 section 4.2).
            offer = dialogue.hello(self.config.hello())?;
        } else if self.encryption == Encryption::Starttls {
            dialogue.quit();
            return Err(Failure::temporary(
                "the server does not offer STARTTLS: nothing is sent in the clear unless \
                 config.encryption = \"opportunistic\"",
            ));
        }
        if let Some(login) = &self.config.login {
            if !is_secure && !login.in_the_clear {
                dialogue.quit();
                return Err(Failure::temporary(
                    "the server offers no TLS to log in over: allow it with \
                     config.login.in_the_clear = true",
                ));
            }
            dialogue.login(login, &offer)?;
        }
        let round = dialogue.send(self.config.from.address(), recipients, message, &offer)?;
        dialogue.quit();
        Ok(round)
    }

    fn secure(&self, connection: &Connection, context: &Context) -> Result<(), Failure> {
        let certificate = &self.config.tls;
        let name = certificate.server_name.as_deref().unwrap_or(&self.host);
        connection
            .start_tls(name, &[], self.verify())
            .map_err(waiting("the TLS handshake", context.timeout()))?;
        Ok(())
    }

    /// Who takes TLS only where it is offered is no safer for a certificate that
    /// is verified: whoever stands between could have taken the offer away. A
    /// password is worth more than that.
    fn verify(&self) -> Verify {
        let is_lax = self.encryption == Encryption::Opportunistic && self.config.login.is_none();
        if is_lax || self.config.tls.allow_untrusted {
            Verify::Reported
        } else {
            Verify::Required
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(keys: &str) -> Result<Config, String> {
        let json = format!(r#"{{"from":"w@acme.test","to":["ops@acme.test"],{keys}}}"#);
        watchkeeper_sdk::config::parse(&json)
    }

    #[test]
    fn the_scheme_says_port_and_encryption() {
        for (server, encryption, port) in [
            ("smtp://a.test", Encryption::Starttls, 25),
            ("submission://a.test", Encryption::Starttls, 587),
            ("smtps://a.test", Encryption::Implicit, 465),
            ("submission://a.test:2525", Encryption::Starttls, 2525),
        ] {
            let config = config(&format!(r#""server":"{server}""#)).unwrap();
            let plan = Plan::new(&config).unwrap();
            assert_eq!((plan.encryption, plan.port), (encryption, port), "{server}");
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (keys, expected) in [
            (
                r#""server":"https://a.test""#,
                "config.server: https:// is not for mail",
            ),
            (
                r#""server":"smtps://a.test","encryption":"starttls""#,
                "config.encryption: smtps:// speaks TLS from the start",
            ),
            (
                r#""server":"smtp://a.test","encryption":"none","login":{"username":"a","password":"b"}"#,
                "config.login: encryption = \"none\" would send the password in the clear",
            ),
        ] {
            let config = config(keys).unwrap();
            let found = Plan::new(&config).err().unwrap();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn certificates_matter_where_they_help() {
        for (keys, expected) in [
            (r#""encryption":"starttls""#, Verify::Required),
            (r#""encryption":"opportunistic""#, Verify::Reported),
            (
                r#""encryption":"opportunistic","login":{"username":"a","password":"b"}"#,
                Verify::Required,
            ),
            (
                r#""encryption":"implicit","tls":{"allow_untrusted":true}"#,
                Verify::Reported,
            ),
        ] {
            let config = config(&format!(r#""server":"smtp://a.test",{keys}"#)).unwrap();
            assert_eq!(Plan::new(&config).unwrap().verify(), expected, "{keys}");
        }
    }

    #[test]
    fn the_schema_grants_the_server_and_marks_the_password() {
        let description = watchkeeper_sdk::describe::notifier::<Email>("0.1.0");
        let schema: serde_json::Value = serde_json::from_str(&description.config_schema).unwrap();
        assert_eq!(schema["properties"]["server"]["format"], "uri");
        assert_eq!(
            schema["$defs"]["Login"]["properties"]["password"]["writeOnly"],
            true
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
