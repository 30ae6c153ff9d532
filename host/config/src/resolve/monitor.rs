//! A monitor with every rule it is judged by: its own, else that of the
//! defaults, else the documented one.

use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::attempts::{Attempts, Plan, Retry};
use watchkeeper_engine::id::{MonitorId, ServiceId, TargetId};
use watchkeeper_engine::monitor::{Combine, Weight};
use watchkeeper_engine::target::{Confirm, Flap, TargetRules};

use super::passive::passive;
use super::{
    check_scheme, elements, limits, line, line_or, made, plugin_config, position, value, values,
};
use crate::config::Tag;
use crate::duration;
use crate::file::rules::{ConfirmTable, FlapSetting, FlapTable, HealthSetting, RulesTable};
use crate::file::{DefaultsTable, MonitorTable};
use crate::monitor::{Monitor, ProbeChoice};
use crate::read::scalar::{Count, Span};
use crate::read::{Context, Finding, Placed};
use crate::source::At;

/// What a monitor's own rules and the defaults say, the nearer first.
#[derive(Clone, Copy)]
struct Layers<'a> {
    own: &'a RulesTable,
    defaults: Option<&'a RulesTable>,
}

impl<'a> Layers<'a> {
    /// The nearest value of a key.
    fn get<T>(
        self,
        key: impl Fn(&'a RulesTable) -> Option<&'a Placed<T>>,
    ) -> Option<&'a Placed<T>> {
        key(self.own).or_else(|| self.defaults.and_then(key))
    }

