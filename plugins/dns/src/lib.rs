//! Checks what a name server answers: the response code, the records, and
//! whether they were validated.

mod answers;

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::dns::{self, Answer};
use watchkeeper_sdk::{Capability, Context, Error, Probe, Reading, Stop, Target};

use self::answers::Answers;

/// The probe for `dns` targets.
pub struct Dns;

/// The configuration of a DNS check. All keys are optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The name to ask for, where the target names only a server.
    #[schemars(length(min = 1, max = 255))]
    pub name: Option<String>,
    /// The kind of records to ask for: `A`, `AAAA`, `MX`, `TXT`, … Default: what
    /// the target says (`?type=MX`), or `A`.
    #[serde(rename = "type")]
    #[schemars(regex(pattern = "^[A-Za-z0-9]{1,16}$"))]
    pub kind: Option<String>,
    /// The response code that the server must give. Default: `NOERROR`.
    #[schemars(regex(pattern = "^[A-Za-z]{1,16}$"))]
    pub rcode: Option<String>,
    /// The records that must be there. Without it, one of the kind is enough.
    pub answers: Answers,
    /// Whether the resolver must say that it validated the answer (DNSSEC).
    pub authenticated: bool,
}

impl Probe for Dns {
    type Config = Config;

    const NAME: &'static str = "dns";
    const SUMMARY: &'static str = "Checks what a name server answers";
    const SCHEMES: &'static [&'static str] = &["dns"];
    const ASKS: &'static [Capability] = &[Capability::Dns];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let question = Question::new(&config, target)?;
        let answer = dns::query(
            &question.name,
            &question.kind,
            question.server.as_deref(),
            context.timeout(),
        )
        .map_err(|error| match error {
            Error::Invalid(why) => unfit(&config, target, &why),
            error => error.into(),
        })?;
        Ok(judge(&config, &question, &answer))
    }
}

watchkeeper_sdk::probe!(Dns);

/// What is asked, and whom.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    /// `host` or `host:port`; none: the host's own resolver.
    server: Option<String>,
    name: String,
    /// In upper case.
    kind: String,
}

impl Question {
    /// From a target as in RFC 4501: `dns://server[:port]/name?type=MX`,
    /// `dns:name`.
    fn new(config: &Config, target: &Target) -> Result<Self, Stop> {
        // An empty authority is the host's own resolver; no URL of another kind
        // may be without a host.
        let (url, server) = if let Some(rest) = target.as_str().strip_prefix("dns:///") {
            (Target::new(format!("dns:{rest}")).url()?, None)
        } else {
            let url = target.url()?;
            let server = url.host().is_some().then(|| url.authority());
            (url, server)
        };
        let named = url.path().trim_matches('/');
        let name = match (named, &config.name) {
            ("", None) => {
                return Err(
                    target.unfit(&"no name to ask for: write dns://server/name, or config.name")
                );
            }
            ("", Some(name)) => name.clone(),
            (named, None) => named.to_owned(),
            (_, Some(_)) => {
                return Err(target.unfit(&"names what to ask for, and so does config.name"));
            }
        };
        let asked = |query: &str| {
            query
                .split(['&', ';'])
                .filter_map(|parameter| parameter.split_once('='))
                .find(|(key, _)| key.eq_ignore_ascii_case("type"))
                .map(|(_, kind)| kind.to_owned())
        };
        let kind = config.kind.clone().or_else(|| url.query().and_then(asked));
        let kind = kind.unwrap_or_else(|| "A".to_owned()).to_ascii_uppercase();
        Ok(Self { server, name, kind })
    }
}

/// A question that nobody can be asked: `why` says what is wrong with it, and
/// this which keys it was put together from.
fn unfit(config: &Config, target: &Target, why: &str) -> Stop {
    let keys = [
        (config.name.is_some(), "config.name"),
        (config.kind.is_some(), "config.type"),
    ];
    let mut places = format!("target {target}");
    for (_, key) in keys.into_iter().filter(|(is_given, _)| *is_given) {
        places += ", ";
        places += key;
    }
    Stop::Misconfigured(format!("{places}: {why}"))
}

