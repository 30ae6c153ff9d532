//! What a configuration asks of the plugins, told before any of them is compiled.

use std::collections::BTreeSet;
use std::sync::Arc;

use watchkeeper_config::Config;
use watchkeeper_config::config::Plugins as Settings;
use watchkeeper_config::monitor::{Monitor, ProbeChoice, scheme};

use crate::bundled;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Demand {
    /// Where they lie, and what is demanded of them.
    pub(crate) settings: Arc<Settings>,
    /// The bundled ones that monitors, canaries or channels run, unless a file of
    /// the folder takes their place.
    pub(crate) used: BTreeSet<&'static str>,
}

impl Demand {
    /// What `config` asks.
    pub(crate) fn of(config: &Config) -> Self {
        let asking = config.monitors().filter(|each| each.passive.is_none());
        let probes = asking.flat_map(probes);
        let canaries = config
            .self_check
            .iter()
            .flat_map(|check| check.canaries.iter());
        let canaries = canaries.flat_map(|address| judges(address));
        let notifiers = config.channels.iter();
        let notifiers = notifiers.filter_map(|channel| named(channel.notifier.as_str()));
        Self {
            settings: Arc::clone(&config.plugins),
            used: probes.chain(canaries).chain(notifiers).collect(),
        }
    }
}

fn probes(monitor: &Monitor) -> Vec<&'static str> {
    match &monitor.probe {
        ProbeChoice::Named(name) => named(name.as_str()).into_iter().collect(),
        ProbeChoice::ByScheme => {
            let targets = monitor.targets.iter();
            targets.flat_map(|each| judges(each.address())).collect()
        }
    }
}

fn named(name: &str) -> Option<&'static str> {
    bundled::names().find(|each| *each == name)
}

fn judges(address: &str) -> Vec<&'static str> {
    let scheme = scheme(address).map(str::to_ascii_lowercase);
    scheme
        .map(|scheme| bundled::by_scheme(&scheme).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_is_used_and_nothing_else() {
        let text = r#"
[self]
canaries = ["tcp://192.0.2.1:53"]

[[service]]
id = "s"

[[service.monitor]]
id = "by-scheme"
targets = ["HTTPS://a.example/", "http://b.example/"]

[[service.monitor]]
id = "named"
probe = "rabbitmq"
targets = ["http://c.example/"]

[[service.monitor]]
id = "of-the-folder"
probe = "nobody-knows"
targets = ["dns://d.example"]

[[service.monitor]]
id = "told"
passive = "manual"

[[channel]]
id = "hook"
notifier = "webhook"
config = { url = "https://hook.example/" }
"#;
        let loaded =
            watchkeeper_config::load_texts(vec![("t.toml".to_owned(), text.to_owned())], &|_| None);
        let config = loaded
            .unwrap_or_else(|problems| panic!("{problems}"))
            .config;
        let used = Demand::of(&config).used;
        assert_eq!(used, BTreeSet::from(["http", "rabbitmq", "tcp", "webhook"]));
    }
}
