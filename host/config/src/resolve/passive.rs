//! What the keys of a passive monitor amount to, and which of them mean
//! something for its kind.

use std::collections::HashMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::passive::Rhythm;
use watchkeeper_engine::passive::heartbeat::HeartbeatRules;
use watchkeeper_engine::passive::report::{Load, ReportRules};

use super::{rows, value};
use crate::config::Vigil;
use crate::file::passive::{LoadTable, PassiveWord};
use crate::file::{MonitorTable, RootTable};
use crate::passive::Passive;
use crate::read::{Context, Finding, Placed};
use crate::source::At;

/// How long a silent process is not dead yet. As in Vigil.
const PUSH_DEAD_AFTER: Duration = Duration::from_secs(20);

/// How long a replica of a silent agent is not dead yet. As in Vigil.
const LOCAL_DEAD_AFTER: Duration = Duration::from_secs(40);

/// How late a job may call. Long enough for a clock that is off and a job that is
/// not always equally fast.
const GRACE: Duration = Duration::from_mins(5);

/// The load above which a process is sick: what Vigil documents.
const LOAD: f64 = 0.9;

/// The fewest characters of a token that cannot be guessed.
const MIN_TOKEN: usize = 16;

/// The most characters of a token.
const MAX_TOKEN: usize = 128;

/// How the monitor is told, if it is passive. Notes keys that mean nothing for
/// it, whichever it is.
pub(super) fn passive(placed: &Placed<MonitorTable>, cx: &mut Context<'_>) -> Option<Passive> {
    let table = &placed.value;
    let word = value(table.passive.as_ref());
    check_keys(table, word.copied(), cx);
    match word? {
        PassiveWord::Push => Some(Passive::Push {
            rules: report_rules(table, PUSH_DEAD_AFTER),
            queue: value(table.queue.as_ref()).cloned(),
        }),
        PassiveWord::Local => Some(Passive::Local {
            rules: report_rules(table, LOCAL_DEAD_AFTER),
        }),
        PassiveWord::Heartbeat => heartbeat(placed, cx),
        PassiveWord::Manual => Some(Passive::Manual),
    }
}

fn report_rules(table: &MonitorTable, dead_after: Duration) -> ReportRules {
    let load = value(table.load.as_ref());
    let above = |key: fn(&LoadTable) -> Option<f64>| load.and_then(key).unwrap_or(LOAD);
    ReportRules {
        dead_after: value(table.dead_after.as_ref()).map_or(dead_after, |span| span.0),
        sick_above: Load {
            cpu: above(|load| value(load.cpu.as_ref()).map(|share| share.0)),
            ram: above(|load| value(load.ram.as_ref()).map(|share| share.0)),
        },
    }
}

fn heartbeat(placed: &Placed<MonitorTable>, cx: &mut Context<'_>) -> Option<Passive> {
    let table = &placed.value;
    let missing = |key: &str, instead: &str, cx: &mut Context<'_>| {
        let path = format!("{}.{key}", placed.key);
        if !cx.is_noted(&path) {
            let finding = Finding::new(placed.at, format!("`{key}` is missing"));
            cx.report(finding.key(&path).instead(instead).absence());
        }
    };
    let token = if let Some(token) = &table.token {
        Some(token.value.0.clone()).filter(|_| check_token(token, cx))
    } else {
        let instead = "write `token = { env = \"NAME\" }`; `openssl rand -hex 16` makes one";
        missing("token", instead, cx);
        None
    };
    if let (Some(zone), None) = (&table.time_zone, &table.cron) {
        let what = "`time_zone` means nothing without `cron`";
        cx.report(Finding::new(zone.at, what).key(&zone.key));
    }
    let rhythm = match (&table.period, &table.cron) {
        (Some(period), Some(cron)) => {
            let what = "`period` and `cron` are two ways to say when the job calls";
            let finding = Finding::new(period.at, what).key(&period.key);
            cx.report(
                finding
                    .instead("leave one of them out")
                    .related(cron.at, "`cron` stands here"),
            );
            None
        }
        (Some(period), None) => Some(Rhythm::Every(period.value.0)),
        (None, Some(cron)) => {
            let zone = value(table.time_zone.as_ref());
            let zone = zone.map_or(TimeZone::UTC, |zone| zone.0.clone());
            Some(Rhythm::At(cron.value.0.calendar(&zone)))
        }
        (None, None) if cx.is_noted(&format!("{}.cron", placed.key)) => None,
        (None, None) => {
            let instead = "write how often the job calls, `period = \"1d\"`, or when it runs, `cron = \"0 2 * * *\"`";
            missing("period", instead, cx);
            None
        }
    };
    Some(Passive::Heartbeat {
        token: token?,
        rules: HeartbeatRules {
            rhythm: rhythm?,
            grace: value(table.grace.as_ref()).map_or(GRACE, |span| span.0),
        },
    })
}

