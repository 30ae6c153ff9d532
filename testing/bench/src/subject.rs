//! A sandbox with a plugin in it, ready to be measured.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use watchkeeper_egress::address::AddressPolicy;
use watchkeeper_egress::grants::Grants;
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_egress::tls::Tls;
use watchkeeper_sandbox::{
    Check, CheckOutcome, Context, Limits, Plugin, Run, Sandbox, Scrubber, Settings, StateSpace,
    Verdict,
};

use crate::places::Places;

/// How many checks the sandbox has room for: as many as the daemon by default.
const CONCURRENCY: usize = 8_000;

/// The monitor that everything is checked for.
pub(crate) const MONITOR: &str = "bench/monitor";

/// A plugin and the check that it makes again and again.
#[derive(Clone)]
pub(crate) struct Subject {
    plugin: Plugin,
    check: Check,
}

impl Subject {
    /// Loads `component` into a sandbox of its own, set up as the daemon's is. What
    /// names a host in `target` is granted.
    pub(crate) async fn load(
        places: &Places,
        component: Vec<u8>,
        target: &str,
    ) -> anyhow::Result<Self> {
        let resolver = Resolver::new(ResolverOptions::default())?;
        let settings = Settings {
            cache: Some(places.results.join("cache")),
            concurrency: CONCURRENCY,
            ..Settings::new(resolver, Tls::new(Vec::new())?)
        };
        let plugin = Sandbox::new(settings)?
            .load(component)
            .await
            .context("the component is no plugin")?;
        let mut grants = Grants::new();
        if target.contains("://") {
            grants.grant_url(target)?;
        }
        let context = Context {
            label: MONITOR.to_owned(),
            config: "{}".into(),
            grants: Arc::new(grants),
            policy: Arc::new(AddressPolicy::for_config_targets(Vec::new())),
            limits: Limits::default(),
            timeout: Duration::from_secs(10),
            secrets: Scrubber::default(),
            state: StateSpace::new(),
        };
        let check = Check {
            context,
            monitor: MONITOR.to_owned(),
            target: target.to_owned(),
        };
        Ok(Self { plugin, check })
    }

    /// With this configuration, a JSON object.
    pub(crate) fn configured(mut self, config: &str) -> Self {
        self.check.context.config = config.into();
        self
    }

    /// Checks once. Anything but healthy is an error: it would be cheaper.
    pub(crate) async fn check(&self) -> anyhow::Result<Run<CheckOutcome>> {
        let run = self.plugin.check(self.check.clone()).await;
        match &run.outcome {
            CheckOutcome::Reading(reading) if reading.verdict == Verdict::Healthy => Ok(run),
            other => bail!("the check found {other:?}"),
        }
    }
}
