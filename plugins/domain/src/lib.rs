//! Checks that a domain is registered and stays so: asks the registry by RDAP when
//! it expires and what its status is.
//!
//! Registries refuse whoever asks often. The answer is kept and judged at every
//! check; the registry is asked a few times a day.

mod bootstrap;
mod memory;
mod registration;
mod verdict;

use std::borrow::Cow;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use watchkeeper_sdk::config::{Span, Uri};
use watchkeeper_sdk::http::{self, Exchange, Request};
use watchkeeper_sdk::{
    Capability, Context, Error, Probe, Reading, Stop, Target, Timestamp, Url, log,
};

use self::memory::{Kept, Memory};
use self::registration::Finding;
use self::verdict::Rules;

/// Where IANA says which registry has which server (RFC 9224).
const BOOTSTRAP: &str = "https://data.iana.org/rdap/dns.json";

/// How often a registry may be asked at most.
const RAREST: Duration = Duration::from_hours(1);

/// How long a domain that no listed server knows is taken for one.
const UNLISTED: Duration = Duration::from_hours(24);

/// The probe for `domain` targets.
pub struct Domain;

/// The configuration of a check of a domain's registration. All keys are optional.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Sick when the registration expires in less than this. `"0s"`: never.
    pub sick_below: Span,
    /// Dead when the registration expires in less than this. An expired one is dead
    /// in any case.
    pub dead_below: Span,
    /// What to think of the domain's status.
    pub status: Status,
    /// What it means that the registry does not publish when the domain expires.
    pub unpublished: Unpublished,
    /// The registry's RDAP server. Default: the one that the list at `bootstrap`
    /// has for the domain.
    pub rdap: Option<Uri>,
    /// The list of RDAP servers (RFC 9224).
    #[schemars(extend("default" = BOOTSTRAP))]
    pub bootstrap: Uri,
    /// How long an answer of the registry is kept before it is asked again, an hour
    /// at least. While the domain is not healthy it is asked every hour.
    pub ask_every: Span,
}

/// Which status (RFC 8056) is bad, and which there must be. Written as in EPP,
/// `clientHold`, or as in RDAP, `client hold`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Status {
    /// Dead with one of these.
    pub dead: Vec<String>,
    /// Sick with one of these.
    pub sick: Vec<String>,
    /// Sick without one of these, such as `clientTransferProhibited`.
    pub require: Vec<String>,
}

/// What it means that nothing is known of the expiry.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Unpublished {
    /// All is well as long as the domain is registered.
    Healthy,
    /// Nothing can be said.
    #[default]
    Undecided,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            sick_below: Span::days(30),
            dead_below: Span::days(0),
            status: Status::default(),
            unpublished: Unpublished::default(),
            rdap: None,
            bootstrap: Uri::parse(BOOTSTRAP).expect("is a URL"),
            ask_every: Span::new(Duration::from_hours(12)),
        }
    }
}

impl Default for Status {
    /// In each of the first two the name is not in the zone; in the others it was
    /// deleted.
    fn default() -> Self {
        let dead = [
            "clientHold",
            "serverHold",
            "redemptionPeriod",
            "pendingDelete",
        ];
        Self {
            dead: dead.map(str::to_owned).to_vec(),
            sick: Vec::new(),
            require: Vec::new(),
        }
    }
}

impl Probe for Domain {
    type Config = Config;

    const NAME: &'static str = "domain";
    const SUMMARY: &'static str = "Checks by RDAP that a domain stays registered";
    const SCHEMES: &'static [&'static str] = &["domain"];
    const ASKS: &'static [Capability] = &[Capability::Http, Capability::State];

    /// The list of servers, and the servers of the registries with the most domains.
    const HOSTS: &'static [&'static str] = &[
        "data.iana.org:443",
        "rdap.verisign.com:443",
        "tld-rdap.verisign.com:443",
        "rdap.publicinterestregistry.org:443",
        "rdap.identitydigital.services:443",
        "pubapi.registry.google:443",
        "rdap.centralnic.com:443",
        "rdap.nominet.uk:443",
        "rdap.nic.fr:443",
        "rdap.ca.fury.ca:443",
    ];

    fn schema() -> Cow<'static, str> {
        include_str!("../config.schema.json").into()
    }

    fn check(config: Config, target: &Target, context: &Context) -> Result<Reading, Stop> {
        let name = name_of(target)?;
        let rules = Rules::new(&config)?;
        if config.ask_every.duration() < RAREST {
            return Err(Stop::Misconfigured(
                "config.ask_every: registries refuse whoever asks more often than once an hour"
                    .to_owned(),
            ));
        }
        let now = Timestamp::now();
        let mut memory = Memory::recall(&name, config.rdap.as_ref());
        if let Some(kept) = memory.fresh(now, |finding| rules.patience(finding, now)) {
            return rules.judge(&name, kept, now);
        }
        if let Some(problem) = memory.waits(now) {
            return fall_back(&name, &rules, &memory, &problem, now);
        }
        let answer = ask(&name, &config, &mut memory, context, now);
        match &answer {
            Ok(finding) => memory.learn(Kept {
                at: now.seconds(),
                finding: finding.clone(),
            }),
            Err(Problem::Later(why, wait)) => memory.wait(why, *wait, now),
            Err(Problem::Stop(_)) => {}
        }
        // Whatever came of it: at least the server is known now.
        memory.keep()?;
        match answer {
            Ok(finding) => {
                let at = now.seconds();
                let mut reading = rules.judge(&name, &Kept { at, finding }, now)?;
                reading.latency = http::exchanges().last().and_then(Exchange::total);
                Ok(reading)
            }
            Err(Problem::Later(why, _)) => fall_back(&name, &rules, &memory, &why, now),
            Err(Problem::Stop(stop)) => Err(stop),
        }
    }
}

