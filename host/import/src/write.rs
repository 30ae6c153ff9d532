//! The draft as TOML.

mod text;

use std::fmt::Write as _;

use watchkeeper_config::load_texts;

use crate::context::Context;
use crate::draft::{Draft, Monitor, Route, Service, Term};
use crate::report::{Counts, Entry, Outcome, Place, Report};
use crate::{Imported, Kind};

use self::text::{basic, comment, config, line, lines};

/// The most monitors of one route.
const MAX_ROUTE: usize = 1_000;

/// Secrets shorter than this are looked for in nothing but `config` tables:
/// they may well be a word that stands elsewhere for another reason.
const SHORT: usize = 12;

/// What newer versions of the host can be told; what this one cannot is written
/// as a comment.
#[expect(
    clippy::struct_excessive_bools,
    reason = "a version knows each of these or not, whatever it knows of the others"
)]
struct Speaks {
    passive: bool,
    vigil: bool,
    manager: bool,
    reminders: bool,
    reminders_only: bool,
    maintenance: bool,
}

impl Speaks {
    fn find_out() -> Self {
        let service =
            "[[service]]\nid = \"a\"\n[[service.monitor]]\nid = \"b\"\ntargets = [\"tcp://a:1\"]\n";
        let channel = "[[channel]]\nid = \"c\"\nnotifier = \"slack\"\n[[route]]\nto = [\"c\"]\n";
        let passive =
            "[[service]]\nid = \"a\"\n[[service.monitor]]\nid = \"b\"\npassive = \"manual\"\n";
        let vigil = "[compat.vigil]\nreporter_token = { env = \"T\" }\n";
        let reminders = "reminders = { every = \"10m\", backoff = \"linear\", limit = 3 }\n";
        let maintenance = "[[maintenance]]\ntitle = \"t\"\ndescription = \"d\"\nservices = [\"a\"]\nmonitors = [\"a/b\"]\ncron = \"0 2 * * SUN\"\ntime_zone = \"Europe/Stockholm\"\nlasts = \"1h\"\n";
        let knows = |parts: &[&str]| {
            let text = ("x.toml".to_owned(), parts.concat());
            load_texts(vec![text], &stand_in).is_ok()
        };
        Self {
            passive: knows(&[passive]),
            vigil: knows(&[service, vigil]),
            manager: knows(&[service, vigil, "manager_token = { env = \"M\" }\n"]),
            reminders: knows(&[service, channel, reminders]),
            reminders_only: knows(&[service, channel, reminders, "reminders_only = true\n"]),
            maintenance: knows(&[service, maintenance]),
        }
    }
}

/// A value for every variable, as long as no secret of the old system is known
/// to be shorter.
#[expect(clippy::unnecessary_wraps, reason = "the loader asks like this")]
fn stand_in(name: &str) -> Option<String> {
    Some(format!("0123456789-{name}"))
}

/// Writes the result, asks the loader what it thinks of it, and closes the
/// report.
pub(crate) fn finish(mut cx: Context<'_>) -> Imported {
    let mut draft = std::mem::take(&mut cx.draft);
    hide_everywhere(&mut draft, &cx);
    let counts = Counts {
        services: draft.services.len(),
        monitors: draft.services.iter().map(|it| it.monitors.len()).sum(),
        channels: draft.channels.len(),
    };
    let speaks = Speaks::find_out();
    let mut toml = document(&draft, &speaks, &mut cx);
    redact(&mut toml, &mut cx);
    ask_the_loader(&toml, &mut cx);
    if cx.unsaid() > 0 {
        let place = Place::default();
        let unsaid = cx.unsaid();
        cx.entries.push(Entry {
            place,
            outcome: Outcome::Lost,
            what: format!("{unsaid} more lines of this report are left out"),
        });
    }
    for (value, _) in cx.secrets.values() {
        if value.len() >= 6 {
            for entry in &mut cx.entries {
                if entry.what.contains(value) {
                    entry.what = entry.what.replace(value, "****");
                }
            }
        }
    }
    let kind = cx.kind;
    let (mut variables, mut secrets) = cx.secrets.into_parts();
    // What was read and then left out needs no variable.
    let is_used = |name: &str| {
        let references = [format!("env = \"{name}\""), format!("${{{name}}}")];
        references.iter().any(|it| toml.contains(it))
    };
    variables.retain(|variable| is_used(&variable.name));
    secrets.retain(|secret| is_used(&secret.name));
    let report = Report {
        counts,
        entries: cx.entries,
        variables,
    };
    Imported {
        kind,
        toml,
        report,
        secrets,
    }
}

