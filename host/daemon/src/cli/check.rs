//! `watchkeeper check` and `watchkeeper config check`: everything once, without
//! a server.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use comfy_table::{Cell, Color, Table, presets};
use futures::StreamExt as _;
use futures::stream;
use serde_json::json;
use watchkeeper_config::{Config, Problems};
use watchkeeper_engine::health::Health;
use watchkeeper_engine::id::MonitorId;
use watchkeeper_engine::reading::Outcome;
use watchkeeper_sandbox::StateSpace;

use super::{Exit, complain, complain_of_config, print, start};
use crate::assignment::{Assigned, Assignments, assign, validate};
use crate::run::{self, Finished};
use crate::telemetry::Metrics;

/// How many checks run side by side.
const SIDE_BY_SIDE: usize = 64;

/// Checks `wanted` (all, if empty) once.
pub(crate) async fn check(config: &Config, wanted: &[String], json: bool) -> anyhow::Result<Exit> {
    let mut chosen = Vec::new();
    for text in wanted {
        let known = MonitorId::parse(text)
            .ok()
            .filter(|id| config.monitor(id).is_some());
        let Some(id) = known else {
            let all: Vec<_> = config
                .monitors()
                .map(|monitor| monitor.id.to_string())
                .collect();
            complain(&format!(
                "no monitor is called `{text}`; there are: {}",
                all.join(", ")
            ));
            return Ok(Exit::Usage);
        };
        if let Some(passive) = config.monitor(&id).and_then(|known| known.passive.as_ref()) {
            complain(&format!(
                "`{id}` is told how things are (`passive = \"{}\"`): there is nothing to check",
                passive.as_str()
            ));
            return Ok(Exit::Usage);
        }
        chosen.push(id);
    }
    let (assignments, problems) = join(config).await?;
    if !problems.is_empty() {
        complain_of_config(&Problems::from(problems));
        return Ok(Exit::Config);
    }
    let metrics = Arc::new(Metrics::new());
    let runs = assignments
        .monitors
        .iter()
        .filter(|assigned| assigned.monitor.passive.is_none())
        .filter(|assigned| chosen.is_empty() || chosen.contains(&assigned.monitor.id))
        .flat_map(|assigned| {
            assigned
                .monitor
                .targets
                .iter()
                .map(move |target| (assigned, target))
        })
        .map(|(assigned, target)| {
            run::run(
                Arc::clone(assigned),
                target.clone(),
                StateSpace::default(),
                Arc::clone(&metrics),
            )
        });
    let found: Vec<Finished> = stream::iter(runs).buffered(SIDE_BY_SIDE).collect().await;
    let healths: Vec<Health> = found
        .iter()
        .map(|run| judge(&assignments.monitors, run))
        .collect();
    if json {
        let rows: Vec<_> = found
            .iter()
            .zip(&healths)
            .map(|(run, health)| as_json(run, *health))
            .collect();
        print(&serde_json::to_string_pretty(&rows)?)?;
    } else {
        print(&as_table(&found, &healths))?;
    }
    Ok(match healths.into_iter().max() {
        None | Some(Health::Healthy) => Exit::Fine,
        Some(Health::Sick) => Exit::Sick,
        Some(Health::Dead) => Exit::Dead,
        Some(Health::Unknown) => Exit::Unknown,
    })
}

/// `1 monitor` or `3 monitors`.
fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// Checks the configuration against the plugins' schemas.
pub(crate) async fn config(config: &Config, path: &Path) -> anyhow::Result<Exit> {
    let (assignments, problems) = join(config).await?;
    if !problems.is_empty() {
        complain_of_config(&Problems::from(problems));
        return Ok(Exit::Config);
    }
    let targets: usize = assignments
        .monitors
        .iter()
        .map(|each| each.monitor.targets.len())
        .sum();
    let counts = [
        counted(config.services.len(), "service"),
        counted(assignments.monitors.len(), "monitor"),
        counted(targets, "target"),
        counted(config.channels.len(), "channel"),
        counted(config.routes.len(), "route"),
    ];
    print(&format!("{}: {}", path.display(), counts.join(", ")))?;
    for (id, why) in assignments.without_plugin() {
        print(&format!("  {id} cannot run now: {why}"))?;
    }
    for line in &assignments.advice {
        print(&format!("  warning: {line}"))?;
    }
    Ok(Exit::Fine)
}

async fn join(config: &Config) -> anyhow::Result<(Assignments, Vec<watchkeeper_config::Problem>)> {
    let plugins = start::plugins(config, start::Which::Used)
        .await
        .context("cannot start the sandbox")?;
    let shelf = Arc::clone(&plugins.shelf().borrow());
    let (assignments, mut problems) = assign(config, &shelf, &[]);
    if problems.is_empty() {
        problems = validate(&assignments).await;
    }
    Ok((assignments, problems))
}

/// The health that one run says, by the monitor's rules: a single reading is
/// all there is, so nothing waits for confirmation.
fn judge(monitors: &[Arc<Assigned>], run: &Finished) -> Health {
    use watchkeeper_engine::target::{Confirm, Input, TargetRules, TargetState, step};

    let id = run.target.monitor();
    let rules = monitors
        .iter()
        .find(|assigned| assigned.monitor.id == *id)
        .map_or_else(TargetRules::default, |assigned| {
            assigned.monitor.rules.clone()
        });
    let at_once = TargetRules {
        confirm: Confirm {
            sick: 1,
            dead: 1,
            healthy: 1,
        },
        ..rules
    };
    let input = Input::Reading(run.reading.clone());
    step(&TargetState::default(), &input, &at_once, run.reading.at)
        .state
        .standing
        .health
}

fn reason(run: &Finished) -> &str {
    match &run.reading.outcome {
        Outcome::Judged { reason, .. } => reason.as_deref().unwrap_or_default(),
        Outcome::NoVerdict { reason, .. } => reason,
    }
}

fn as_json(run: &Finished, health: Health) -> serde_json::Value {
    let measurements: Vec<_> = run
        .measurements
        .iter()
        .map(|each| json!({ "name": each.name, "value": each.value, "unit": each.unit }))
        .collect();
    let reason = Some(reason(run)).filter(|reason| !reason.is_empty());
    json!({
        "monitor": run.target.monitor().to_string(),
        "target": run.target.address(),
        "health": health.as_str(),
        "reason": reason,
        "latency_seconds": run.reading.latency.map(|latency| latency.as_secs_f64()),
        "measurements": measurements,
    })
}

fn as_table(found: &[Finished], healths: &[Health]) -> String {
    let mut table = Table::new();
    table
        .load_preset(presets::NOTHING)
        .set_header(["monitor", "target", "health", "latency", "reason"]);
    for (run, health) in found.iter().zip(healths) {
        let colour = match health {
            Health::Healthy => Color::Green,
            Health::Unknown => Color::Grey,
            Health::Sick => Color::Yellow,
            Health::Dead => Color::Red,
        };
        let latency = run
            .reading
            .latency
            .map(|latency| format!("{:.1} ms", latency.as_secs_f64() * 1e3));
        let word = Cell::new(health.as_str());
        table.add_row(vec![
            Cell::new(run.target.monitor()),
            Cell::new(printable(run.target.address())),
            if super::colours() {
                word.fg(colour)
            } else {
                word
            },
            Cell::new(latency.unwrap_or_default()),
            Cell::new(printable(reason(run))),
        ]);
    }
    table.trim_fmt()
}

/// Without control characters: what a target says must not steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|each| if each.is_control() { '\u{fffd}' } else { each })
        .collect()
}
