//! How people are told: channels, routes, and what is called while the host works.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use watchkeeper_engine::id::ChannelId;
use watchkeeper_engine::pacing::Rate;
use watchkeeper_engine::reminding::{Plan, Reminders};
use watchkeeper_engine::telling::Interest;

use super::references::Known;
use super::{elements, limits, made, plugin_config, position, rows, value, values};
use crate::config::{Channel, DeadMan, EscalationStep, Named, Route, RouteFilter};
use crate::file::telling::{DeadManTable, DuringTable, RemindersTable};
use crate::file::{ChannelTable, RouteTable, SelfTable};
use crate::hours::{self, Hours, HoursSpan};
use crate::read::address::is_web_url;
use crate::read::scalar::Occasion;
use crate::read::{Context, Finding, Placed};
use crate::source::At;

/// How long changes are gathered after the first.
const GROUP_WAIT: Duration = Duration::from_secs(10);

/// How long before it begins a maintenance is told.
const MAINTENANCE_AHEAD: Duration = Duration::from_hours(24);

pub(super) fn channel(placed: &Placed<ChannelTable>, cx: &mut Context<'_>) -> Option<Channel> {
    let table = &placed.value;
    let rate = value(table.rate.as_ref()).and_then(|rate| {
        Some(Rate {
            notices: value(rate.notices.as_ref())?.0,
            per: value(rate.per.as_ref())?.0,
        })
    });
    Some(Channel {
        id: value(table.id.as_ref())?.clone(),
        made: made(placed.at, cx),
        notifier: value(table.notifier.as_ref())?.clone(),
        config: plugin_config(table.config.as_ref(), placed, cx),
        timeout: value(table.timeout.as_ref()).map_or(Duration::from_secs(10), |span| span.0),
        rate,
        title: value(table.title.as_ref()).map(|template| template.0.clone()),
        body: value(table.body.as_ref()).map(|template| template.0.clone()),
        limits: limits(value(table.limits.as_ref())),
        position: position(placed.at, cx),
    })
}

pub(super) fn route(
    placed: &Placed<RouteTable>,
    known: &Known,
    page_zone: &TimeZone,
    cx: &mut Context<'_>,
) -> Option<Route> {
    let table = &placed.value;
    for channel in elements(table.to.as_ref()) {
        Known::check("channel", &known.channels, channel, cx);
    }
    for service in elements(table.services.as_ref()) {
        Known::check("service", &known.services, service, cx);
    }
    for monitor in elements(table.monitors.as_ref()) {
        Known::check("monitor", &known.monitors, monitor, cx);
    }
    for tag in elements(table.tags.as_ref()) {
        Known::check("tag", &known.tags, tag, cx);
    }
    let reminders = value(table.reminders.as_ref()).and_then(reminders);
    let reminders_only = value(table.reminders_only.as_ref())
        .copied()
        .unwrap_or(false);
    if let Some(field) = &table.reminders_only
        && reminders_only
        && table.reminders.is_none()
    {
        let what = "`reminders_only` without `reminders` tells nothing";
        let instead = "write `reminders = { every = \"10m\" }` beside it";
        cx.report(
            Finding::new(field.at, what)
                .key(&field.key)
                .instead(instead),
        );
    }
    let steps = escalation(table, known, cx);
    Some(Route {
        id: value(table.id.as_ref()).cloned(),
        to: values(Some(table.to.as_ref()?)),
        on: interest(table, cx),
        maintenance_ahead: maintenance_ahead(table, cx),
        filter: filter(table),
        hours: hours(table, page_zone, cx),
        group_wait: value(table.group_wait.as_ref()).map_or(GROUP_WAIT, |span| span.0),
        plan: Plan {
            reminders,
            steps: steps.iter().map(|step| step.after).collect(),
        },
        reminders_only,
        escalate: steps.into(),
        host: value(table.host.as_ref()).copied().unwrap_or(true),
        sla: elements(table.on.as_ref())
            .iter()
            .any(|placed| placed.value == Occasion::Sla),
        startup: value(table.startup.as_ref()).copied().unwrap_or(false),
        position: position(placed.at, cx),
    })
}

/// What is called while the host works.
pub(super) fn dead_man(table: &SelfTable, cx: &mut Context<'_>) -> Option<DeadMan> {
    let DeadManTable { url, every } = value(table.dead_man.as_ref())?;
    let url = url.as_ref()?;
    if !is_web_url(url.value.0.expose()) {
        let what = "`url` must be a URL such as \"https://example.com/ping\"";
        cx.report(Finding::new(url.at, what).key(&url.key));
    }
    Some(DeadMan {
        url: url.value.0.clone(),
        every: value(every.as_ref()).map_or(Duration::from_mins(1), |span| span.0),
    })
}

