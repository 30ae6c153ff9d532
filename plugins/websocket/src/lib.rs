//! Checks that a WebSocket server takes the upgrade, says what it should, answers a
//! ping and closes in order.

mod config;
#[cfg(test)]
mod peer;
mod session;
mod upgrade;

use std::borrow::Cow;

use regex_lite::Regex;
use watchkeeper_sdk::stream::Buffered;
use watchkeeper_sdk::tls::{Connection, Trust};
use watchkeeper_sdk::{
    Capability, Context, Error, Health, Probe, Reading, Stop, Target, Timestamp, in_words,
};

pub use crate::config::{Config, Expect};
use crate::session::{Leave, Session, Unmet};
use crate::upgrade::{Answer, Request, shortened};

/// The probe for `ws` and `wss` targets.
pub struct WebSocket;

impl Probe for WebSocket {
    type Config = Config;

    const NAME: &'static str = "websocket";
    const SUMMARY: &'static str = "Checks a WebSocket server's upgrade, messages and closing";
    const SCHEMES: &'static [&'static str] = &["ws", "wss"];
    const ASKS: &'static [Capability] = &[Capability::Tls];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let plan = Plan::new(config).map_err(Stop::Misconfigured)?;
        plan.run(target, context)
    }
}

watchkeeper_sdk::probe!(WebSocket);

/// What to do, checked.
#[derive(Debug)]
struct Plan {
    config: Config,
    headers: Vec<(String, Regex)>,
    regex: Option<Regex>,
}

impl Plan {
    fn new(config: Config) -> Result<Self, String> {
        let compile = |key: &str, pattern: &str| {
            Regex::new(pattern)
                .map_err(|error| format!("{key}: {pattern:?} is no regular expression: {error}"))
        };
        let expect = &config.expect;
        if let Some(wanted) = &expect.subprotocol
            && !config.subprotocols.contains(wanted)
        {
            return Err(format!(
                "config.expect.subprotocol: {wanted:?} is not among config.subprotocols"
            ));
        }
        let regex = expect.regex.as_deref();
        let regex = regex.map(|pattern| compile("config.expect.regex", pattern));
        let headers = expect.headers.iter().map(|(name, pattern)| {
            let regex = compile(&format!("config.expect.headers.{name}"), pattern)?;
            Ok((name.to_ascii_lowercase(), regex))
        });
        Ok(Self {
            regex: regex.transpose()?,
            headers: headers.collect::<Result<_, String>>()?,
            config,
        })
    }

    fn run(&self, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let waiting = |what| move |error: Error| error.waiting_for(what, context.timeout());
        let (url, host, port) = (target.url()?, target.host()?, target.port()?);
        let config = &self.config;
        let mut random = [0; 20];
        getrandom::fill(&mut random)
            .map_err(|error| Error::Host(format!("no randomness: {error}")))?;
        let [a, b, c, d, key @ ..] = random;
        let request = Request::new(&url, &config.headers, &config.subprotocols, key)
            .map_err(Stop::Misconfigured)?;

        // Waiting must end before the host ends the check: what was waited for
        // says more than that nothing came.
        let patience = context.remaining().mul_f64(0.98);
        let connection =
            Connection::open(&host, port, patience).map_err(waiting("the TCP handshake"))?;
        let mut reading =
            Reading::healthy().measure("connect", context.elapsed().as_secs_f64(), "seconds");
        if url.scheme() == "wss" {
            let name = config.tls.server_name(&host);
            let session = connection
                .start_tls(name, &["http/1.1"], Trust::VERIFY)
                .map_err(waiting("the TLS handshake"))?;
            reading = reading.measure("tls", session.handshake.as_secs_f64(), "seconds");
            reading = config.tls.judge(reading, &session, Timestamp::now());
            if reading.health == Health::Dead {
                // Headers may hold secrets.
                return Ok(reading);
            }
        }
        let connected = context.elapsed();
        let mut stream = Buffered::new(connection);
        let answer = request
            .send(&mut stream)
            .map_err(waiting("the answer to the upgrade"))?;
        let upgraded = context.elapsed().saturating_sub(connected);
        reading = reading.measure("upgrade", upgraded.as_secs_f64(), "seconds");
        if let Some(fault) = request.fault(&answer, &config.subprotocols) {
            return Ok(reading.worsen(Health::Dead, fault));
        }
        reading = self.judge_answer(reading, &answer);
        self.talk(reading, stream, [a, b, c, d], context)
    }

