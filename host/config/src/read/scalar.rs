//! Single values: texts, numbers, spans of time, sizes, names.

use std::time::Duration;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use watchkeeper_engine::id::{
    ChannelId, MaintenanceId, MonitorId, MonitorName, RouteId, ServiceId,
};

use crate::config::{HostPort, MinisignKey, PluginName, Tag};
use crate::cron::Cron;
use crate::read::{Context, Finding, FromNode, quoted};
use crate::suggest::nearest;
use crate::tree::{Node, Value};
use crate::{duration, size};

/// The text of `node`, where `expected` says what a text there is:
/// `a text such as "30s"`.
///
/// References to the environment hold secrets, and only plugins' configuration
/// keeps secrets: everywhere else one is a mistake.
pub(crate) fn text(node: &Node, expected: &str, cx: &mut Context<'_>) -> Option<String> {
    let Value::Text(text) = &node.value else {
        cx.mismatch(node, expected, None);
        return None;
    };
    if text.replace("$${", "").contains("${") {
        let what = format!(
            "`{}` holds a reference to the environment; those are secrets, which only the \
             `config` of a monitor or channel keeps",
            cx.name()
        );
        cx.report(Finding::new(node.at, what).instead("write `$${` for the characters `${`"));
        return None;
    }
    Some(text.replace("$${", "${"))
}

/// Notes that the value of the key is wrong: `` `every` must … ``.
pub(crate) fn wrong(
    node: &Node,
    what: impl std::fmt::Display,
    instead: Option<String>,
    cx: &mut Context<'_>,
) {
    let mut finding = Finding::new(node.at, format!("`{}` {what}", cx.name()));
    finding.instead = instead;
    cx.report(finding);
}

/// A line of text for people: not blank, without control characters, at most
/// `MAX` characters.
#[derive(Clone, Debug)]
pub(crate) struct Line<const MAX: usize>(pub(crate) String);

impl<const MAX: usize> FromNode for Line<MAX> {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a text", cx)?;
        let problem = if text.trim().is_empty() {
            "must not be empty".to_owned()
        } else if text.chars().count() > MAX {
            format!("must have at most {MAX} characters")
        } else if text.chars().any(char::is_control) {
            "must be a single line without control characters".to_owned()
        } else {
            return Some(Self(text));
        };
        wrong(node, problem, None, cx);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "maxLength": MAX })
    }
}

impl FromNode for bool {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        let instead = match &node.value {
            Value::Text(text) if text == "true" || text == "false" => {
                Some(format!("write {text} without quotes"))
            }
            _ => None,
        };
        cx.mismatch(node, "true or false", instead);
        None
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count<const MIN: u32, const MAX: u32>(pub(crate) u32);

impl<const MIN: u32, const MAX: u32> FromNode for Count<MIN, MAX> {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let Value::Integer(number) = node.value else {
            cx.mismatch(node, &format!("a whole number from {MIN} to {MAX}"), None);
            return None;
        };
        let number = number.and_then(|number| u32::try_from(number).ok());
        let Some(number) = number.filter(|number| (MIN..=MAX).contains(number)) else {
            wrong(node, format!("must be from {MIN} to {MAX}"), None, cx);
            return None;
        };
        Some(Self(number))
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A span of time from `MIN` to `MAX` milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span<const MIN: u64, const MAX: u64>(pub(crate) Duration);

impl<const MIN: u64, const MAX: u64> Span<MIN, MAX> {
    fn bounds() -> String {
        let shown = |millis| duration::display(Duration::from_millis(millis));
        format!("from {} to {}", shown(MIN), shown(MAX))
    }
}

impl<const MIN: u64, const MAX: u64> FromNode for Span<MIN, MAX> {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "a span of time such as \"30s\" or \"1m30s\"";
        if let Value::Integer(Some(number @ 0..)) = node.value {
            cx.mismatch(
                node,
                EXPECTED,
                Some(format!("write \"{number}s\" for seconds")),
            );
            return None;
        }
        let text = text(node, EXPECTED, cx)?;
        let Some(span) = duration::parse(&text) else {
            let instead = "write whole numbers with the units `d`, `h`, `m`, `s` and `ms`, \
                           larger units first";
            wrong(
                node,
                format!("must be {EXPECTED}"),
                Some(instead.to_owned()),
                cx,
            );
            return None;
        };
        if !(Duration::from_millis(MIN)..=Duration::from_millis(MAX)).contains(&span) {
            wrong(node, format!("must be {}", Self::bounds()), None, cx);
            return None;
        }
        Some(Self(span))
    }

    fn schema() -> Json {
        json!({
            "type": "string",
            "minLength": 2,
            "pattern": duration::PATTERN,
            "description": format!("A span of time {}.", Self::bounds()),
        })
    }
}

/// A size from `MIN` to `MAX` bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size<const MIN: u64, const MAX: u64>(pub(crate) u64);

impl<const MIN: u64, const MAX: u64> FromNode for Size<MIN, MAX> {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "a size such as \"64MiB\"";
        if let Value::Integer(Some(number @ 0..)) = node.value {
            cx.mismatch(
                node,
                EXPECTED,
                Some(format!("write \"{number}B\" for bytes")),
            );
            return None;
        }
        let text = text(node, EXPECTED, cx)?;
        let Some(bytes) = size::parse(&text) else {
            let instead = "write a whole number and one of the units `B`, `KiB`, `MiB`, `GiB`, \
                           `kB`, `MB` and `GB`";
            wrong(
                node,
                format!("must be {EXPECTED}"),
                Some(instead.to_owned()),
                cx,
            );
            return None;
        };
        if !(MIN..=MAX).contains(&bytes) {
            let (min, max) = (size::display(MIN), size::display(MAX));
            wrong(node, format!("must be from {min} to {max}"), None, cx);
            return None;
        }
        Some(Self(bytes))
    }

