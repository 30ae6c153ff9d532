//! Vigil's scripts.

use super::Metrics;
use super::probe::{DAY, NodeTable, SECOND};
use crate::context::Context;
use crate::draft::{Keys, Monitor, Term};
use crate::names::Ids;
use crate::secrets::text_seems_secret;

/// One monitor for each script.
pub(super) fn read(
    node: &mut NodeTable<'_>,
    monitor: &Monitor,
    metrics: &Metrics,
    ids: &mut Ids,
    cx: &mut Context<'_>,
) -> Vec<Monitor> {
    let scripts = node.fields.list("scripts");
    let count = scripts.len();
    let mut made = Vec::new();
    for (index, field) in scripts.into_iter().enumerate() {
        let Some(text) = field.text(cx) else {
            continue;
        };
        let mut monitor = monitor.clone();
        if count > 1 {
            // Each has its own text, and so its own monitor.
            monitor.id = ids.make(&format!("{}-{index}", monitor.id), "script");
        }
        let every = cx.span(metrics.script_interval, SECOND, DAY, &metrics.place);
        let mut retry = Keys::default();
        retry.set("times", 0);
        let target = format!("script:{}", monitor.id);
        monitor.keys.set("probe", "script");
        monitor.keys.set("targets", vec![target]);
        monitor.keys.set("every", every);
        monitor.keys.set("timeout", "1m");
        monitor.keys.set("retry", retry);
        monitor.config.set("script", Term::Text(text.clone()));
        let reach = reach(&text);
        cx.differs(&field.place, script_note(&reach, &text));
        if !reach.is_empty() {
            monitor.config.set("reach", reach);
        }
        if text_seems_secret(&text) {
            cx.differs(&field.place, "the script seems to hold a secret, and stands in the result as it is: hand it over as a variable instead, `config.env = { PASSWORD = { env = \"NAME\" } }`");
        }
        monitor.place = field.place;
        made.push(monitor);
    }
    if count > 1 {
        cx.differs(&node.place, "each script is a monitor of its own");
    }
    if made.is_empty() {
        cx.lost(&node.place, "no script: the node is left out");
    }
    made
}

fn script_note(reach: &[String], text: &str) -> String {
    let mut note = String::from(
        "the script runs in the sandbox: without processes and files, for at most a minute",
    );
    if reach.is_empty() {
        note.push_str("; list what it has to reach in `reach`");
    } else {
        note.push_str("; it reaches the addresses that are written out in it, listed in `reach`");
    }
    if text.contains("${") {
        note.push_str(
            "; `${…}` is the shell's own here and no longer replaced by Vigil's environment",
        );
    }
    note
}

/// The servers whose addresses are written out in a script.
fn reach(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for scheme in ["http://", "https://"] {
        for part in text.split(scheme).skip(1) {
            let end = part
                .find(|c: char| c.is_whitespace() || "\"'`;|&)<>$/?#\\".contains(c))
                .unwrap_or(part.len());
            let authority: String = part
                .chars()
                .take(part.split_at(end).0.chars().count())
                .collect();
            let authority = authority.rsplit('@').next().unwrap_or_default();
            let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
            let origin = format!("{scheme}{authority}/");
            if !authority.is_empty() && authority.chars().all(is_host) && !found.contains(&origin) {
                found.push(origin);
            }
        }
    }
    found
}
