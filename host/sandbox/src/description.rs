//! What a plugin says of itself, once the host has checked that it can be true.

use std::fmt;
use std::sync::Arc;

use watchkeeper_egress::grants::HostPattern;

/// The longest summary that is shown, in characters.
const LONGEST_SUMMARY: usize = 200;

/// The largest schema, in bytes.
const LARGEST_SCHEMA: usize = 256 << 10;

/// The most schemes or hosts of one description.
const MOST_NAMES: usize = 64;

/// A plugin's name: `[a-z][a-z0-9-]{0,39}`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginName(Arc<str>);

impl PluginName {
    /// Checks the grammar.
    pub fn new(text: &str) -> Result<Self, Untrue> {
        let rest = text.strip_prefix(|first: char| first.is_ascii_lowercase());
        let fits = rest.is_some_and(|rest| {
            rest.len() < 40
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        });
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(Untrue::new("name", text, "must match [a-z][a-z0-9-]{0,39}"))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A way out of the sandbox that a plugin may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Outgoing HTTP.
    Http,
    /// TCP connections.
    Tcp,
    /// UDP datagrams.
    Udp,
    /// ICMP echo.
    Icmp,
    /// DNS look-ups beyond addresses.
    Dns,
    /// TLS connections that the host holds.
    Tls,
    /// Values that outlive a run.
    State,
}

impl Capability {
    /// The word used in the contract, the API and pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Dns => "dns",
            Self::Tls => "tls",
            Self::State => "state",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a plugin does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It judges targets.
    Probe {
        /// URL schemes of the targets that it judges unless a monitor names
        /// another probe; may be empty.
        schemes: Vec<String>,
    },
    /// It tells people.
    Notifier,
}

/// What a plugin says of itself.
#[derive(Clone, Debug)]
pub struct Description {
    /// Unique among the plugins of a host.
    pub name: PluginName,
    /// The plugin's own version.
    pub version: semver::Version,
    /// One line for people.
    pub summary: String,
    /// A JSON Schema (2020-12), an object, of the plugin's configuration.
    pub schema: serde_json::Value,
    /// What it asks for, in the contract's order, each once.
    pub asks: Vec<Capability>,
    /// Hosts that it needs beyond those of its configuration and targets.
    pub hosts: Vec<HostPattern>,
}

/// A description as the plugin gave it.
#[derive(Clone, Debug)]
pub(crate) struct Stated {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) summary: String,
    pub(crate) schema: String,
    pub(crate) asks: Vec<Capability>,
    pub(crate) hosts: Vec<String>,
    /// Only probes have schemes.
    pub(crate) schemes: Option<Vec<String>>,
}

/// A part of a description that cannot be true.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its description's {part} is `{said}`: {problem}")]
pub struct Untrue {
    /// Which part: `name`, `version`, `config-schema`, `hosts`, `schemes`.
    pub part: &'static str,
    /// What it says, cut to a line.
    pub said: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Untrue {
    fn new(part: &'static str, said: &str, problem: impl fmt::Display) -> Self {
        Self {
            part,
            said: line(said, 60),
            problem: problem.to_string(),
        }
    }
}

impl Stated {
    /// Checks every part.
    pub(crate) fn check(self) -> Result<(Description, Kind), Untrue> {
        let name = PluginName::new(&self.name)?;
        let version = semver::Version::parse(&self.version).map_err(|problem| {
            Untrue::new(
                "version",
                &self.version,
                format_args!("not a semantic version: {problem}"),
            )
        })?;
        let schema = checked_schema(&self.schema)?;
        let mut asks = self.asks;
        asks.sort_unstable();
        asks.dedup();
        at_most("hosts", &self.hosts)?;
        let hosts = self
            .hosts
            .iter()
            .map(|host| {
                host.parse::<HostPattern>()
                    .map_err(|problem| Untrue::new("hosts", host, problem))
            })
            .collect::<Result<_, _>>()?;
        let kind = match self.schemes {
            Some(schemes) => Kind::Probe {
                schemes: checked_schemes(schemes)?,
            },
            None => Kind::Notifier,
        };
        let summary = line(&self.summary, LONGEST_SUMMARY);
        Ok((
            Description {
                name,
                version,
                summary,
                schema,
                asks,
                hosts,
            },
            kind,
        ))
    }
}

fn checked_schema(text: &str) -> Result<serde_json::Value, Untrue> {
    let untrue = |problem: &dyn fmt::Display| Untrue::new("config-schema", text, problem);
    if text.len() > LARGEST_SCHEMA {
        return Err(untrue(&format_args!(
            "has more than {} KiB",
            LARGEST_SCHEMA >> 10
        )));
    }
    let schema: serde_json::Value = serde_json::from_str(text)
        .map_err(|problem| untrue(&format_args!("not JSON: {problem}")))?;
    if !schema.is_object() {
        return Err(untrue(&"a JSON Schema of a table is an object"));
    }
    jsonschema::draft202012::meta::validate(&schema)
        .map_err(|problem| untrue(&format_args!("not a JSON Schema: {problem}")))?;
    // Patterns without backtracking: a plugin must not be able to make the host
    // think for ever about a configuration.
    jsonschema::draft202012::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .build(&schema)
        .map_err(|problem| untrue(&format_args!("cannot be used as a schema: {problem}")))?;
    Ok(schema)
}

fn checked_schemes(mut schemes: Vec<String>) -> Result<Vec<String>, Untrue> {
    at_most("schemes", &schemes)?;
    for scheme in &schemes {
        let mut bytes = scheme.bytes();
        let fits = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
            && scheme.len() <= 32
            && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b));
        if !fits {
            return Err(Untrue::new(
                "schemes",
                scheme,
                "must match [a-z][a-z0-9+.-]{0,31}",
            ));
        }
    }
    let mut seen = std::collections::HashSet::new();
    schemes.retain(|scheme| seen.insert(scheme.clone()));
    Ok(schemes)
}