    fn schema() -> Json {
        let (min, max) = (size::display(MIN), size::display(MAX));
        json!({
            "type": "string",
            "pattern": size::PATTERN,
            "description": format!("A size from {min} to {max}."),
        })
    }
}

/// Reads texts that have a grammar of their own.
macro_rules! from_text {
    ($ty:ty, $expected:literal, $pattern:literal, $parse:expr) => {
        impl FromNode for $ty {
            fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
                let text = text(node, $expected, cx)?;
                match $parse(&text) {
                    Ok(value) => Some(value),
                    Err(problem) => {
                        wrong(node, problem, None, cx);
                        None
                    }
                }
            }

            fn schema() -> Json {
                json!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

from_text!(
    ServiceId,
    "an id such as \"api\"",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    Self::new
);
from_text!(
    MaintenanceId,
    "an id such as \"move\"",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    Self::new
);
from_text!(
    MonitorName,
    "an id such as \"health\"",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    Self::new
);
from_text!(
    ChannelId,
    "an id such as \"ops\"",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    Self::new
);
from_text!(
    RouteId,
    "an id such as \"night\"",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    Self::new
);
from_text!(
    MonitorId,
    "a monitor written as \"service/monitor\"",
    "^[a-z0-9][a-z0-9-]{0,63}/[a-z0-9][a-z0-9-]{0,63}$",
    Self::parse
);
from_text!(
    PluginName,
    "a plugin's name such as \"http\"",
    "^[a-z][a-z0-9-]{0,39}$",
    Self::new
);
from_text!(
    Tag,
    "a tag such as \"prod\"",
    "^[a-z0-9][a-z0-9._:/-]{0,63}$",
    Self::new
);
from_text!(
    HostPort,
    "a host and port such as \"api.example.com:443\"",
    "^.+:[0-9]{1,5}$",
    Self::new
);
from_text!(
    MinisignKey,
    "a minisign public key such as \"RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\"",
    "^RW[A-Za-z0-9+/]{54}$",
    Self::new
);

/// A time zone by its name in the IANA database.
#[derive(Clone, Debug)]
pub(crate) struct Zone(pub(crate) TimeZone);

impl FromNode for Zone {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        const EXPECTED: &str = "a time zone such as \"Europe/Stockholm\"";
        let text = text(node, EXPECTED, cx)?;
        if let Ok(zone) = TimeZone::get(&text) {
            return Some(Self(zone));
        }
        let names: Vec<_> = jiff::tz::db()
            .available()
            .map(|name| name.as_str().to_owned())
            .collect();
        let instead = nearest(&text, names.iter().map(String::as_str))
            .map(|name| format!("did you mean \"{name}\"?"));
        wrong(node, format!("must be {EXPECTED}"), instead, cx);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// Times as a crontab writes them: minute, hour, day of the month, month, day of
/// the week.
#[derive(Clone, Debug)]
pub(crate) struct CronText(pub(crate) Cron);

impl FromNode for CronText {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let text = text(node, "a text such as \"0 2 * * *\"", cx)?;
        match Cron::parse(&text) {
            Ok(cron) => Some(Self(cron)),
            Err(problem) => {
                wrong(node, problem, None, cx);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^\\S+( +\\S+){4}$" })
    }
}

/// A share, where 1.0 is all there is: more than none and at most 1,000.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) f64);

impl FromNode for Share {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let share = match node.value {
            Value::Float(number) => number,
            Value::Integer(Some(number)) => i32::try_from(number).map_or(f64::MAX, f64::from),
            _ => {
                cx.mismatch(node, "a number such as 0.9", None);
                return None;
            }
        };
        if share > 0.0 && share <= 1000.0 {
            return Some(Self(share));
        }
        let what = "must be above 0 and at most 1000, where 1.0 is 100 %";
        wrong(node, what, None, cx);
        None
    }

    fn schema() -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1000 })
    }
}

/// What people can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    Dead,
    Sick,
    Recovered,
    Unknown,
    Maintenance,
    Sla,
}

impl Occasion {
    const WORDS: [(&str, Self); 6] = [
        ("dead", Self::Dead),
        ("sick", Self::Sick),
        ("recovered", Self::Recovered),
        ("unknown", Self::Unknown),
        ("maintenance", Self::Maintenance),
        ("sla", Self::Sla),
    ];
}

impl std::fmt::Display for Occasion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = Self::WORDS.iter().find(|(_, occasion)| occasion == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

impl FromNode for Occasion {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let words = Self::WORDS.map(|(word, _)| word);
        let text = text(node, "a word such as \"dead\"", cx)?;
        let found = Self::WORDS.into_iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let instead = nearest(&text, words).map(|word| format!("did you mean \"{word}\"?"));
            wrong(
                node,
                format!("must be one of {}", quoted(&words)),
                instead,
                cx,
            );
        }
        found.map(|(_, occasion)| occasion)
    }

    fn schema() -> Json {
        json!({ "enum": Self::WORDS.map(|(word, _)| word) })
    }
}