/// Replaces secrets that stand a second time within texts of `config` tables.
fn hide_everywhere(draft: &mut Draft, cx: &Context<'_>) {
    let values = cx.secrets.values();
    let monitors = draft.services.iter_mut().flat_map(|it| &mut it.monitors);
    let configs = monitors.map(|it| &mut it.config);
    for config in configs.chain(draft.channels.iter_mut().map(|it| &mut it.config)) {
        for (_, term) in &mut config.0 {
            hide_in(term, &values);
        }
    }
}

fn hide_in(term: &mut Term, values: &[(&str, &str)]) {
    match term {
        Term::Text(text) => {
            let found: Vec<_> = values
                .iter()
                .filter(|(value, _)| value.len() >= 6 && text.contains(value))
                .collect();
            if found.is_empty() {
                return;
            }
            let mut escaped = text.replace("${", "$${");
            for (value, name) in found {
                let value = value.replace("${", "$${");
                escaped = escaped.replace(&value, &format!("${{{name}}}"));
            }
            *term = Term::Referring(escaped);
        }
        Term::List(items) => items.iter_mut().for_each(|item| hide_in(item, values)),
        Term::Table(keys) => keys
            .0
            .iter_mut()
            .for_each(|(_, term)| hide_in(term, values)),
        _ => {}
    }
}

/// Takes secrets out of what is no `config` table: a label, a target.
fn redact(toml: &mut String, cx: &mut Context<'_>) {
    let values: Vec<_> = cx
        .secrets
        .values()
        .iter()
        .filter(|(value, _)| value.len() >= SHORT)
        .map(|(value, name)| ((*value).to_owned(), (*name).to_owned()))
        .collect();
    for (value, name) in values {
        // A value that is part of a variable's name is no longer one to hide.
        let named = cx
            .secrets
            .values()
            .iter()
            .any(|(_, name)| name.contains(&value));
        let written = basic(&value);
        let inner = written.trim_matches('"');
        if !named && toml.contains(inner) {
            *toml = toml.replace(inner, "REMOVED");
            cx.lost(&Place::default(), format!("the secret of {name} stood in an address or name as well: there it says REMOVED now"));
        }
    }
}

/// Whatever the loader would refuse is told now rather than at the next start.
fn ask_the_loader(toml: &str, cx: &mut Context<'_>) {
    let text = ("watchkeeper.toml".to_owned(), toml.to_owned());
    let Err(problems) = load_texts(vec![text], &stand_in) else {
        return;
    };
    for problem in problems.list {
        let place = Place {
            file: "watchkeeper.toml".to_owned(),
            line: problem
                .place
                .as_ref()
                .and_then(|it| u32::try_from(it.line).ok()),
            path: problem.key.clone(),
        };
        cx.lost(
            &place,
            format!("the result needs a hand here: {}", problem.what),
        );
    }
}

