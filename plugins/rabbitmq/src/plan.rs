//! What a configuration asks for, checked.

use std::time::Duration;

use watchkeeper_sdk::config::{Secret, Span};
use watchkeeper_sdk::in_words;

use crate::queue::Rules;
use crate::select::{Pattern, Selection};
use crate::{Config, Minimum, Severity, Thresholds};

/// What one check does.
#[derive(Debug)]
pub(crate) struct Plan {
    /// None: only alarms are looked at.
    pub(crate) selection: Option<Selection>,
    pub(crate) rules: Rules,
    pub(crate) recheck: Option<Duration>,
    pub(crate) alarms: Option<Severity>,
}

/// Who asks; none: the target says it.
pub(crate) type Login = Option<(String, Secret)>;

impl Plan {
    /// The error names the key that cannot work and why.
    pub(crate) fn new(config: Config, timeout: Duration) -> Result<(Self, Login), String> {
        let login = match (config.username, config.password) {
            (Some(name), password) => Some((name, password.unwrap_or_default())),
            (None, Some(_)) => {
                return Err("config.password: is of no use without config.username".to_owned());
            }
            (None, None) => None,
        };
        ordered("ready", config.ready)?;
        ordered("unacked", config.unacked)?;
        if let Minimum {
            sick_below: Some(sick),
            dead_below: Some(dead),
        } = config.consumers
            && dead > sick
        {
            return Err(format!(
                "config.consumers.dead_below: {dead} is more than sick_below, {sick}: it would never be sick"
            ));
        }
        let rules = Rules {
            ready: config.ready,
            unacked: config.unacked,
            consumers: config.consumers,
        };
        let recheck = config.recheck.map(Span::duration);
        if let Some(wait) = recheck {
            let is_ruled = [rules.ready.sick, rules.unacked.sick];
            if is_ruled.iter().all(Option::is_none) {
                return Err(
                    "config.recheck: is of no use without config.ready.sick or config.unacked.sick"
                        .to_owned(),
                );
            }
            if wait >= timeout {
                return Err(format!(
                    "config.recheck: {} does not fit into the timeout of {}",
                    in_words(wait),
                    in_words(timeout)
                ));
            }
        }
        let mut names: Vec<String> = config.queue.into_iter().chain(config.queues).collect();
        names.sort();
        names.dedup();
        let pattern = config.pattern.as_deref().map(Pattern::new);
        let selection = Selection::new(config.vhost, names, pattern);
        if selection.is_none() {
            if rules != Rules::default() {
                return Err(
                    "config: nothing says which queues: give queue, queues or pattern".to_owned(),
                );
            }
            if config.alarms.is_none() {
                return Err(
                    "config: nothing to check: give queue, queues, pattern or alarms".to_owned(),
                );
            }
        }
        let plan = Self {
            selection,
            rules,
            recheck,
            alarms: config.alarms,
        };
        Ok((plan, login))
    }
}

fn ordered(key: &str, thresholds: Thresholds) -> Result<(), String> {
    match thresholds {
        Thresholds {
            sick: Some(sick),
            dead: Some(dead),
        } if dead < sick => Err(format!(
            "config.{key}.dead: {dead} is less than sick, {sick}: it would never be sick"
        )),
        Thresholds { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &str, expected: &str) {
        let parsed = watchkeeper_sdk::config::parse(config).unwrap();
        let found = Plan::new(parsed, Duration::from_secs(10)).map(drop);
        assert_eq!(found.err().unwrap_or_default(), expected, "{config}");
    }

    #[test]
    fn what_cannot_work_is_named() {
        check(r#"{"queue":"a"}"#, "");
        check(r#"{"alarms":"dead"}"#, "");
        check(
            r#"{"queue":"a","ready":{"sick":5,"dead":5},"consumers":{"sick_below":1,"dead_below":1}}"#,
            "",
        );
        check(
            "{}",
            "config: nothing to check: give queue, queues, pattern or alarms",
        );
        check(
            r#"{"alarms":"sick","ready":{"sick":1}}"#,
            "config: nothing says which queues: give queue, queues or pattern",
        );
        check(
            r#"{"queue":"a","ready":{"sick":5,"dead":4}}"#,
            "config.ready.dead: 4 is less than sick, 5: it would never be sick",
        );
        check(
            r#"{"queue":"a","unacked":{"sick":5,"dead":4}}"#,
            "config.unacked.dead: 4 is less than sick, 5: it would never be sick",
        );
        check(
            r#"{"queue":"a","consumers":{"sick_below":1,"dead_below":2}}"#,
            "config.consumers.dead_below: 2 is more than sick_below, 1: it would never be sick",
        );
        check(
            r#"{"queue":"a","ready":{"sick":5},"recheck":"10s"}"#,
            "config.recheck: 10 s does not fit into the timeout of 10 s",
        );
        check(
            r#"{"queue":"a","ready":{"dead":5},"recheck":"1s"}"#,
            "config.recheck: is of no use without config.ready.sick or config.unacked.sick",
        );
        check(
            r#"{"queue":"a","password":"x"}"#,
            "config.password: is of no use without config.username",
        );
    }
}
