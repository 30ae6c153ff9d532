//! What a plugin asks for, and what of it it gets.
//!
//! The ways out that it asks for are always granted, each to the hosts that are:
//! those of its monitors' targets and of URLs in its configuration, which it need
//! not ask for. Hosts beyond those are granted to bundled plugins, and to others
//! by `allow`.

use serde_json::{Value, json};
use watchkeeper_config::config::{PluginName, Plugins as Settings};
use watchkeeper_egress::grants::HostPattern;
use watchkeeper_sandbox::{Capability, Description};

use crate::plugins::Origin;

/// What one plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asking {
    plugin: String,
    capabilities: Vec<Capability>,
    /// The hosts that it asks for, and whether it gets each.
    hosts: Vec<(HostPattern, bool)>,
    /// What it may reach beyond what it asks for.
    unasked: Vec<HostPattern>,
}

impl Asking {
    /// What the plugin that describes itself so asks for, and what `settings`
    /// grant of it.
    pub(crate) fn of(description: &Description, origin: &Origin, settings: &Settings) -> Self {
        let allowed: Vec<HostPattern> = PluginName::new(description.name.as_str())
            .map(|name| {
                let allowed = settings.allowed(&name).iter();
                allowed
                    .filter_map(|pattern| pattern.as_str().parse().ok())
                    .collect()
            })
            .unwrap_or_default();
        Self::with(description, *origin == Origin::Bundled, &allowed)
    }

    /// What it asks for where nothing was configured.
    pub(crate) fn unconfigured(description: &Description, origin: &Origin) -> Self {
        Self::with(description, *origin == Origin::Bundled, &[])
    }

    fn with(description: &Description, bundled: bool, allowed: &[HostPattern]) -> Self {
        let granted = |host: &HostPattern| bundled || allowed.iter().any(|own| own.covers(host));
        let hosts: Vec<_> = description
            .hosts
            .iter()
            .map(|host| (host.clone(), granted(host)))
            .collect();
        let unasked = allowed
            .iter()
            .filter(|own| !description.hosts.iter().any(|host| own.covers(host)))
            .cloned()
            .collect();
        Self {
            plugin: description.name.to_string(),
            capabilities: description.asks.clone(),
            hosts,
            unasked,
        }
    }

    /// All that it asks for, in a few words.
    pub(crate) fn asked(&self) -> String {
        self.in_words(self.hosts.iter().map(|(host, _)| host))
    }

    /// What of it it gets, and what else was allowed, in a few words.
    pub(crate) fn granted(&self) -> String {
        let hosts = self.hosts.iter().filter(|(_, granted)| *granted);
        self.in_words(hosts.map(|(host, _)| host).chain(&self.unasked))
    }

    /// The hosts that it asks for and does not get, in a few words; empty where
    /// it gets them all.
    pub(crate) fn denied(&self) -> String {
        let denied: Vec<_> = self.refused().map(ToString::to_string).collect();
        denied.join(", ")
    }

    /// What to write into the configuration for it to get all.
    pub(crate) fn remedy(&self) -> Option<String> {
        let wanted: Vec<_> = self.refused().map(|host| format!("\"{host}\"")).collect();
        if wanted.is_empty() {
            return None;
        }
        // What was allowed before must not be forgotten by whoever copies this.
        let kept = self
            .hosts
            .iter()
            .filter(|(_, granted)| *granted)
            .map(|(host, _)| host)
            .chain(&self.unasked)
            .map(|host| format!("\"{host}\""));
        let all: Vec<_> = kept.chain(wanted).collect();
        Some(format!(
            "[plugins.{}]\nallow = [{}]",
            self.plugin,
            all.join(", ")
        ))
    }

    /// The same for programs.
    pub(crate) fn as_json(&self) -> Value {
        let names: Vec<_> = self.capabilities.iter().map(|each| each.as_str()).collect();
        let hosts = |wanted: Option<bool>| -> Vec<String> {
            let asked = self.hosts.iter();
            asked
                .filter(|(_, granted)| wanted.is_none_or(|wanted| wanted == *granted))
                .map(|(host, _)| host.to_string())
                .collect()
        };
        let unasked: Vec<_> = self.unasked.iter().map(ToString::to_string).collect();
        json!({
            "asked": { "capabilities": names, "hosts": hosts(None) },
            "granted": { "capabilities": names, "hosts": hosts(Some(true)), "beyond": unasked },
            "denied": { "hosts": hosts(Some(false)), "remedy": self.remedy() },
        })
    }

    fn refused(&self) -> impl Iterator<Item = &HostPattern> {
        let refused = self.hosts.iter().filter(|(_, granted)| !granted);
        refused.map(|(host, _)| host)
    }

    fn in_words<'a>(&self, hosts: impl Iterator<Item = &'a HostPattern>) -> String {
        let capabilities = self.capabilities.iter().map(ToString::to_string);
        let words: Vec<_> = capabilities.chain(hosts.map(ToString::to_string)).collect();
        if words.is_empty() {
            "nothing".to_owned()
        } else {
            words.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(bundled: bool, allowed: &[&str]) -> Asking {
        let hosts = ["api.example.com:443", "*.cdn.example.com:443"];
        let hosts: Vec<HostPattern> = hosts.iter().map(|host| host.parse().unwrap()).collect();
        let allowed: Vec<HostPattern> = allowed.iter().map(|host| host.parse().unwrap()).collect();
        let description = Description {
            name: watchkeeper_sandbox::PluginName::new("queue").unwrap(),
            version: "1.0.0".parse().unwrap(),
            summary: String::new(),
            schema: json!({}),
            asks: vec![Capability::Http, Capability::Dns],
            hosts,
        };
        Asking::with(&description, bundled, &allowed)
    }

    #[test]
    fn hosts_are_denied_until_they_are_allowed() {
        let none = asking(false, &[]);
        assert_eq!(
            none.asked(),
            "http, dns, api.example.com:443, *.cdn.example.com:443"
        );
        assert_eq!(none.granted(), "http, dns");
        assert_eq!(none.denied(), "api.example.com:443, *.cdn.example.com:443");
        assert_eq!(
            none.remedy().unwrap(),
            "[plugins.queue]\nallow = [\"api.example.com:443\", \"*.cdn.example.com:443\"]"
        );
        let some = asking(false, &["*.example.com:*", "db.internal:5432"]);
        assert_eq!(some.denied(), "");
        assert_eq!(some.remedy(), None);
        assert_eq!(
            some.granted(),
            "http, dns, api.example.com:443, *.cdn.example.com:443, db.internal:5432"
        );
        let one = asking(false, &["api.example.com:443", "db.internal:5432"]);
        assert_eq!(
            one.remedy().unwrap(),
            "[plugins.queue]\nallow = [\"api.example.com:443\", \"db.internal:5432\", \"*.cdn.example.com:443\"]"
        );
        assert_eq!(asking(true, &[]).denied(), "");
    }
}
