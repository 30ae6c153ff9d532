//! What plugins themselves have against their configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::{StreamExt as _, stream};
use tracing::warn;
use watchkeeper_config::Problem;
use watchkeeper_config::plugin_config::{Complaint, PluginConfig};
use watchkeeper_config::secret::Secret;
use watchkeeper_sandbox::{Complaint as Said, Fault, StateSpace};

use super::{Assignments, Ready, Usable};

/// How many plugins look at their configurations side by side.
const VALIDATED_SIDE_BY_SIDE: usize = 8;

/// What the plugins themselves have against their configurations beyond what
/// their schemas say. A plugin that cannot tell has nothing against it: what is
/// wrong with it then shows at its first run.
pub(crate) async fn validate(assignments: &Assignments) -> Vec<Problem> {
    let monitors = assignments.monitors.iter().map(|each| {
        (
            &each.plugin,
            &each.monitor.config,
            each.monitor.id.to_string(),
        )
    });
    let channels = assignments.config.channels.iter().filter_map(|channel| {
        let assigned = assignments.channels.get(&channel.id)?;
        Some((&assigned.plugin, &channel.config, channel.id.to_string()))
    });
    // What many monitors share is looked at once: the plugin would say the same.
    let mut looks: BTreeMap<_, Vec<Asked<'_>>> = BTreeMap::new();
    for (at, (ready, config, label)) in monitors.chain(channels).enumerate() {
        let Ready::Use(usable) = ready else { continue };
        if usable.plugin.validates() {
            let name = usable.plugin.description().name.to_string();
            let secrets: Vec<_> = config.secrets().iter().map(Secret::expose).collect();
            let look = looks.entry((name, Arc::clone(&usable.config), secrets));
            look.or_default().push(Asked {
                at,
                usable,
                config,
                label,
            });
        }
    }
    // Whoever could not look once is not waited for again.
    let failed: Mutex<BTreeSet<String>> = Mutex::default();
    let looks: Vec<_> = looks
        .into_iter()
        .map(|((name, ..), alike)| look(name, alike, &failed))
        .collect();
    let mut problems: Vec<(usize, Problem)> = stream::iter(looks)
        .buffered(VALIDATED_SIDE_BY_SIDE)
        .map(stream::iter)
        .flatten()
        .collect()
        .await;
    problems.sort_by_key(|(at, _)| *at);
    problems.into_iter().map(|(_, problem)| problem).collect()
}

/// A configuration that a plugin is to look at.
struct Asked<'a> {
    /// Where it stands among all, so that problems are told in their order.
    at: usize,
    usable: &'a Usable,
    config: &'a PluginConfig,
    label: String,
}

/// What one plugin has against configurations that are alike.
async fn look(
    name: String,
    alike: Vec<Asked<'_>>,
    failed: &Mutex<BTreeSet<String>>,
) -> Vec<(usize, Problem)> {
    let poisoned = "nothing panics while it is held";
    let Some(first) = alike.first() else {
        return Vec::new();
    };
    if failed.lock().expect(poisoned).contains(&name) {
        return Vec::new();
    }
    match first.usable.validate(first.label.clone()).await {
        Ok(said) => alike
            .iter()
            .flat_map(|each| {
                said.iter()
                    .map(|said| (each.at, each.usable.problem(each.config, said)))
            })
            .collect(),
        Err(fault) => {
            if failed.lock().expect(poisoned).insert(name.clone()) {
                warn!(plugin = %name, %fault, "the plugin could not look at a configuration");
            }
            Vec::new()
        }
    }
}

impl Usable {
    /// What the plugin has against the configuration that it was made ready with.
    async fn validate(&self, label: String) -> Result<Vec<Said>, Fault> {
        // How long it may take is the sandbox's to say.
        let context = self.context(label, Duration::ZERO, StateSpace::default());
        self.plugin.validate(context).await
    }

    /// The problem that `said` is with `config`.
    fn problem(&self, config: &PluginConfig, said: &Said) -> Problem {
        let complaint = Complaint {
            pointer: &said.pointer,
            what: &said.what,
            instead: said.instead.as_deref(),
            position: said.position,
        };
        self.schema.problem(config, &complaint)
    }
}
