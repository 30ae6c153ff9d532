//! Checks that a TCP port takes connections and, where asked, says what it
//! should.

use std::borrow::Cow;
use std::time::Duration;

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::{
    Capability, Context, Error, Probe, Problem, Reading, Stop, Target, in_words, tcp,
};

/// The probe for `tcp` targets.
pub struct Tcp;

/// The configuration of a TCP check. All keys are optional: without any, taking
/// the connection is enough.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// A text to send once connected.
    pub send: Option<String>,
    /// Bytes to send once connected, as hexadecimal digits; instead of `send`.
    #[schemars(regex(pattern = "^([0-9A-Fa-f]{2}| )+$"))]
    pub send_hex: Option<String>,
    /// What must come back: what does not makes the target dead.
    pub expect: Expect,
    /// How many bytes to wait for at most.
    #[schemars(range(min = 1, max = 1_048_576))]
    pub read_limit: usize,
}

/// What must come back. The check waits until it came, the other side closed,
/// the limit is reached or the time is over.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    /// A text that must come.
    pub contains: Option<String>,
    /// A regular expression that must match somewhere in what came.
    pub regex: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            send: None,
            send_hex: None,
            expect: Expect::default(),
            read_limit: 64 * 1024,
        }
    }
}

impl Probe for Tcp {
    type Config = Config;

    const NAME: &'static str = "tcp";
    const SUMMARY: &'static str = "Checks that a TCP port takes connections and answers";
    const SCHEMES: &'static [&'static str] = &["tcp"];
    const ASKS: &'static [Capability] = &[Capability::Tcp];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn validate(config: &Config) -> Result<(), Vec<Problem>> {
        match Conversation::new(config.clone()) {
            Ok(_) => Ok(()),
            Err(what) => Err(vec![Stop::Misconfigured(what).into()]),
        }
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let conversation = Conversation::new(config).map_err(Stop::Misconfigured)?;
        let (host, port) = (target.host()?, target.port()?);
        let mut patience = context.remaining();
        if conversation.expected.is_some() {
            // Waiting must end before the host ends the check: what came instead
            // of what was expected says more than that nothing more came.
            patience = patience.mul_f64(0.98);
        }
        let connection = tcp::Connection::open(&host, port, patience)?;
        let connected = context.elapsed();
        let mut reading = Reading::healthy().measure("connect", connected.as_secs_f64(), "seconds");
        if !conversation.send.is_empty() {
            connection.write(&conversation.send)?;
        }
        if let Some(expected) = &conversation.expected {
            let mut received = Vec::new();
            let fault = loop {
                if expected.came(&received) {
                    break None;
                }
                let room = conversation.read_limit.saturating_sub(received.len());
                if room == 0 {
                    break Some(End::Limit);
                }
                match connection.read(room) {
                    Ok(bytes) if bytes.is_empty() => break Some(End::Closed),
                    Ok(bytes) => received.extend_from_slice(&bytes),
                    Err(Error::TimedOut(_)) => break Some(End::Silent(context.timeout())),
                    Err(error) => return Err(error.into()),
                }
            };
            let answered = context.elapsed();
            reading = reading.measure(
                "answer",
                answered.saturating_sub(connected).as_secs_f64(),
                "seconds",
            );
            if let Some(end) = fault {
                return Ok(Reading::dead(expected.fault(&received, end)));
            }
        }
        Ok(reading.latency(context.elapsed()))
    }
}

watchkeeper_sdk::probe!(Tcp);

/// What is said and awaited, checked.
#[derive(Debug)]
struct Conversation {
    send: Vec<u8>,
    expected: Option<Expected>,
    read_limit: usize,
}

#[derive(Debug)]
struct Expected {
    contains: Option<String>,
    regex: Option<Regex>,
}

/// Why no more came.
#[derive(Clone, Copy, Debug)]
enum End {
    Closed,
    Limit,
    Silent(Duration),
}