watchkeeper_sdk::probe!(Domain);

/// Why there is no answer.
#[derive(Debug)]
enum Problem {
    /// Asking again cannot work before something is changed here.
    Stop(Stop),
    /// Asking again may help, after this time.
    Later(String, Duration),
}

/// A registry whose server fails says nothing about the domain: what it said before
/// holds for some days.
fn fall_back(
    name: &str,
    rules: &Rules,
    memory: &Memory,
    problem: &str,
    now: Timestamp,
) -> Result<Reading, Stop> {
    match memory.usable(now) {
        Some(kept) => {
            log::warn(format!("{name}: {problem}; the last answer is judged"));
            rules.judge(name, kept, now)
        }
        None => Err(Stop::Undecided(problem.to_owned())),
    }
}

fn ask(
    name: &str,
    config: &Config,
    memory: &mut Memory,
    context: &Context,
    now: Timestamp,
) -> Result<Finding, Problem> {
    let server = match (&config.rdap, memory.server(now)) {
        (Some(server), _) => server.url().clone(),
        (None, Some(server)) => server,
        (None, None) => {
            let list = bootstrap::fetch(config.bootstrap.url(), context)?;
            let server = bootstrap::server_for(name, &list).ok_or_else(|| {
                let why = format!(
                    "the list of servers has none for the registry of {name}: name one with config.rdap"
                );
                Problem::Later(why, UNLISTED)
            })?;
            memory.set_server(&server, now);
            server
        }
    };
    registration::fetch(&server, name, context)
}

/// One GET, with what is left of the check's time.
fn get(url: &Url, context: &Context) -> Result<http::Response, Problem> {
    Request::to_url("GET", url.clone())
        .header("accept", "application/rdap+json, application/json")
        .redirects(5)
        .timeout(context.remaining().mul_f64(0.98))
        .send()
        .map_err(|error| match error {
            // Nothing was sent: the next check may ask again.
            Error::Denied(_) | Error::Host(_) => Problem::Stop(error.into()),
            Error::Invalid(why) => Problem::Stop(Stop::Misconfigured(format!("{url}: {why}"))),
            error => Problem::Later(
                format!("{}: {error}", url.host().unwrap_or_default()),
                RAREST,
            ),
        })
}

/// The domain that a target names, in lower case.
fn name_of(target: &Target) -> Result<String, Stop> {
    let url = target.url()?;
    let name = url.host().unwrap_or_else(|| url.path());
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if name.len() <= 253 && name.contains('.') && name.split('.').all(is_label) {
        Ok(name)
    } else {
        Err(target
            .unfit(&"no domain in ASCII: write domain://example.com, or domain://xn--… for others"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_names_a_domain() {
        for (target, expected) in [
            ("domain:Example.COM", Some("example.com")),
            ("domain://example.co.uk", Some("example.co.uk")),
            (
                "domain:xn--bcher-kva.example.",
                Some("xn--bcher-kva.example"),
            ),
            ("domain:com", None),
            ("domain:bücher.example", None),
            ("domain:a b.test", None),
            ("domain:", None),
            ("example.com", None),
        ] {
            let found = name_of(&Target::new(target)).ok();
            assert_eq!(found.as_deref(), expected, "{target}");
        }
    }

    #[test]
    fn the_schema_in_the_file_is_the_derived_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/config.schema.json");
        watchkeeper_sdk::config::assert_schema_file::<Config>(file);
    }
}