    fn talk(
        &self,
        mut reading: Reading,
        stream: Buffered<Connection>,
        payload: [u8; 4],
        context: &Context,
    ) -> Result<Reading, Stop> {
        let waiting = |what| move |error: Error| error.waiting_for(what, context.timeout());
        let config = &self.config;
        let mut session = Session::new(stream, config.message_limit);
        let began = context.elapsed();
        if let Some(text) = &config.send {
            session.send(text)?;
        }
        if self.expects_message() {
            if let Err(unmet) = session.wait_for(|text| self.is_expected(text)) {
                return self.unmet(reading, unmet, context);
            }
            let took = context.elapsed().saturating_sub(began);
            reading = reading.measure("answer", took.as_secs_f64(), "seconds");
        }
        if config.ping {
            let began = context.elapsed();
            session
                .ping(payload)
                .map_err(waiting("the answer to a ping"))?;
            let took = context.elapsed().saturating_sub(began);
            reading = reading.measure("ping", took.as_secs_f64(), "seconds");
        }
        let mut reading = reading.latency(context.elapsed());
        match session.close() {
            Ok(()) if config.clean_close => {
                if let Leave::Rude(error) = session.closed() {
                    reading = reading.worsen(Health::Sick, rude(&error, context));
                }
            }
            Err(error) if config.clean_close => {
                reading = reading.worsen(Health::Sick, rude(&error, context));
            }
            Ok(()) | Err(_) => {}
        }
        Ok(reading)
    }

    fn judge_answer(&self, mut reading: Reading, answer: &Answer) -> Reading {
        if let Some(wanted) = &self.config.expect.subprotocol
            && answer.subprotocol() != Some(wanted)
        {
            let chosen = answer.subprotocol().unwrap_or("none");
            let why = format!("chooses subprotocol {chosen}, expected {wanted}");
            reading = reading.worsen(Health::Dead, why);
        }
        for (name, regex) in &self.headers {
            let why = match answer.header(name) {
                Some(value) if regex.is_match(value) => continue,
                Some(value) => {
                    let value = shortened(value);
                    format!("header {name} is {value:?}, expected a match of {regex}")
                }
                None => format!("header {name} is missing"),
            };
            reading = reading.worsen(Health::Dead, why);
        }
        reading
    }

    fn expects_message(&self) -> bool {
        self.config.expect.contains.is_some() || self.regex.is_some()
    }

    fn is_expected(&self, text: &str) -> bool {
        let contains = self.config.expect.contains.as_deref();
        contains.is_none_or(|part| text.contains(part))
            && self.regex.as_ref().is_none_or(|regex| regex.is_match(text))
    }

    /// What the target is when the message that was waited for did not come.
    fn unmet(&self, reading: Reading, unmet: Unmet, context: &Context) -> Result<Reading, Stop> {
        let contains = self.config.expect.contains.as_ref();
        let contains = contains.map(|part| format!("{:?}", shortened(part)));
        let regex = self.regex.as_ref();
        let regex = regex.map(|regex| format!("a match of {}", shortened(regex.as_str())));
        let wanted: Vec<String> = contains.into_iter().chain(regex).collect();
        let got = match unmet.last {
            Some(last) => format!("{last:?} last"),
            None => "no message".to_owned(),
        };
        let end = match unmet.error {
            Error::TimedOut(_) => format!("in {}", in_words(context.timeout())),
            Error::Closed => "before the connection ended".to_owned(),
            Error::Malformed(why) => format!("and it {why}"),
            other => return Err(other.into()),
        };
        let why = format!("expected {}, got {got} {end}", wanted.join(" and "));
        Ok(reading.worsen(Health::Dead, why))
    }
}

fn rude(error: &Error, context: &Context) -> String {
    match error {
        Error::TimedOut(_) => {
            let time = in_words(context.timeout());
            format!("does not answer the closing in {time}")
        }
        // Closed or reset: which, is a matter of moments.
        Error::Closed | Error::Failed(_) => {
            "ends the connection without answering the closing".to_owned()
        }
        other => format!("does not answer the closing: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(config: &str) -> Result<Plan, String> {
        Plan::new(watchkeeper_sdk::config::parse(config)?)
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (config, expected) in [
            (r#"{"expect":{"regex":"("}}"#, "config.expect.regex: "),
            (
                r#"{"expect":{"headers":{"Server":"("}}}"#,
                "config.expect.headers.Server: ",
            ),
            (
                r#"{"subprotocols":["a"],"expect":{"subprotocol":"b"}}"#,
                r#"config.expect.subprotocol: "b" is not among config.subprotocols"#,
            ),
        ] {
            let found = plan(config).unwrap_err();
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn both_expectations_must_be_in_one_message() {
        let both = plan(r#"{"expect":{"contains":"a","regex":"b$"}}"#).unwrap();
        assert!(both.is_expected("ab"));
        assert!(!both.is_expected("a"));
        assert!(!both.is_expected("b"));
        assert!(!plan("{}").unwrap().expects_message());
    }

    #[test]
    fn what_did_not_come_is_told_with_what_did() {
        let both = plan(r#"{"expect":{"contains":"a","regex":"b$"}}"#).unwrap();
        let context = Context::new(None, std::time::Duration::from_secs(10));
        let told = |last: Option<&str>, error| {
            let unmet = Unmet {
                last: last.map(str::to_owned),
                error,
            };
            both.unmet(Reading::healthy(), unmet, &context)
                .map(|reading| reading.reason.unwrap())
        };
        assert_eq!(
            told(Some("x"), Error::TimedOut(None)).unwrap(),
            r#"expected "a" and a match of b$, got "x" last in 10 s"#
        );
        assert_eq!(
            told(None, Error::Closed).unwrap(),
            r#"expected "a" and a match of b$, got no message before the connection ended"#
        );
        assert!(told(None, Error::Host("full".to_owned())).is_err());
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
