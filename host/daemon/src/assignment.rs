//! Who checks what with which grants: the configuration joined with the shelf.
//!
//! Made anew whenever one of the two changes, so that a run in flight keeps
//! what it started with.

mod advice;
mod reach;
mod validation;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_config::config::{Channel, PluginName};
use watchkeeper_config::items::Made;
use watchkeeper_config::limits::LimitOverrides;
use watchkeeper_config::monitor::{Monitor, ProbeChoice, scheme};
use watchkeeper_config::place::{Place, Position};
use watchkeeper_config::plugin_config::{PluginConfig, PluginSchema};
use watchkeeper_config::{Config, Problem, Problems};
use watchkeeper_egress::address::{AddressPolicy, PrivateAddresses};
use watchkeeper_egress::grants::{Grants, HostPattern};
use watchkeeper_engine::attempts::Plan;
use watchkeeper_engine::id::{ChannelId, MonitorId, MonitorName, ServiceId, TargetId};
use watchkeeper_engine::monitor::{Combine, Weight};
use watchkeeper_engine::target::TargetRules;
use watchkeeper_sandbox::{
    Check, CheckOutcome, Context, Kind, Limits, Notice, Notify, NotifyOutcome, Plugin, Run,
    Scrubber, StateSpace,
};

use crate::plugins::{Entry, Origin, Shelf};
use crate::templating::Words;
use crate::trust::Vouch;

pub(crate) use validation::validate;

/// The configuration, with a plugin for everything that one was found for.
pub(crate) struct Assignments {
    pub(crate) config: Config,
    /// In the order of the configuration.
    pub(crate) monitors: Vec<Arc<Assigned>>,
    /// The canaries, each a monitor of its own.
    pub(crate) canaries: Vec<Arc<Assigned>>,
    pub(crate) channels: HashMap<ChannelId, Arc<AssignedChannel>>,
    /// What deserves a look though it works, a line each.
    pub(crate) advice: Vec<String>,
}

/// A monitor and its probe.
pub(crate) struct Assigned {
    pub(crate) monitor: Monitor,
    /// Never used where the monitor is passive.
    pub(crate) plugin: Ready,
}

impl Assigned {
    /// How long one run can take, repetitions included.
    pub(crate) fn longest_run(&self) -> Duration {
        self.monitor.plan.longest(self.monitor.timeout)
    }

    /// Whether a check would run otherwise than by `other`.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        let sha = |ready: &Ready| match ready {
            Ready::Use(usable) => Some(usable.plugin.sha256_hex()),
            Ready::Missing(_) => None,
        };
        self.monitor != other.monitor || sha(&self.plugin) != sha(&other.plugin)
    }
}

/// A channel and its notifier.
pub(crate) struct AssignedChannel {
    pub(crate) timeout: Duration,
    /// How it words its notices.
    pub(crate) words: Words,
    pub(crate) plugin: Ready,
}

/// A plugin ready to run, or why there is none.
pub(crate) enum Ready {
    Use(Box<Usable>),
    Missing(Arc<str>),
}

/// A plugin with its configuration, grants and limits.
pub(crate) struct Usable {
    pub(crate) plugin: Plugin,
    schema: Arc<PluginSchema>,
    config: Arc<str>,
    grants: Arc<Grants>,
    policy: Arc<AddressPolicy>,
    limits: Limits,
    secrets: Scrubber,
}

impl Usable {
    /// Checks `target` once, by hand.
    pub(crate) async fn try_check(
        &self,
        target: &str,
        timeout: Duration,
        state: StateSpace,
    ) -> Run<CheckOutcome> {
        let context = self.context("trial".to_owned(), timeout, state);
        let check = Check {
            context,
            monitor: "trial/trial".to_owned(),
            target: target.to_owned(),
        };
        self.plugin.check(check).await
    }

    /// Checks `target` once.
    pub(crate) async fn check(
        &self,
        monitor: &Monitor,
        target: &str,
        state: StateSpace,
    ) -> Run<CheckOutcome> {
        let context = self.context(monitor.id.to_string(), monitor.timeout, state);
        let check = Check {
            context,
            monitor: monitor.id.to_string(),
            target: target.to_owned(),
        };
        self.plugin.check(check).await
    }

    /// Delivers `notice` once.
    pub(crate) async fn notify(
        &self,
        channel: &str,
        timeout: Duration,
        notice: Notice,
        state: StateSpace,
    ) -> Run<NotifyOutcome> {
        let context = self.context(channel.to_owned(), timeout, state);
        self.plugin.notify(Notify { context, notice }).await
    }