fn at_most(part: &'static str, names: &[String]) -> Result<(), Untrue> {
    if names.len() > MOST_NAMES {
        let said = format!("{} entries", names.len());
        return Err(Untrue::new(
            part,
            &said,
            format_args!("at most {MOST_NAMES} are allowed"),
        ));
    }
    Ok(())
}

/// `text` on one line of at most `longest` characters.
fn line(text: &str, longest: usize) -> String {
    let mut words = text.split_whitespace().flat_map(|word| [" ", word]).skip(1);
    let mut line = String::new();
    let mut left = longest;
    for character in words.by_ref().flat_map(str::chars) {
        if left == 0 {
            line.push('…');
            break;
        }
        left -= 1;
        line.push(if character.is_control() {
            '\u{fffd}'
        } else {
            character
        });
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated() -> Stated {
        Stated {
            name: "rabbit-mq".into(),
            version: "1.2.3".into(),
            summary: "Watches\na queue".into(),
            schema: r#"{"type":"object","properties":{"queue":{"type":"string"}}}"#.into(),
            asks: vec![Capability::Tls, Capability::Http, Capability::Tls],
            hosts: vec!["api.example.com:443".into(), "*.example.com:443".into()],
            schemes: Some(vec!["amqp".into(), "amqps".into(), "amqp".into()]),
        }
    }

    #[test]
    fn a_true_description_is_put_in_order() {
        let (description, kind) = stated().check().unwrap();
        assert_eq!(description.name.as_str(), "rabbit-mq");
        assert_eq!(description.summary, "Watches a queue");
        assert_eq!(description.asks, [Capability::Http, Capability::Tls]);
        assert_eq!(
            kind,
            Kind::Probe {
                schemes: vec!["amqp".into(), "amqps".into()]
            }
        );
    }

    fn refused(change: impl FnOnce(&mut Stated)) -> String {
        let mut stated = stated();
        change(&mut stated);
        stated.check().unwrap_err().to_string()
    }

    #[test]
    fn every_part_can_be_untrue() {
        for name in ["", "Rabbit", "1abc", "a_b", "é", "a b", &"a".repeat(41)] {
            assert!(
                refused(|s| s.name = name.into()).contains("must match"),
                "{name}"
            );
        }
        assert!(refused(|s| s.version = "one".into()).contains("version is `one`"));
        for (schema, why) in [
            ("{", "not JSON"),
            ("true", "is an object"),
            (r#"{"type":"strin"}"#, "not a JSON Schema"),
            (
                r#"{"$ref":"https://example.com/schema.json"}"#,
                "cannot be used",
            ),
            (r#"{"properties":{"a":{"pattern":"("}}}"#, "config-schema"),
        ] {
            let refused = refused(|s| s.schema = schema.into());
            assert!(refused.contains(why), "{schema}: {refused}");
        }
        assert!(
            refused(|s| s.hosts = vec!["example.com".into()]).contains("hosts is `example.com`")
        );
        assert!(refused(|s| s.schemes = Some(vec!["HTTP".into()])).contains("must match"));
        assert!(refused(|s| s.hosts = vec!["a.example:1".into(); 65]).contains("at most 64"));
    }

    #[test]
    fn a_name_of_forty_characters_is_the_longest() {
        assert!(PluginName::new(&"a".repeat(40)).is_ok());
        assert!(PluginName::new("a").is_ok());
    }
}
