//! One run of a plugin with what the daemon would give it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use watchkeeper_config::plugin_config::{PluginConfig, PluginSchema};
use watchkeeper_config::secret::Secret;
use watchkeeper_egress::address::AddressPolicy;
use watchkeeper_egress::grants::Grants;
use watchkeeper_sandbox::{
    Check, CheckOutcome, Context, Limits, Notice, Notify, NotifyOutcome, Plugin, Run, Scrubber,
    StateSpace,
};

use crate::{load, of_check, of_delivery};

/// Long: where a test is not about time, a busy machine must not matter.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A run of a plugin to be made.
#[derive(Clone, Debug)]
pub struct Trial {
    plugin: String,
    config: PluginConfig,
    timeout: Duration,
    allow: Vec<String>,
    grants_targets: bool,
    state: StateSpace,
    /// What outlives a delivery, where something does.
    kept: Option<Arc<Mutex<StateSpace>>>,
}

impl Trial {
    /// A run of the bundled `plugin` with `config`, a JSON object.
    ///
    /// # Panics
    ///
    /// If `config` is no JSON.
    pub fn new(plugin: &str, config: &str) -> Self {
        let json = match serde_json::from_str(config) {
            Ok(json) => json,
            Err(error) => panic!("{config}: {error}"),
        };
        Self {
            plugin: plugin.to_owned(),
            config: PluginConfig::from_json(json, Vec::new()),
            timeout: TIMEOUT,
            allow: Vec::new(),
            grants_targets: true,
            state: StateSpace::new(),
            kept: None,
        }
    }

    /// A run of an example below `examples/plugins`, by the name of its crate with
    /// underscores, as `cargo xtask test` builds it.
    ///
    /// # Panics
    ///
    /// If `config` is no JSON.
    pub fn example(name: &str, config: &str) -> Self {
        // From the folder of those that are bundled.
        let built = format!("../examples/wasm32-wasip2/debug/{name}");
        Self::new(&built, config)
    }

    /// With this part of the configuration written as a secret, as by
    /// `{ env = "NAME" }`.
    #[must_use]
    pub fn secret(mut self, secret: &str) -> Self {
        let mut secrets = self.config.secrets().to_vec();
        secrets.extend(Secret::new(secret));
        self.config = PluginConfig::from_json(self.config.json().clone(), secrets);
        self
    }

    /// With this much time.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With a grant beyond those of target and configuration: `host:port`.
    #[must_use]
    pub fn allow(mut self, pattern: impl Into<String>) -> Self {
        self.allow.push(pattern.into());
        self
    }

    /// Without the grants of target and configuration.
    #[must_use]
    pub fn ungranted(mut self) -> Self {
        self.grants_targets = false;
        self
    }

    /// With what an earlier run kept.
    #[must_use]
    pub fn state(mut self, state: StateSpace) -> Self {
        self.state = state;
        self
    }

    /// With a state space that outlives each delivery, as a channel's does; else
    /// every one begins with nothing.
    #[must_use]
    pub fn remembering(mut self) -> Self {
        self.kept = Some(Arc::default());
        self
    }

    /// Checks `target` once; the error is what the schema has against the
    /// configuration.
    pub async fn check(&self, target: &str) -> Result<Run<CheckOutcome>, String> {
        let plugin = load(&self.plugin).await;
        let check = Check {
            context: self.context(&plugin, Some(target))?,
            monitor: "service/monitor".to_owned(),
            target: target.to_owned(),
        };
        Ok(plugin.check(check).await)
    }

    /// Delivers `notice` once; the error is what the schema has against the
    /// configuration.
    pub async fn deliver(&self, notice: Notice) -> Result<Run<NotifyOutcome>, String> {
        let plugin = load(&self.plugin).await;
        let mut context = self.context(&plugin, None)?;
        if let Some(kept) = &self.kept {
            let kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            context.state.clone_from(&kept);
        }
        let run = plugin.notify(Notify { context, notice }).await;
        if let (Some(kept), Some(after)) = (&self.kept, &run.state) {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.clone_from(after);
        }
        Ok(run)
    }

    /// As [`Trial::check`], in words; a refusal begins with `refused: `.
    pub async fn check_in_words(&self, target: &str) -> String {
        match self.check(target).await {
            Ok(run) => of_check(&run.outcome),
            Err(problems) => format!("refused: {problems}"),
        }
    }

    /// As [`Trial::deliver`], in words; a refusal begins with `refused: `.
    pub async fn deliver_in_words(&self, notice: Notice) -> String {
        match self.deliver(notice).await {
            Ok(run) => of_delivery(&run.outcome),
            Err(problems) => format!("refused: {problems}"),
        }
    }

    fn context(&self, plugin: &Plugin, target: Option<&str>) -> Result<Context, String> {
        let description = plugin.description();
        let schema = PluginSchema::new(&description.schema).map_err(|error| error.to_string())?;
        let problems = schema.check(&self.config);
        if !problems.is_empty() {
            let lines: Vec<String> = problems
                .iter()
                .map(|problem| format!("{}: {}", problem.key, problem.what))
                .collect();
            return Err(lines.join("; "));
        }
        let mut grants = Grants::new();
        if self.grants_targets {
            let uris = schema.uris(&self.config);
            for address in target.into_iter().chain(uris.iter().map(String::as_str)) {
                // What names no host grants none, as in the daemon.
                _ = grants.grant_url(address).is_ok();
            }
        }
        let allow = self.allow.iter().map(|pattern| {
            pattern
                .parse()
                .expect("a test writes patterns that can be read")
        });
        description
            .hosts
            .iter()
            .cloned()
            .chain(allow)
            .for_each(|pattern| grants.grant(pattern));
        let write_only = schema.write_only(&self.config);
        let secrets = self.config.secrets().iter().chain(&write_only);
        Ok(Context {
            label: "service/monitor".to_owned(),
            config: self.config.json().to_string().into(),
            grants: Arc::new(grants),
            policy: Arc::new(AddressPolicy::for_config_targets(Vec::new())),
            limits: Limits::default(),
            timeout: self.timeout,
            secrets: Scrubber::new(secrets.map(|secret| secret.expose().to_owned())),
            state: self.state.clone(),
        })
    }
}