    fn context(&self, label: String, timeout: Duration, state: StateSpace) -> Context {
        Context {
            label,
            config: Arc::clone(&self.config),
            grants: Arc::clone(&self.grants),
            policy: Arc::clone(&self.policy),
            limits: self.limits.clone(),
            timeout,
            secrets: self.secrets.clone(),
            state,
        }
    }
}

impl Assignments {
    /// Monitors and channels that cannot run, and why.
    pub(crate) fn without_plugin(&self) -> impl Iterator<Item = (String, &str)> {
        fn why(ready: &Ready) -> Option<&str> {
            match ready {
                Ready::Missing(why) => Some(why),
                Ready::Use(_) => None,
            }
        }
        let monitors = self.monitors.iter().chain(&self.canaries);
        let asking = monitors.filter(|each| each.monitor.passive.is_none());
        let monitors = asking.filter_map(move |each| {
            Some((format!("monitor {}", each.monitor.id), why(&each.plugin)?))
        });
        let channels = self
            .channels
            .iter()
            .filter_map(move |(id, each)| Some((format!("channel {id}"), why(&each.plugin)?)));
        monitors.chain(channels)
    }
}

/// A plugin that is tried out by hand.
pub(crate) struct Trial {
    pub(crate) plugin: Plugin,
    pub(crate) schema: Arc<PluginSchema>,
    pub(crate) origin: Origin,
    pub(crate) config: PluginConfig,
    /// Grants beyond those of target and configuration.
    pub(crate) allow: Vec<HostPattern>,
    pub(crate) target: Option<String>,
}

impl Trial {
    /// What it would run with if it were configured so.
    pub(crate) fn ready(&self) -> Ready {
        let policy = Arc::new(AddressPolicy::for_config_targets(Vec::new()));
        let entry = Entry {
            plugin: self.plugin.clone(),
            schema: Arc::clone(&self.schema),
            origin: self.origin.clone(),
            vouch: Vouch::default(),
        };
        let targets: Vec<&str> = self.target.iter().map(String::as_str).collect();
        let limits = Limits::default();
        match ready(&entry, &self.config, &targets, &self.allow, limits, &policy) {
            Ok(usable) => Ready::Use(Box::new(usable)),
            Err(problems) => Ready::Missing(Problems::from(problems).to_string().into()),
        }
    }
}

/// Joins `config` and `shelf`. What the plugins' schemas say against the
/// configuration is returned beside it; a monitor concerned has no plugin.
pub(crate) fn assign(
    config: &Config,
    shelf: &Shelf,
    own_listeners: &[SocketAddr],
) -> (Assignments, Vec<Problem>) {
    let mut problems = Vec::new();
    let of_files = Arc::new(AddressPolicy::for_config_targets(own_listeners.to_vec()));
    let of_api = if config.server.api_private_targets {
        Arc::clone(&of_files)
    } else {
        Arc::new(AddressPolicy::for_api_targets(own_listeners.to_vec()))
    };
    let mut joiner = Joiner {
        config,
        shelf,
        of_files,
        of_api,
        problems: &mut problems,
    };
    let monitors = config
        .monitors()
        .map(|monitor| joiner.monitor(monitor))
        .collect();
    let canaries = joiner.canaries();
    let channels = config
        .channels
        .iter()
        .map(|channel| (channel.id.clone(), Arc::new(joiner.channel(channel))))
        .collect();
    let mut assignments = Assignments {
        config: config.clone(),
        monitors,
        canaries,
        channels,
        advice: Vec::new(),
    };
    assignments.advice = advice::of(&assignments, shelf);
    (assignments, problems)
}

/// How long a canary may take: whoever doubts a dead reading waits for it.
const CANARY_TIMEOUT: Duration = Duration::from_secs(3);

/// A canary as a monitor: its readings are taken as they are.
fn canary(id: MonitorId, target: TargetId, every: Duration) -> Monitor {
    Monitor {
        label: id.name().as_str().into(),
        made: Made::File,
        id,
        description: None,
        private: false,
        tags: [].into(),
        sla: None,
        probe: ProbeChoice::ByScheme,
        targets: [target].into(),
        passive: None,
        every,
        timeout: CANARY_TIMEOUT,
        plan: Plan::default(),
        rules: TargetRules::default(),
        combine: Combine::default(),
        weight: Weight::default(),
        depends_on: [].into(),
        limits: LimitOverrides::default(),
        config: PluginConfig::from_json(serde_json::json!({}), Vec::new()),
        position: Position(Place {
            file: "[self]".into(),
            line: 1,
            column: 1,
        }),
    }
}