fn document(draft: &Draft, speaks: &Speaks, cx: &mut Context<'_>) -> String {
    let mut text = String::new();
    let kind: Kind = cx.kind;
    writeln!(
        text,
        "# Made from a configuration of {kind} by `watchkeeper config import`."
    )
    .expect("a string takes everything");
    let tables = [
        ("server", &draft.server),
        ("page", &draft.page),
        ("defaults", &draft.defaults),
        ("network", &draft.network),
        ("self", &draft.canaries),
    ];
    for (name, keys) in tables {
        if !keys.is_empty() {
            text.extend(["\n[", name, "]\n"]);
            lines(&mut text, keys, false);
        }
    }
    let mut vigil = draft.vigil.clone();
    if !speaks.manager && vigil.get("manager_token").is_some() {
        vigil.0.retain(|(key, _)| key != "manager_token");
        cx.lost(
            &draft.vigil_place,
            "this version has no manager API: `manager_token` is left out",
        );
    }
    if !vigil.is_empty() {
        let mut table = "[compat.vigil]\n".to_owned();
        lines(&mut table, &vigil, true);
        add(
            &mut text,
            &table,
            speaks.vigil,
            &draft.vigil_place,
            "reporters",
            cx,
        );
    }
    for service in &draft.services {
        write_service(&mut text, service, speaks, cx);
    }
    for channel in &draft.channels {
        text.push_str("\n[[channel]]\n");
        line(&mut text, "id", &channel.id.as_str().into(), false);
        line(&mut text, "notifier", &channel.notifier.into(), false);
        config(&mut text, "channel", &channel.config);
    }
    for route in &draft.routes {
        write_route(&mut text, route, speaks, cx);
    }
    for maintenance in &draft.maintenances {
        let mut table = "[[maintenance]]\n".to_owned();
        lines(&mut table, &maintenance.keys, false);
        let (knows, place) = (speaks.maintenance, &maintenance.place);
        add(&mut text, &table, knows, place, "maintenance windows", cx);
    }
    text
}

fn write_service(text: &mut String, service: &Service, speaks: &Speaks, cx: &mut Context<'_>) {
    let known = |monitor: &&Monitor| speaks.passive || !monitor.is_passive();
    let has_monitors = service.monitors.iter().any(|it| known(&it));
    let mut head = "[[service]]\n".to_owned();
    line(&mut head, "id", &service.id.as_str().into(), false);
    lines(&mut head, &service.keys, false);
    if has_monitors {
        text.extend(["\n", head.as_str()]);
    } else {
        // A service without monitors is a mistake.
        text.push('\n');
        comment(text, &head);
    }
    for monitor in &service.monitors {
        let mut table = "[[service.monitor]]\n".to_owned();
        line(&mut table, "id", &monitor.id.as_str().into(), false);
        lines(&mut table, &monitor.keys, false);
        config(&mut table, "service.monitor", &monitor.config);
        let known = known(&monitor);
        add(
            text,
            &table,
            known,
            &monitor.place,
            "monitors that are told",
            cx,
        );
    }
}

fn write_route(text: &mut String, route: &Route, speaks: &Speaks, cx: &mut Context<'_>) {
    let parts: Vec<Option<&[String]>> = match &route.monitors {
        None => vec![None],
        Some(monitors) => monitors.chunks(MAX_ROUTE).map(Some).collect(),
    };
    for part in parts {
        text.push_str("\n[[route]]\n");
        line(text, "to", &route.to.clone().into(), false);
        if !route.on.is_empty() {
            line(text, "on", &route.on.clone().into(), false);
        }
        if let Some(monitors) = part {
            line(text, "monitors", &monitors.to_vec().into(), false);
        }
        let mut told = |key: &str, term: Term, knows: bool| {
            let mut written = String::new();
            line(&mut written, key, &term, false);
            if knows {
                text.push_str(&written);
            } else {
                comment(text, &written);
                cx.lost(
                    &route.place,
                    format!(
                        "this version has no `{key}` in routes: it is in the result as a comment"
                    ),
                );
            }
        };
        if !route.reminders.is_empty() {
            told(
                "reminders",
                route.reminders.clone().into(),
                speaks.reminders,
            );
        }
        if route.reminders_only {
            told("reminders_only", true.into(), speaks.reminders_only);
        }
    }
}

/// Adds a table, as a comment where this version does not know it.
fn add(
    text: &mut String,
    table: &str,
    knows: bool,
    place: &Place,
    what: &str,
    cx: &mut Context<'_>,
) {
    text.push('\n');
    if knows {
        text.push_str(table);
    } else {
        comment(text, table);
        cx.lost(
            place,
            format!("this version has no {what}: it is in the result as a comment"),
        );
    }
}
