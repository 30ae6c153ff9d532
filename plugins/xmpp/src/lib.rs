//! Sends notices to people and rooms on XMPP (RFC 6120, RFC 6121, XEP-0045).
//!
//! One run is one session: TLS, login, a message to each recipient, farewell.

mod config;
mod jid;
mod login;
mod message;
mod scram;
mod stream;
mod talk;
mod trouble;
mod xml;

use std::borrow::Cow;

use watchkeeper_sdk::recipients::{self, Round};
use watchkeeper_sdk::tls::{Encryption, Mode};
use watchkeeper_sdk::{Capability, Context, Failure, Notice, Notifier, Problem, Stop};

pub use crate::config::{Certificate, Config};
pub use crate::jid::Jid;

use crate::message::Message;
use crate::stream::{Security, Stream};
use crate::talk::Talk;

/// The notifier.
pub struct Xmpp;

impl Notifier for Xmpp {
    type Config = Config;

    const NAME: &'static str = "xmpp";
    const SUMMARY: &'static str = "Sends notices to people and rooms on XMPP";
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
        let message = Message::new(notice);
        recipients::together(notice, &config.recipients(), |recipients| {
            plan.tell(&message, recipients, context)
        })
    }
}

watchkeeper_sdk::notifier!(Xmpp);

/// Where and how to log in, checked.
struct Plan<'a> {
    config: &'a Config,
    host: String,
    port: u16,
    security: Security,
}

impl<'a> Plan<'a> {
    /// The error names the key that cannot work.
    fn new(config: &'a Config) -> Result<Self, String> {
        let url = config.server.url();
        let (port, security) = match url.scheme() {
            "xmpp" => (5222, Security::StartTls),
            "xmpps" => (5223, Security::AtOnce),
            other => {
                return Err(format!(
                    "config.server: {other}:// is not for XMPP: write xmpp://host or xmpps://host"
                ));
            }
        };
        if config.to.is_empty() && config.rooms.is_empty() {
            return Err("config.to: nobody to tell: name someone in to or rooms".to_owned());
        }
        if config.jid.local().is_none() {
            return Err(format!(
                "config.jid: {} has no user name: write it like watch@example.com",
                config.jid
            ));
        }
        let host = url.host().ok_or("config.server: no host")?.to_owned();
        Ok(Self {
            config,
            port: url.port().unwrap_or(port),
            host,
            security,
        })
    }

    /// Tells those of `recipients` whom the configuration has as people, then the
    /// rooms.
    fn tell(
        &self,
        message: &Message,
        recipients: &[&str],
        context: &Context,
    ) -> Result<Round, Failure> {
        let wanted = |jids: &[Jid]| {
            let mut wanted: Vec<Jid> = Vec::new();
            for jid in jids {
                if recipients.contains(&jid.as_str()) && !wanted.contains(jid) {
                    wanted.push(jid.clone());
                }
            }
            wanted
        };
        let mut talk = self.open(context)?;
        let mut round = talk.tell_people(&wanted(&self.config.to), message)?;
        for room in wanted(&self.config.rooms) {
            let outcome = talk.tell_room(&room, &self.config.nick, message);
            round.push((room.to_string(), outcome));
        }
        talk.close();
        Ok(round)
    }

    fn open(&self, context: &Context) -> Result<Talk, Failure> {
        let tls = &self.config.tls;
        let encryption = Encryption {
            mode: if tls.allow_untrusted {
                Mode::Require
            } else {
                Mode::Verify
            },
            server_name: tls.server_name.clone(),
            expiry: None,
        };
        // The certificate is for the name of the service, not for the machine that
        // gives it (RFC 6120 section 13.7.2).
        let domain = self.config.jid.domain();
        let mut stream = Stream::open(&self.host, self.port, domain, context)?;
        stream.secure(self.security, &encryption)?;
        login::login(&mut stream, &self.config.jid, &self.config.password)?;
        Talk::begin(stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(keys: &str) -> Config {
        let json = format!(r#"{{"password":"p",{keys}}}"#);
        watchkeeper_sdk::config::parse(&json).unwrap()
    }

    #[test]
    fn the_scheme_says_port_and_security() {
        for (server, port, security) in [
            ("xmpp://a.test", 5222, Security::StartTls),
            ("xmpps://a.test", 5223, Security::AtOnce),
            ("xmpp://a.test:15222", 15222, Security::StartTls),
        ] {
            let keys = format!(r#""server":"{server}","jid":"w@a.test","to":["o@a.test"]"#);
            let config = config(&keys);
            let plan = Plan::new(&config).unwrap();
            assert_eq!((plan.port, plan.security), (port, security), "{server}");
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (keys, expected) in [
            (
                r#""server":"https://a.test","jid":"w@a.test","to":["o@a.test"]"#,
                "config.server: https:// is not for XMPP",
            ),
            (
                r#""server":"xmpp://a.test","jid":"a.test","to":["o@a.test"]"#,
                "config.jid: a.test has no user name",
            ),
            (
                r#""server":"xmpp://a.test","jid":"w@a.test""#,
                "config.to: nobody to tell",
            ),
        ] {
            let config = config(keys);
            let found = Plan::new(&config).err().unwrap();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn the_schema_grants_the_server_and_marks_the_password() {
        let description = watchkeeper_sdk::describe::notifier::<Xmpp>("0.1.0");
        let schema: serde_json::Value = serde_json::from_str(&description.config_schema).unwrap();
        assert_eq!(schema["properties"]["server"]["format"], "uri");
        assert_eq!(schema["properties"]["password"]["writeOnly"], true);
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