/// The service that canaries are monitors of. Configured identifiers may be
/// called so too: canaries are never looked up by identifier.
const CANARY: &str = "self";

/// Whose plugin is made ready.
#[derive(Clone, Copy)]
struct Owner<'a> {
    made: Made,
    position: &'a Position,
}

struct Joiner<'a> {
    config: &'a Config,
    shelf: &'a Shelf,
    /// Which addresses what stands in files may reach.
    of_files: Arc<AddressPolicy>,
    /// Which addresses what was made through the API may reach.
    of_api: Arc<AddressPolicy>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Joiner<'a> {
    fn monitor(&mut self, monitor: &Monitor) -> Arc<Assigned> {
        let plugin = self.probe(monitor);
        Arc::new(Assigned {
            monitor: monitor.clone(),
            plugin,
        })
    }

    fn probe(&mut self, monitor: &Monitor) -> Ready {
        if let Some(passive) = &monitor.passive {
            let why = format!("`{}` monitors are told and have no probe", passive.as_str());
            return Ready::Missing(why.into());
        }
        let entry = match self.find_probe(monitor) {
            Ok(entry) => entry,
            Err(why) => return Ready::Missing(why.into()),
        };
        let targets: Vec<&str> = monitor.targets.iter().map(TargetId::address).collect();
        let owner = Owner {
            made: monitor.made,
            position: &monitor.position,
        };
        self.ready(owner, entry, &monitor.config, &monitor.limits, &targets)
    }

    fn find_probe(&self, monitor: &Monitor) -> Result<&'a Entry, String> {
        let targets = monitor.targets.iter().map(TargetId::address);
        probe_for(self.shelf, &monitor.probe, targets)
    }

    fn channel(&mut self, channel: &Channel) -> AssignedChannel {
        let plugin = match named(self.shelf, &channel.notifier) {
            Ok(entry) if *entry.plugin.kind() == Kind::Notifier => {
                let owner = Owner {
                    made: channel.made,
                    position: &channel.position,
                };
                self.ready(owner, entry, &channel.config, &channel.limits, &[])
            }
            Ok(_) => {
                Ready::Missing(format!("`{}` is a probe, not a notifier", channel.notifier).into())
            }
            Err(why) => Ready::Missing(why.into()),
        };
        AssignedChannel {
            timeout: channel.timeout,
            words: Words {
                title: channel.title.clone(),
                body: channel.body.clone(),
                zone: Some(self.config.page.time_zone.clone()),
            },
            plugin,
        }
    }

    fn canaries(&mut self) -> Vec<Arc<Assigned>> {
        let Some(check) = &self.config.self_check else {
            return Vec::new();
        };
        let canaries = check
            .canaries
            .iter()
            .zip(1_u32..)
            .filter_map(|(address, number)| {
                let service = ServiceId::new(CANARY).ok()?;
                let name = MonitorName::new(&format!("canary-{number}")).ok()?;
                let id = MonitorId::new(service, name);
                let target = TargetId::new(id.clone(), address);
                Some(canary(id, target, check.every))
            });
        let canaries: Vec<Monitor> = canaries.collect();
        canaries.iter().map(|canary| self.monitor(canary)).collect()
    }

    fn ready(
        &mut self,
        owner: Owner<'_>,
        entry: &Entry,
        config: &PluginConfig,
        limits: &LimitOverrides,
        targets: &[&str],
    ) -> Ready {
        let name = PluginName::new(entry.plugin.description().name.as_str()).ok();
        let allowed = name
            .iter()
            .flat_map(|name| self.config.plugins.allowed(name));
        let allow: Vec<_> = allowed
            .filter_map(|pattern| pattern.as_str().parse().ok())
            .collect();
        let policy = match owner.made {
            Made::File => &self.of_files,
            Made::Api => &self.of_api,
        };
        if policy.private == PrivateAddresses::Refused
            && let Some(private) = reach::private_among(targets, &entry.schema, config)
        {
            let key = if targets.is_empty() {
                "config"
            } else {
                "targets"
            };
            let problem = reach::refusal(&private, key, owner.position);
            let why = problem.what.clone();
            self.problems.push(problem);
            return Ready::Missing(why.into());
        }
        let limits = match &name {
            Some(name) => self.config.plugins.limits_for(name, limits),
            None => limits.or(self.config.plugins.limits),
        };
        match ready(
            entry,
            config,
            targets,
            &allow,
            with_overrides(&limits),
            policy,
        ) {
            Ok(usable) => Ready::Use(Box::new(usable)),
            Err(problems) => {
                let first = problems
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                let first = first.lines().next().unwrap_or_default();
                let why = format!("its configuration does not fit the plugin: {first}");
                self.problems.extend(problems);
                Ready::Missing(why.into())
            }
        }
    }
}

