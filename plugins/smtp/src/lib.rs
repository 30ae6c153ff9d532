//! Checks that a mail server greets, speaks TLS with a good certificate, offers
//! what it should and takes a login. It sends no mail.

mod config;
mod dialogue;
mod reply;
#[cfg(test)]
mod script;

use std::borrow::Cow;

use regex_lite::Regex;
use watchkeeper_sdk::tls::{Connection, Trust};
use watchkeeper_sdk::{
    Capability, Context, Error, Health, Probe, Reading, Stop, Target, Timestamp,
};

pub use crate::config::{Config, Login, Mechanism, StartTls};
use crate::dialogue::{Dialogue, listed};
use crate::reply::{Offer, Reply};

/// The probe for `smtp`, `submission` and `smtps` targets.
pub struct Smtp;

impl Probe for Smtp {
    type Config = Config;

    const NAME: &'static str = "smtp";
    const SUMMARY: &'static str = "Checks a mail server's greeting, TLS, extensions and login";
    const SCHEMES: &'static [&'static str] = &["smtp", "smtps", "submission"];
    const ASKS: &'static [Capability] = &[Capability::Tls];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let plan = Plan::new(config, target)?;
        plan.run(context)
    }
}

watchkeeper_sdk::probe!(Smtp);

/// What to do, checked.
struct Plan {
    config: Config,
    greeting: Option<Regex>,
    security: Security,
    host: String,
    port: u16,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    AtOnce,
    Later(StartTls),
}

impl Plan {
    fn new(config: Config, target: &Target) -> Result<Self, Stop> {
        let url = target.url()?;
        let host = target.host()?;
        // The port that each scheme is registered with at IANA.
        let (port, security) = match (url.scheme(), config.starttls) {
            ("smtps", None) => (465, Security::AtOnce),
            ("smtps", Some(_)) => {
                let why = "config.starttls: a target smtps:// speaks TLS from the start";
                return Err(Stop::Misconfigured(why.to_owned()));
            }
            (scheme, starttls) => {
                let port = if scheme == "submission" { 587 } else { 25 };
                let starttls = starttls.unwrap_or(StartTls::Opportunistic);
                (port, Security::Later(starttls))
            }
        };
        let greeting = config.greeting.as_deref().map(|pattern| {
            Regex::new(pattern).map_err(|error| {
                Stop::Misconfigured(format!(
                    "config.greeting: {pattern:?} is no regular expression: {error}"
                ))
            })
        });
        if let Some(login) = &config.login
            && security == Security::Later(StartTls::Never)
            && !login.in_the_clear
        {
            return Err(Stop::Misconfigured(
                "config.login: starttls = \"never\" would send the password in the clear: \
                 allow it with in_the_clear = true"
                    .to_owned(),
            ));
        }
        Ok(Self {
            greeting: greeting.transpose()?,
            port: url.port().unwrap_or(port),
            config,
            security,
            host,
        })
    }

    fn run(&self, context: &Context) -> Result<Reading, Stop> {
        let waiting = |what| move |error: Error| error.waiting_for(what, context.timeout());
        // Waiting must end before the host ends the check: what was waited for
        // says more than that nothing came.
        let patience = context.remaining().mul_f64(0.98);
        let connection = Connection::open(&self.host, self.port, patience)
            .map_err(waiting("the TCP handshake"))?;
        let mut reading =
            Reading::healthy().measure("connect", context.elapsed().as_secs_f64(), "seconds");
        if self.security == Security::AtOnce {
            reading = self
                .secure(&connection, reading)
                .map_err(waiting("the TLS handshake"))?;
        }
        let connected = context.elapsed();
        let mut dialogue = Dialogue::new(connection);
        let greeting = dialogue.greeting().map_err(waiting("the greeting"))?;
        let waited = context.elapsed().saturating_sub(connected);
        reading = reading.measure("greeting", waited.as_secs_f64(), "seconds");
        reading = self.judge_greeting(reading, &greeting);

        let hello = |dialogue: &mut Dialogue<Connection>| {
            let offer = dialogue.hello(&self.config.hello);
            offer.map_err(waiting("the answer to EHLO"))
        };
        let mut offer = hello(&mut dialogue)?;
        let mut secured = self.security == Security::AtOnce;
        if let Security::Later(starttls) = self.security {
            let is_offered = offer.has("STARTTLS");
            if starttls == StartTls::Required && !is_offered {
                reading = reading.worsen(Health::Dead, "does not offer STARTTLS");
            }
            if starttls != StartTls::Never && is_offered {
                dialogue
                    .start_tls()
                    .map_err(waiting("the answer to STARTTLS"))?;
                reading = self
                    .secure(dialogue.stream(), reading)
                    .map_err(waiting("the TLS handshake"))?;
                // What was said in the clear no longer holds (RFC 3207 section 4.2).
                offer = hello(&mut dialogue)?;
                secured = true;
            }
        }
        reading = judge_offer(reading, &self.config, &offer);
        if let Some(login) = &self.config.login
            && reading.health != Health::Dead
        {
            if !secured && !login.in_the_clear {
                dialogue.quit();
                return Err(Stop::Undecided(
                    "the server offers no TLS to log in over: allow it with \
                     config.login.in_the_clear = true"
                        .to_owned(),
                ));
            }
            dialogue
                .login(login, &offer)
                .map_err(waiting("the answer to the login"))?;
        }
        dialogue.noop().map_err(waiting("the answer to NOOP"))?;
        let reading = reading.latency(context.elapsed());
        dialogue.quit();
        Ok(reading)
    }