    /// The nearest span of a key.
    fn span<const MIN: u64, const MAX: u64>(
        self,
        key: impl Fn(&'a RulesTable) -> Option<&'a Placed<Span<MIN, MAX>>>,
    ) -> Option<Duration> {
        self.get(key).map(|placed| placed.value.0)
    }

    /// The nearest number of a key.
    fn count<const MIN: u32, const MAX: u32>(
        self,
        key: impl Fn(&'a RulesTable) -> Option<&'a Placed<Count<MIN, MAX>>>,
    ) -> Option<u32> {
        self.get(key).map(|placed| placed.value.0)
    }
}

/// The monitor that `table` describes, unless something required is missing.
pub(super) fn monitor(
    placed: &Placed<MonitorTable>,
    service: &ServiceId,
    inherited: &[Tag],
    defaults: Option<&DefaultsTable>,
    cx: &mut Context<'_>,
) -> Option<Monitor> {
    let table = &placed.value;
    let layers = Layers {
        own: &table.rules,
        defaults: defaults.map(|table| &table.rules),
    };
    let every = layers
        .span(|rules| rules.every.as_ref())
        .unwrap_or(Duration::from_secs(30));
    let timeout = layers
        .span(|rules| rules.timeout.as_ref())
        .unwrap_or(Duration::from_secs(10));
    let plan = plan(layers);
    let passive = passive(placed, cx);
    let own = |key: &str| format!("{}.{key}", placed.key);
    let is_passive = table.passive.is_some() || cx.is_noted(&own("passive"));
    let rules = if is_passive {
        told_rules(layers)
    } else {
        rules(layers, every, plan.longest(timeout), placed.at, cx)
    };
    let combine = combine(layers, table, cx);
    if table.targets.is_none() && !is_passive && !cx.is_noted(&own("targets")) {
        let finding = Finding::new(placed.at, "`targets` is missing");
        cx.report(finding.key(&own("targets")).absence());
    }
    let probe = if let Some(name) = value(table.probe.as_ref()) {
        ProbeChoice::Named(name.clone())
    } else {
        for target in elements(table.targets.as_ref()) {
            let instead = "write `probe = \"NAME\"`, or a target such as `tcp://example.com:22`";
            check_scheme(target, instead, cx);
        }
        ProbeChoice::ByScheme
    };
    let name = value(table.id.as_ref())?;
    let id = MonitorId::new(service.clone(), name.clone());
    let target = |address: &str| TargetId::new(id.clone(), address);
    let targets: Arc<[_]> = if is_passive {
        let only = passive.as_ref()?.target();
        only.into_iter().map(target).collect()
    } else {
        let targets = elements(Some(table.targets.as_ref()?)).iter();
        targets.map(|each| target(&each.value.0)).collect()
    };
    Some(Monitor {
        label: line_or(table.label.as_ref(), name),
        description: line(table.description.as_ref()),
        private: value(table.private.as_ref()).copied().unwrap_or(false),
        tags: tags(inherited, table),
        sla: super::sla::sla(table.sla.as_ref()),
        probe,
        targets,
        passive,
        every,
        timeout,
        plan,
        rules,
        combine,
        weight: match value(table.critical.as_ref()) {
            None | Some(true) => Weight::Critical,
            Some(false) => Weight::Minor,
        },
        depends_on: values(table.depends_on.as_ref()),
        limits: limits(value(table.limits.as_ref())),
        config: plugin_config(table.config.as_ref(), placed, cx),
        position: position(placed.at, cx),
        made: made(placed.at, cx),
        id,
    })
}

/// The tags of its service and its own, each once.
fn tags(inherited: &[Tag], table: &MonitorTable) -> Arc<[Tag]> {
    let own = elements(table.tags.as_ref())
        .iter()
        .map(|tag| &tag.value)
        .filter(|tag| !inherited.contains(tag));
    inherited.iter().chain(own).cloned().collect()
}

/// The rules for what a monitor is told. Each word counts at once: silence is
/// noticed once and not again and again, so that nothing would confirm it.
fn told_rules(layers: Layers<'_>) -> TargetRules {
    let own = |key: Option<&Placed<Span<1, { 5 * 60_000 }>>>| value(key).map(|span| span.0);
    TargetRules {
        sick_above: own(layers.own.sick_above.as_ref()),
        dead_above: own(layers.own.dead_above.as_ref()),
        stale_after: Duration::MAX,
        confirm: Confirm::default(),
        degrade: false,
        flap: flap(layers),
    }
}

fn plan(layers: Layers<'_>) -> Plan {
    let retry = Retry::default();
    let attempts = Attempts::default();
    Plan {
        retry: Retry {
            times: layers
                .count(|rules| value(rules.retry.as_ref())?.times.as_ref())
                .unwrap_or(retry.times),
            wait: layers
                .span(|rules| value(rules.retry.as_ref())?.wait.as_ref())
                .unwrap_or(retry.wait),
        },
        attempts: Attempts {
            times: layers
                .count(|rules| value(rules.attempts.as_ref())?.times.as_ref())
                .unwrap_or(attempts.times),
            spacing: layers
                .span(|rules| value(rules.attempts.as_ref())?.spacing.as_ref())
                .unwrap_or(attempts.spacing),
        },
    }
}

fn rules(
    layers: Layers<'_>,
    every: Duration,
    longest: Duration,
    monitor_at: At,
    cx: &mut Context<'_>,
) -> TargetRules {
    let sick_above = layers.get(|rules| rules.sick_above.as_ref());
    let dead_above = layers.get(|rules| rules.dead_above.as_ref());
    if let (Some(sick), Some(dead)) = (sick_above, dead_above)
        && sick.value.0 > dead.value.0
    {
        let what = "`sick_above` is larger than `dead_above`, so that nothing is ever sick by it";
        let finding = Finding::new(sick.at, what).key(&sick.key);
        cx.report(finding.related(dead.at, "`dead_above` stands here"));
    }
    let needed = every.saturating_add(longest);
    let stale_after = layers.get(|rules| rules.stale_after.as_ref());
    if let Some(stale) = stale_after
        && stale.value.0 < needed
    {
        let what = format!(
            "`stale_after` is shorter than `every` and the longest run together ({} and {}): the \
             health would be unknown between two checks",
            duration::display(every),
            duration::display(longest),
        );
        let finding = Finding::new(stale.at, what).key(&stale.key);
        let instead = format!("write at least \"{}\"", duration::display(needed));
        cx.report(
            finding
                .instead(instead)
                .related(monitor_at, "for the monitor"),
        );
    }
    let confirm = Confirm::default();
    let nested = |key: fn(&ConfirmTable) -> Option<&Placed<Count<1, 100>>>| {
        layers.count(|rules| key(value(rules.confirm.as_ref())?))
    };
    TargetRules {
        sick_above: sick_above.map(|placed| placed.value.0),
        dead_above: dead_above.map(|placed| placed.value.0),
        stale_after: stale_after.map_or_else(
            || every.saturating_mul(3).max(needed),
            |placed| placed.value.0,
        ),
        confirm: Confirm {
            sick: nested(|table| table.sick.as_ref()).unwrap_or(confirm.sick),
            dead: nested(|table| table.dead.as_ref()).unwrap_or(confirm.dead),
            healthy: nested(|table| table.healthy.as_ref()).unwrap_or(confirm.healthy),
        },
        degrade: layers
            .get(|rules| rules.degrade.as_ref())
            .is_some_and(|placed| placed.value),
        flap: flap(layers),
    }
}

fn flap(layers: Layers<'_>) -> Option<Flap> {
    if let Some(Placed {
        value: FlapSetting::Never,
        ..
    }) = layers.get(|rules| rules.flap.as_ref())
    {
        return None;
    }
    let at = |rules: &'_ RulesTable, key: fn(&FlapTable) -> Option<Flap>| match &rules.flap {
        Some(Placed {
            value: FlapSetting::At(table),
            ..
        }) => key(table),
        _ => None,
    };
    let default = Flap::default();
    let changes = |table: &FlapTable| {
        value(table.changes.as_ref()).map(|count| Flap {
            changes: count.0,
            ..Flap::default()
        })
    };
    let window = |table: &FlapTable| {
        value(table.window.as_ref()).map(|span| Flap {
            window: span.0,
            ..Flap::default()
        })
    };
    let nearest = |key: fn(&FlapTable) -> Option<Flap>| {
        at(layers.own, key).or_else(|| layers.defaults.and_then(|rules| at(rules, key)))
    };
    Some(Flap {
        changes: nearest(changes).unwrap_or(default).changes,
        window: nearest(window).unwrap_or(default).window,
    })
}

fn combine(layers: Layers<'_>, table: &MonitorTable, cx: &mut Context<'_>) -> Combine {
    let quorum = match value(layers.get(|rules| rules.health.as_ref())) {
        None | Some(HealthSetting::Worst) => return Combine::Worst,
        Some(HealthSetting::Best) => return Combine::Best,
        Some(HealthSetting::Quorum(quorum)) => quorum,
    };
    let targets = elements(table.targets.as_ref()).len();
    // A quorum of the defaults fits monitors of many sizes: there, more than
    // there are targets counts as all of them.
    if table.rules.health.is_some() && targets > 0 {
        for count in [&quorum.sick, &quorum.dead].into_iter().flatten() {
            if usize::try_from(count.value.0).is_ok_and(|needed| needed > targets) {
                let what = format!(
                    "{} targets cannot be met: the monitor has {targets}",
                    count.value.0
                );
                cx.report(Finding::new(count.at, what).key(&count.key));
            }
        }
    }
    let of = |count: Option<&Placed<Count<1, 1000>>>| value(count).map_or(1, |count| count.0);
    Combine::Quorum {
        sick: of(quorum.sick.as_ref()),
        dead: of(quorum.dead.as_ref()),
    }
}