/// Whether the token fits into a URL and cannot be guessed; notes it if not.
fn check_token(token: &Placed<crate::plugin_config::SecretText>, cx: &mut Context<'_>) -> bool {
    let text = token.value.0.expose();
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if (MIN_TOKEN..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(fits) {
        return true;
    }
    let what = format!(
        "`token` must have {MIN_TOKEN} to {MAX_TOKEN} letters, digits, `-`, `.`, `_` and `~`: whoever knows it can call"
    );
    let finding = Finding::new(token.at, what).key(&token.key);
    cx.report(finding.instead("`openssl rand -hex 16` makes one"));
    false
}

/// A key if it is written, with its place; whether a monitor that asks has it; and
/// which passive ones do.
type Key = (Option<(At, String)>, bool, &'static [PassiveWord]);

/// Notes keys that mean nothing for such a monitor.
fn check_keys(table: &MonitorTable, word: Option<PassiveWord>, cx: &mut Context<'_>) {
    use PassiveWord::{Heartbeat, Local, Push};

    fn at<T>(field: Option<&Placed<T>>) -> Option<(At, String)> {
        field.map(|placed| (placed.at, placed.key.clone()))
    }
    let rules = &table.rules;
    let keys: [Key; 22] = [
        (at(table.probe.as_ref()), true, &[]),
        (at(table.targets.as_ref()), true, &[]),
        (at(table.limits.as_ref()), true, &[]),
        (at(table.config.as_ref()), true, &[]),
        (at(rules.every.as_ref()), true, &[]),
        (at(rules.timeout.as_ref()), true, &[]),
        (at(rules.retry.as_ref()), true, &[]),
        (at(rules.attempts.as_ref()), true, &[]),
        (at(rules.confirm.as_ref()), true, &[]),
        (at(rules.degrade.as_ref()), true, &[]),
        (at(rules.stale_after.as_ref()), true, &[]),
        (at(rules.sick_above.as_ref()), true, &[Heartbeat]),
        (at(rules.dead_above.as_ref()), true, &[Heartbeat]),
        (at(rules.health.as_ref()), true, &[Push, Local]),
        (at(table.dead_after.as_ref()), false, &[Push, Local]),
        (at(table.load.as_ref()), false, &[Push]),
        (at(table.queue.as_ref()), false, &[Push]),
        (at(table.token.as_ref()), false, &[Heartbeat]),
        (at(table.period.as_ref()), false, &[Heartbeat]),
        (at(table.cron.as_ref()), false, &[Heartbeat]),
        (at(table.time_zone.as_ref()), false, &[Heartbeat]),
        (at(table.grace.as_ref()), false, &[Heartbeat]),
    ];
    for (place, of_active, of_passive) in keys {
        let Some((at, key)) = place else { continue };
        let name = key.rsplit_once('.').map_or(key.as_str(), |(_, name)| name);
        let what = match word {
            None if of_active => continue,
            Some(word) if of_passive.contains(&word) => continue,
            None => format!("`{name}` means nothing for a monitor that is not `passive`"),
            Some(word) => {
                format!(
                    "`{name}` means nothing for a monitor with `passive = \"{}\"`",
                    word.as_str()
                )
            }
        };
        let mut finding = Finding::new(at, what).key(&key);
        if word.is_none() {
            let words: Vec<_> = of_passive
                .iter()
                .map(|word| format!("`passive = \"{}\"`", word.as_str()))
                .collect();
            finding = finding.instead(format!("write {} beside it", words.join(" or ")));
        }
        cx.report(finding);
    }
}

/// What speaks to the host as it spoke to Vigil. Notes monitors that wait for it
/// in vain, tokens that open two doors and queues that are none.
pub(super) fn vigil(root: &RootTable, cx: &mut Context<'_>) -> Vigil {
    let vigil = value(root.compat.as_ref()).and_then(|compat| value(compat.vigil.as_ref()));
    let token = vigil.and_then(|vigil| value(vigil.reporter_token.as_ref()));
    let mut told: HashMap<&str, At> = HashMap::new();
    let mut passive: HashMap<MonitorId, bool> = HashMap::new();
    let services = || {
        rows(root.service.as_ref())
            .iter()
            .map(|service| &service.value)
    };
    for service in services() {
        for monitor in rows(service.monitor.as_ref()) {
            let ids = value(service.id.as_ref()).zip(value(monitor.value.id.as_ref()));
            if let Some((service, name)) = ids {
                let id = MonitorId::new(service.clone(), name.clone());
                passive.insert(id, monitor.value.passive.is_some());
            }
            let monitor = &monitor.value;
            if let Some(word) = &monitor.passive
                && matches!(word.value, PassiveWord::Push | PassiveWord::Local)
                && token.is_none()
            {
                let what = "nobody can report without the token that reporters show";
                let finding = Finding::new(word.at, what).key(&word.key).absence();
                cx.report(finding.instead(
                    "write `[compat.vigil]` with `reporter_token = { env = \"REPORTER_TOKEN\" }`",
                ));
            }
            if let Some(token) = &monitor.token
                && let Some(first) = told.insert(token.value.0.expose(), token.at)
            {
                let what =
                    "two monitors have the same token, so that a call of one is a call of both";
                let finding = Finding::new(token.at, what).key(&token.key);
                cx.report(finding.related(first, "first written here"));
            }
        }
    }
    for monitor in services().flat_map(|service| rows(service.monitor.as_ref())) {
        let Some(queue) = &monitor.value.queue else {
            continue;
        };
        match passive.get(&queue.value) {
            Some(false) => {}
            Some(true) => {
                let what = format!(
                    "`{}` is passive: a queue is watched by a probe",
                    queue.value
                );
                cx.report(Finding::new(queue.at, what).key(&queue.key));
            }
            None => {
                let names: Vec<_> = passive.keys().map(ToString::to_string).collect();
                let written = queue.value.to_string();
                let what = format!("there is no monitor `{written}`");
                let finding = Finding::new(queue.at, what).key(&queue.key).absence();
                cx.report(finding.nearest(&written, names.iter().map(String::as_str)));
            }
        }
    }
    Vigil {
        reporter_token: token.map(|token| token.0.clone()),
        manager_token: vigil
            .and_then(|vigil| value(vigil.manager_token.as_ref()))
            .map(|token| token.0.clone()),
    }
}