fn judge(config: &Config, question: &Question, answer: &Answer) -> Reading {
    let reading = Reading::healthy().latency(answer.took);
    let rcode = config.rcode.as_deref().unwrap_or("NOERROR");
    if !answer.code.eq_ignore_ascii_case(rcode) {
        let reason = format!(
            "{} for {} {}, expected {rcode}",
            answer.code, question.name, question.kind
        );
        return reading.dead_if(true, reason);
    }
    let found: Vec<&str> = answer
        .records
        .iter()
        // Aliases on the way to the records are no answer of their own.
        .filter(|record| question.kind == "ANY" || record.kind == question.kind)
        .map(|record| record.data.as_str())
        .collect();
    let least = answer.records.iter().map(|record| record.ttl_seconds).min();
    let mut reading = reading.measure(
        "records",
        f64::from(u32::try_from(found.len()).unwrap_or(u32::MAX)),
        "records",
    );
    if let Some(least) = least {
        reading = reading.measure("ttl", f64::from(least), "seconds");
    }
    let succeeded = rcode.eq_ignore_ascii_case("NOERROR");
    if let Some(fault) = config.answers.fault(&question.kind, &found, succeeded) {
        reading = reading.dead_if(
            true,
            format!("{} {}: {fault}", question.name, question.kind),
        );
    }
    let unproven = config.authenticated && !answer.authenticated;
    reading.dead_if(
        unproven,
        "the resolver did not validate the answer (DNSSEC)",
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use watchkeeper_sdk::dns::Record;

    use super::*;

    fn question(config: &str, target: &str) -> String {
        let config = watchkeeper_sdk::config::parse(config).unwrap();
        match Question::new(&config, &Target::new(target)) {
            Ok(question) => {
                format!("{:?} {} {}", question.server, question.name, question.kind)
            }
            Err(stop) => format!("{stop:?}"),
        }
    }

    #[test]
    fn targets_say_whom_to_ask_for_what() {
        assert_eq!(question("{}", "dns:example.com"), "None example.com A");
        assert_eq!(
            question("{}", "dns:///example.com?type=mx"),
            "None example.com MX"
        );
        assert_eq!(
            question(
                r#"{"type":"txt"}"#,
                "dns://1.1.1.1:5353/example.com?type=MX"
            ),
            r#"Some("1.1.1.1:5353") example.com TXT"#
        );
        assert_eq!(
            question("{}", "dns://[::1]/a.test"),
            r#"Some("[::1]") a.test A"#
        );
        assert_eq!(
            question(r#"{"name":"a.test"}"#, "dns://ns"),
            r#"Some("ns") a.test A"#
        );
        assert!(question("{}", "dns://ns").contains("no name to ask for"));
        assert!(question(r#"{"name":"a"}"#, "dns://ns/b").contains("and so does config.name"));
    }

    fn check(config: &str, code: &str, records: &[(&str, &str)], expected: &str) {
        let config: Config = watchkeeper_sdk::config::parse(config).unwrap();
        let question = Question::new(&config, &Target::new("dns:a.test")).unwrap();
        let answer = Answer {
            code: code.to_owned(),
            records: records
                .iter()
                .map(|&(kind, data)| Record {
                    name: "a.test".to_owned(),
                    kind: kind.to_owned(),
                    ttl_seconds: 60,
                    data: data.to_owned(),
                })
                .collect(),
            authenticated: false,
            took: Duration::from_millis(3),
        };
        let reading = judge(&config, &question, &answer);
        let found = format!(
            "{:?} {}",
            reading.health,
            reading.reason.unwrap_or_default()
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn code_and_records_decide() {
        check(
            "{}",
            "NOERROR",
            &[("CNAME", "b."), ("A", "1.2.3.4")],
            "Health::Healthy ",
        );
        check(
            "{}",
            "NOERROR",
            &[("CNAME", "b.")],
            "Health::Dead a.test A: no records",
        );
        check(
            "{}",
            "NXDOMAIN",
            &[],
            "Health::Dead NXDOMAIN for a.test A, expected NOERROR",
        );
        check(
            r#"{"rcode":"nxdomain"}"#,
            "NXDOMAIN",
            &[],
            "Health::Healthy ",
        );
        check(
            r#"{"authenticated":true}"#,
            "NOERROR",
            &[("A", "1.2.3.4")],
            "Health::Dead the resolver did not validate the answer (DNSSEC)",
        );
        check(
            r#"{"answers":{"contains":["1.2.3.5"]}}"#,
            "NOERROR",
            &[("A", "1.2.3.4")],
            "Health::Dead a.test A: 1.2.3.5 is missing, got 1.2.3.4",
        );
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