    fn secure(&self, connection: &Connection, reading: Reading) -> Result<Reading, Error> {
        let name = self.config.tls.server_name(&self.host);
        let session = connection.start_tls(name, &[], Trust::VERIFY)?;
        let reading = reading.measure("tls", session.handshake.as_secs_f64(), "seconds");
        Ok(self.config.tls.judge(reading, &session, Timestamp::now()))
    }

    fn judge_greeting(&self, reading: Reading, greeting: &Reply) -> Reading {
        match &self.greeting {
            Some(regex) if !regex.is_match(&greeting.text()) => {
                let said = greeting.quoted();
                let why = format!("expected a greeting that matches {regex}, got {said:?}");
                reading.worsen(Health::Dead, why)
            }
            Some(_) | None => reading,
        }
    }
}

fn judge_offer(mut reading: Reading, config: &Config, offer: &Offer) -> Reading {
    for extension in config.extensions.iter().filter(|name| !offer.has(name)) {
        reading = reading.worsen(Health::Dead, format!("does not offer {extension}"));
    }
    let offered = offer.mechanisms();
    for mechanism in &config.mechanisms {
        if !offered
            .iter()
            .any(|name| name.eq_ignore_ascii_case(mechanism))
        {
            let only = listed(&offered);
            let why = format!("offers no login by {mechanism}, only by {only}");
            reading = reading.worsen(Health::Dead, why);
        }
    }
    reading
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(config: &str, target: &str) -> Result<Plan, String> {
        let config = watchkeeper_sdk::config::parse(config)?;
        Plan::new(config, &Target::new(target)).map_err(|stop| match stop {
            Stop::Misconfigured(why) => why,
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn the_scheme_says_port_and_security() {
        let later = Security::Later(StartTls::Opportunistic);
        for (target, port, security) in [
            ("smtp://a.test", 25, later),
            ("submission://a.test", 587, later),
            ("smtps://a.test", 465, Security::AtOnce),
            ("smtp://a.test:2525", 2525, later),
        ] {
            let plan = plan("{}", target).unwrap();
            assert_eq!((plan.port, plan.security), (port, security), "{target}");
        }
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (config, target, expected) in [
            (
                r#"{"starttls":"never"}"#,
                "smtps://a.test",
                "config.starttls: a target smtps:// speaks TLS from the start",
            ),
            (
                r#"{"greeting":"("}"#,
                "smtp://a.test",
                "config.greeting: \"(\" is no regular expression",
            ),
            (
                r#"{"starttls":"never","login":{"username":"a","password":"b"}}"#,
                "smtp://a.test",
                "config.login: starttls = \"never\" would send the password in the clear",
            ),
            ("{}", "mail.test", "target mail.test: no scheme"),
        ] {
            let found = plan(config, target).err().unwrap();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn what_is_missing_from_the_offer_is_named() {
        let config = r#"{"extensions":["size","DSN"],"mechanisms":["PLAIN","XOAUTH2"]}"#;
        let config = watchkeeper_sdk::config::parse(config).unwrap();
        let hello = Reply {
            code: 250,
            lines: ["a.test", "SIZE 1", "AUTH plain"].map(str::to_owned).into(),
        };
        let reading = judge_offer(Reading::healthy(), &config, &Offer::of(&hello));
        assert_eq!(
            reading.reason.unwrap(),
            "does not offer DSN; offers no login by XOAUTH2, only by PLAIN"
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