/// The probe that `choice` means for these targets, or why there is none.
pub(crate) fn probe_for<'s, 't>(
    shelf: &'s Shelf,
    choice: &ProbeChoice,
    targets: impl Iterator<Item = &'t str>,
) -> Result<&'s Entry, String> {
    match choice {
        ProbeChoice::Named(name) => {
            let entry = named(shelf, name)?;
            match entry.plugin.kind() {
                Kind::Probe { .. } => Ok(entry),
                Kind::Notifier => Err(format!("`{name}` is a notifier, not a probe")),
            }
        }
        ProbeChoice::ByScheme => {
            let schemes = targets.filter_map(scheme);
            let mut found: Option<&Entry> = None;
            for scheme in schemes {
                let lower = scheme.to_ascii_lowercase();
                let entry = shelf.by_scheme(&lower).ok_or_else(|| {
                    if shelf.is_coming_for(&lower) {
                        format!("the probe for `{scheme}` targets is still being loaded")
                    } else {
                        format!("no probe judges `{scheme}` targets")
                    }
                })?;
                match found {
                    Some(other) if other.plugin.sha256_hex() != entry.plugin.sha256_hex() => {
                        return Err(
                            "its targets' schemes belong to different probes: make two monitors, or name the probe".to_owned(),
                        );
                    }
                    _ => found = Some(entry),
                }
            }
            found.ok_or_else(|| "its targets have no scheme: name the probe".to_owned())
        }
    }
}

fn named<'s>(shelf: &'s Shelf, name: &PluginName) -> Result<&'s Entry, String> {
    shelf.get(name.as_str()).ok_or_else(|| {
        if shelf.coming.contains(name.as_str()) {
            format!("`{name}` is still being loaded")
        } else {
            format!("no plugin is called `{name}`: put its file into the plugins folder")
        }
    })
}

/// What `entry` runs with, or what its schema says against `config`.
fn ready(
    entry: &Entry,
    config: &PluginConfig,
    targets: &[&str],
    allow: &[HostPattern],
    limits: Limits,
    policy: &Arc<AddressPolicy>,
) -> Result<Usable, Vec<Problem>> {
    let description = entry.plugin.description();
    let problems = entry.schema.check(config);
    if !problems.is_empty() {
        return Err(problems);
    }
    let mut grants = Grants::new();
    let uris = entry.schema.uris(config);
    for address in targets
        .iter()
        .copied()
        .chain(uris.iter().map(String::as_str))
    {
        // A target or URI that names no host grants none: what it means is the
        // plugin's business.
        _ = grants.grant_url(address);
    }
    let own = if entry.origin == Origin::Bundled {
        description.hosts.as_slice()
    } else {
        &[]
    };
    own.iter()
        .chain(allow)
        .for_each(|pattern| grants.grant(pattern.clone()));
    let write_only = entry.schema.write_only(config);
    let secrets = config
        .secrets()
        .iter()
        .chain(&write_only)
        .map(|secret| secret.expose().to_owned());
    Ok(Usable {
        plugin: entry.plugin.clone(),
        schema: Arc::clone(&entry.schema),
        config: config.json().to_string().into(),
        grants: Arc::new(grants),
        policy: Arc::clone(policy),
        limits,
        secrets: Scrubber::new(secrets),
    })
}

/// The sandbox's own limits where nothing was configured.
fn with_overrides(overrides: &LimitOverrides) -> Limits {
    let own = Limits::default();
    let count = |wanted: u32| usize::try_from(wanted).unwrap_or(usize::MAX);
    let bytes = |wanted: Option<u64>, own: usize| {
        wanted.map_or(own, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX))
    };
    Limits {
        memory: bytes(overrides.memory, own.memory),
        cpu: overrides.cpu.unwrap_or(own.cpu),
        log_lines: overrides.log_lines.map_or(own.log_lines, count),
        connections: overrides.connections.map_or(own.connections, count),
        body: overrides.body.unwrap_or(own.body),
        traffic: overrides.traffic.unwrap_or(own.traffic),
        ..own
    }
}