fn interest(table: &RouteTable, cx: &mut Context<'_>) -> Interest {
    let has = |occasion| match &table.on {
        Some(on) => on.value.0.iter().any(|placed| placed.value == occasion),
        None => matches!(occasion, Occasion::Dead | Occasion::Recovered),
    };
    let on = Interest {
        dead: has(Occasion::Dead),
        sick: has(Occasion::Sick),
        recovered: has(Occasion::Recovered),
        unknown: has(Occasion::Unknown),
    };
    if let Some(field) = &table.on
        && on.recovered
        && !(on.dead || on.sick || on.unknown)
    {
        let what = "a route on `recovered` alone never tells anything: the end of an outage is \
                    only told to those who heard of its beginning";
        let instead = "write `on = [\"dead\", \"recovered\"]`";
        cx.report(
            Finding::new(field.at, what)
                .key(&field.key)
                .instead(instead),
        );
    }
    on
}

/// How long before it begins a maintenance is told, if the route tells of any.
fn maintenance_ahead(table: &RouteTable, cx: &mut Context<'_>) -> Option<Duration> {
    let on = elements(table.on.as_ref());
    let ahead = &table.maintenance_ahead;
    if on.iter().any(|it| it.value == Occasion::Maintenance) {
        return Some(value(ahead.as_ref()).map_or(MAINTENANCE_AHEAD, |span| span.0));
    }
    if let Some(ahead) = ahead {
        let what = "`maintenance_ahead` means nothing without `on = [\"maintenance\"]`";
        cx.report(Finding::new(ahead.at, what).key(&ahead.key));
    }
    None
}

fn filter(table: &RouteTable) -> RouteFilter {
    RouteFilter {
        names: (table.services.is_some() || table.monitors.is_some()).then(|| Named {
            services: values(table.services.as_ref()),
            monitors: values(table.monitors.as_ref()),
        }),
        tags: values(table.tags.as_ref()),
    }
}

fn reminders(table: &RemindersTable) -> Option<Reminders> {
    Some(Reminders {
        every: value(table.every.as_ref())?.0,
        backoff: value(table.backoff.as_ref())
            .map(|word| word.0)
            .unwrap_or_default(),
        limit: value(table.limit.as_ref()).map_or(3, |count| count.0),
    })
}

/// The steps. Notes those that tell nobody new, and those out of order.
fn escalation(table: &RouteTable, known: &Known, cx: &mut Context<'_>) -> Vec<EscalationStep> {
    let mut told: BTreeMap<ChannelId, At> = elements(table.to.as_ref())
        .iter()
        .map(|channel| (channel.value.clone(), channel.at))
        .collect();
    let mut steps: Vec<EscalationStep> = Vec::new();
    for step in rows(table.escalate.as_ref()) {
        for channel in elements(step.value.to.as_ref()) {
            Known::check("channel", &known.channels, channel, cx);
            if let Some(first) = told.insert(channel.value.clone(), channel.at) {
                let what = format!("`{}` has been told already", channel.value);
                let finding = Finding::new(channel.at, what).key(&channel.key);
                let instead = "use `reminders` to tell somebody again";
                cx.report(finding.related(first, "named here").instead(instead));
            }
        }
        let Some(after) = &step.value.after else {
            continue;
        };
        if steps.last().is_some_and(|last| last.after >= after.value.0) {
            let what = "each step of an escalation must come after the one before";
            cx.report(Finding::new(after.at, what).key(&after.key));
        }
        steps.push(EscalationStep {
            after: after.value.0,
            to: values(step.value.to.as_ref()),
        });
    }
    steps
}

fn hours(table: &RouteTable, page_zone: &TimeZone, cx: &mut Context<'_>) -> Hours {
    if let (Some(zone), None) = (&table.time_zone, &table.during) {
        let what = "`time_zone` means nothing without `during`";
        cx.report(Finding::new(zone.at, what).key(&zone.key));
    }
    let zone = value(table.time_zone.as_ref()).map_or(page_zone, |zone| &zone.0);
    let spans = rows(table.during.as_ref()).iter().filter_map(|placed| {
        let DuringTable { days, from, to } = &placed.value;
        let from_minute = value(from.as_ref()).map_or(0, |time| time.0);
        let to_minute = value(to.as_ref()).map_or(hours::DAY, |time| time.0);
        let wrong = if from_minute == to_minute {
            Some((to.as_ref().or(from.as_ref())?, "it would end as it begins"))
        } else if from_minute == hours::DAY {
            Some((from.as_ref()?, "it cannot begin at 24:00: write \"00:00\""))
        } else {
            None
        };
        if let Some((field, what)) = wrong {
            cx.report(Finding::new(field.at, what).key(&field.key));
            return None;
        }
        let mut on = [days.is_none(); 7];
        for day in elements(days.as_ref())
            .iter()
            .flat_map(|days| days.value.each())
        {
            on[day] = true;
        }
        Some(HoursSpan {
            days: on,
            from: from_minute,
            to: to_minute,
        })
    });
    let spans = spans.collect();
    Hours::new(spans, zone.clone())
}