impl Conversation {
    fn new(config: Config) -> Result<Self, String> {
        let send = match (config.send, config.send_hex) {
            (Some(_), Some(_)) => {
                return Err("config.send_hex: give either this or config.send".to_owned());
            }
            (Some(text), None) => text.into_bytes(),
            (None, Some(digits)) => bytes_of(&digits).ok_or_else(|| {
                format!("config.send_hex: {digits:?} is not pairs of hexadecimal digits")
            })?,
            (None, None) => Vec::new(),
        };
        let regex = match &config.expect.regex {
            Some(pattern) => Some(Regex::new(pattern).map_err(|error| {
                format!("config.expect.regex: {pattern:?} is no regular expression: {error}")
            })?),
            None => None,
        };
        let contains = config.expect.contains;
        let expected =
            (contains.is_some() || regex.is_some()).then_some(Expected { contains, regex });
        Ok(Self {
            send,
            expected,
            read_limit: config.read_limit,
        })
    }
}

impl Expected {
    fn came(&self, received: &[u8]) -> bool {
        let text = String::from_utf8_lossy(received);
        self.contains
            .as_ref()
            .is_none_or(|part| text.contains(part.as_str()))
            && self
                .regex
                .as_ref()
                .is_none_or(|regex| regex.is_match(&text))
    }

    fn fault(&self, received: &[u8], end: End) -> String {
        let text = String::from_utf8_lossy(received);
        let wanted = match (&self.contains, &self.regex) {
            (Some(part), _) if !text.contains(part.as_str()) => format!("{:?}", excerpt(part)),
            (_, Some(regex)) => format!("a match of {}", excerpt(regex.as_str())),
            _ => String::new(),
        };
        let got = match text.as_ref() {
            "" => "nothing".to_owned(),
            text => format!("{:?}", excerpt(text)),
        };
        let end = match end {
            End::Closed => "before the connection was closed".to_owned(),
            End::Limit => format!("in the first {} bytes", received.len()),
            End::Silent(after) => format!("in {}", in_words(after)),
        };
        format!("expected {wanted}, got {got} {end}")
    }
}

/// A text cut to what fits into a reason.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 80;
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(LENGTH).collect();
    if characters.next().is_some() {
        format!("{start}…")
    } else {
        start
    }
}

fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u32> = digits
        .chars()
        .filter(|c| *c != ' ')
        .map(|c| c.to_digit(16))
        .collect::<Option<_>>()?;
    digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high * 16 + low).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(config: &str) -> Result<Conversation, String> {
        Conversation::new(watchkeeper_sdk::config::parse(config).unwrap())
    }

    #[test]
    fn what_is_sent_is_text_or_bytes() {
        assert_eq!(
            conversation(r#"{"send":"PING\r\n"}"#).unwrap().send,
            b"PING\r\n"
        );
        assert_eq!(
            conversation(r#"{"send_hex":"0D 0a"}"#).unwrap().send,
            b"\r\n"
        );
        for (config, expected) in [
            (
                r#"{"send":"a","send_hex":"00"}"#,
                "config.send_hex: give either this or config.send",
            ),
            (
                r#"{"send_hex":"0"}"#,
                r#"config.send_hex: "0" is not pairs of hexadecimal digits"#,
            ),
            (
                r#"{"send_hex":"xx"}"#,
                r#"config.send_hex: "xx" is not pairs of hexadecimal digits"#,
            ),
        ] {
            assert_eq!(conversation(config).unwrap_err(), expected);
        }
        assert!(
            conversation(r#"{"expect":{"regex":"("}}"#)
                .unwrap_err()
                .starts_with("config.expect.regex")
        );
    }

    #[test]
    fn both_expectations_must_come() {
        let both = conversation(r#"{"expect":{"contains":"220","regex":"ESMTP$"}}"#).unwrap();
        let expected = both.expected.unwrap();
        assert!(expected.came(b"220 mail ESMTP"));
        assert!(!expected.came(b"220 mail"));
        assert_eq!(
            expected.fault(b"220 mail", End::Closed),
            r#"expected a match of ESMTP$, got "220 mail" before the connection was closed"#
        );
        assert_eq!(
            expected.fault(b"", End::Silent(Duration::from_secs(10))),
            r#"expected "220", got nothing in 10 s"#
        );
        assert_eq!(
            expected.fault(b"554", End::Limit),
            r#"expected "220", got "554" in the first 3 bytes"#
        );
    }

    #[test]
    fn without_expectations_none_is_waited_for() {
        assert!(conversation("{}").unwrap().expected.is_none());
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
