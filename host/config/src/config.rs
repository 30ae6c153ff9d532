//! What the program runs on: validated, complete, every default filled in.
//!
//! Two configurations are equal if they mean the same, wherever their lines
//! stand, so that a reload can tell what changed.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use watchkeeper_engine::dependencies::Dependencies;
use watchkeeper_engine::id::{ChannelId, MonitorId, RouteId, ServiceId};
use watchkeeper_engine::incident;
use watchkeeper_engine::pacing::Rate;
use watchkeeper_engine::reminding::Plan;
use watchkeeper_engine::telling::Interest;

use crate::hours::Hours;
use crate::items::Made;
use crate::limits::LimitOverrides;
use crate::maintenance::Maintenance;
use crate::monitor::Monitor;
use crate::place::Position;
use crate::plugin_config::PluginConfig;
use crate::secret::Secret;
use crate::sla::Sla;
use crate::template::Template;

/// A whole configuration. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the host listens and keeps its data.
    pub server: Server,
    /// What the status page says of its owner.
    pub page: Page,
    /// Where plugins are found and what they may do.
    pub plugins: Arc<Plugins>,
    /// How the host reaches targets.
    pub network: Network,
    /// How the host notices that its own network is gone; none if it is not
    /// asked to.
    pub self_check: Option<SelfCheck>,
    /// Whom the host calls while it works; none if nobody.
    pub dead_man: Option<DeadMan>,
    /// How incidents open and end by themselves.
    pub incidents: Incidents,
    /// Where the page is written as files; none if nowhere.
    pub publish: Option<Publish>,
    /// What speaks to the host as it spoke to Vigil.
    pub vigil: Vigil,
    /// The services, in the order of the files.
    pub services: Arc<[Service]>,
    /// The channels, in the order of the files.
    pub channels: Arc<[Channel]>,
    /// The routes, in the order of the files.
    pub routes: Arc<[Route]>,
    /// What the files plan, in their order.
    pub maintenances: Arc<[Maintenance]>,
    /// Which monitors need which others.
    pub dependencies: Arc<Dependencies>,
}

impl Config {
    /// Every monitor, in the order of the files.
    pub fn monitors(&self) -> impl Iterator<Item = &Monitor> {
        self.services
            .iter()
            .flat_map(|service| service.monitors.iter())
    }

    /// The service `id`.
    pub fn service(&self, id: &ServiceId) -> Option<&Service> {
        self.services.iter().find(|service| service.id == *id)
    }

    /// The monitor `id`.
    pub fn monitor(&self, id: &MonitorId) -> Option<&Monitor> {
        self.service(id.service())?
            .monitors
            .iter()
            .find(|monitor| monitor.id == *id)
    }

    /// The channel `id`.
    pub fn channel(&self, id: &ChannelId) -> Option<&Channel> {
        self.channels.iter().find(|channel| channel.id == *id)
    }
}

/// Where the host listens and keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The address of the pages below `/admin`; none: they are where the status page
    /// is.
    pub admin_listen: Option<SocketAddr>,
    /// The folder of databases and caches.
    pub data: PathBuf,
    /// The page's address for links in notices, without a slash at its end;
    /// none: the address that the host listens on, which is known once it does.
    pub public_url: Option<Arc<str>>,
    /// How many visitors of one address may follow the page live, 1 to 2,000.
    pub followers_per_address: usize,
    /// Whether what was made through the API may reach private and loopback
    /// addresses.
    pub api_private_targets: bool,
}

/// What the status page says of its owner.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The page's title.
    pub title: Arc<str>,
    /// Whose page it is.
    pub company: Option<Arc<str>>,
    /// One sentence below the title.
    pub description: Option<Arc<str>>,
    /// The owner's own site, an `http` or `https` URL.
    pub website: Option<Arc<str>>,
    /// Where to ask for help: an `http`, `https` or `mailto` URL.
    pub support: Option<Arc<str>>,
    /// What readers are asked for; none: everybody may read it.
    pub password: Option<Secret>,
    /// Whether everyone may see how well promises are kept.
    pub sla: bool,
    /// The time zone of times on the page and in notices, and of periods.
    pub time_zone: TimeZone,
    /// The codes of the languages that the page is offered in, first the one for
    /// those who ask for none of them; at least one.
    pub languages: Arc<[Arc<str>]>,
    /// The picture beside the title.
    pub logo: Option<Picture>,
    /// The icon of browser tabs.
    pub icon: Option<Picture>,
    /// The colours of links and buttons on light and on dark ground, as `#rrggbb`;
    /// text of them can be read there.
    pub colours: Option<[Arc<str>; 2]>,
    /// Links in the footer.
    pub links: Arc<[PageLink]>,
    /// A style sheet that is loaded after the page's own.
    pub custom_css: Option<Arc<str>>,
    /// The pages that may show `/embed` in a frame: origins, or `*` for all.
    pub embed_on: Arc<[Arc<str>]>,
    /// Pages that show some of the services under other names.
    pub others: Arc<[OtherPage]>,
}

/// A page that is shown to browsers that ask for it by its name.
#[derive(Clone, Debug, PartialEq)]
pub struct OtherPage {
    /// The name, in small letters; no two pages have the same.
    pub domain: Arc<str>,
    /// The services that it shows; all where nothing is said.
    pub services: Option<Arc<[ServiceId]>>,
    /// What it says of its owner; it has no other pages.
    pub page: Page,
}

/// A picture of the page, at most 256 KiB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// `image/svg+xml`, `image/png`, `image/jpeg` or `image/webp`.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Arc<[u8]>,
}

/// A link in the footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLink {
    /// Its words.
    pub label: Arc<str>,
    /// An `http`, `https` or `mailto` URL.
    pub url: Arc<str>,
}

/// Where plugins are found and what they may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugins {
    /// The folder that is watched for components.
    pub folder: PathBuf,
    /// The file that says which component files were accepted: `plugins.lock`
    /// beside the configuration's first file.
    pub lock: PathBuf,
    /// Whether only component files that the lock names are loaded.
    pub locked: bool,
    /// Whose signatures count; where there are any, a component file needs one.
    pub trusted_keys: Vec<MinisignKey>,
    /// What holds for every plugin.
    pub limits: LimitOverrides,
    /// What holds for single ones.
    pub named: BTreeMap<PluginName, PluginSettings>,
}

impl Plugins {
    /// The limits for a run of `plugin` where the monitor or channel says
    /// `own`: its own first, then the plugin's, then those of all plugins.
    pub fn limits_for(&self, plugin: &PluginName, own: &LimitOverrides) -> LimitOverrides {
        let of_plugin = self
            .named
            .get(plugin)
            .map_or_else(LimitOverrides::default, |named| named.limits);
        own.or(of_plugin).or(self.limits)
    }

    /// The hosts that `plugin` may reach beyond its default grant.
    pub fn allowed(&self, plugin: &PluginName) -> &[HostPort] {
        self.named.get(plugin).map_or(&[], |named| &named.allow)
    }
}

/// What holds for one plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginSettings {
    /// Hosts that it may reach of those it asks for beyond its default grant.
    pub allow: Vec<HostPort>,
    /// Its limits where they differ from those of all plugins.
    pub limits: LimitOverrides,
    /// Where its table stands.
    pub position: Position,
}

/// A plugin's name: `[a-z][a-z0-9-]{0,39}`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginName(Arc<str>);

impl PluginName {
    /// Checks the grammar; the error says what is wrong with the text.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        if !text.starts_with(|first: char| first.is_ascii_lowercase()) {
            Err("must start with a lower-case letter")
        } else if text.len() > 40 {
            Err("must have at most 40 characters")
        } else if !text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            Err("may only contain lower-case letters, digits and `-`")
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PluginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A host and port that may be reached: `api.example.com:443`, or any name below
/// one: `*.example.com:443`. Lower case. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort(Arc<str>);

impl HostPort {
    /// Checks the grammar; the error says what is wrong with the text.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let (host, port) = text
            .rsplit_once(':')
            .ok_or("must be written as `host:port`, such as `api.example.com:443`")?;
        let number = || {
            port.bytes().all(|b| b.is_ascii_digit()) && port.parse().is_ok_and(|port: u16| port > 0)
        };
        if port != "*" && !number() {
            return Err("the port must be a number from 1 to 65535, or `*` for all of them");
        }
        let address = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        let name = host.strip_prefix("*.").unwrap_or(host);
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let valid = match address {
            Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
            None => name.len() <= 253 && name.split('.').all(is_label),
        };
        if valid {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(
                "the host must be a name, an IPv4 address, an IPv6 address in brackets, or `*.` and a name",
            )
        }
    }

    /// The pair as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A minisign public key as `minisign -G` prints it: 56 characters of base64 that
/// begin with `RW`. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinisignKey(Arc<str>);

impl MinisignKey {
    /// Checks the form; the error says what is wrong with the text. Whether the
    /// 32 bytes in it are a point of the curve is found out when it is used.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        // Two bytes `Ed`, eight of the key's id and 32 of the key: 42 bytes, which
        // fill 56 characters without padding.
        if text.len() == 56 && text.starts_with("RW") && text.bytes().all(is_base64) {
            Ok(Self(text.into()))
        } else {
            Err(
                "must be the second line of a minisign `.pub` file: 56 characters that begin with `RW`",
            )
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MinisignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the host reaches targets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// Name servers to ask; none: those of the system.
    pub resolver: Arc<[SocketAddr]>,
    /// A PEM file of certificate authorities to trust besides the usual ones.
    pub ca_file: Option<PathBuf>,
    /// How many checks may be under way at a time, 1 to 8,000.
    pub concurrency: usize,
}

/// How the host notices that its own network is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfCheck {
    /// Targets that do not fail all at once while the host has a network. At
    /// least one, each with a scheme.
    pub canaries: Arc<[Arc<str>]>,
    /// How often they are checked.
    pub every: Duration,
}

/// Whom the host calls while it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadMan {
    /// An `http` or `https` URL; whoever knows it can call.
    pub url: Secret,
    /// How often: 5 s to 1 h.
    pub every: Duration,
}

/// Where the page is written as files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// The folder.
    pub folder: PathBuf,
    /// How often at most: 1 s to 1 day.
    pub every: Duration,
}

/// How incidents open and end by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incidents {
    /// By what they open and end.
    pub rules: incident::Rules,
    /// How long the link in a notice works by which people acknowledge.
    pub acknowledge_within: Duration,
}

/// What speaks to the host as it spoke to Vigil.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vigil {
    /// The password of reporters and of Vigil Local; without one there is nothing
    /// at their addresses.
    pub reporter_token: Option<Secret>,
    /// The password of its manager addresses; without one there is nothing there.
    pub manager_token: Option<Secret>,
}

/// What the public knows. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Unique in a configuration.
    pub id: ServiceId,
    /// The name people read.
    pub label: Arc<str>,
    /// One sentence on what it is.
    pub description: Option<Arc<str>>,
    /// What is promised of it.
    pub sla: Option<Sla>,
    /// Words by which routes find its monitors.
    pub tags: Arc<[Tag]>,
    /// Whether only those who work with the host may know of it.
    pub private: bool,
    /// Its monitors, in the order of the file; at least one.
    pub monitors: Arc<[Monitor]>,
    /// Where it stands.
    pub position: Position,
}

/// A configured notifier. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    /// Unique in a configuration.
    pub id: ChannelId,
    /// Where it was written.
    pub made: Made,
    /// The plugin that delivers.
    pub notifier: PluginName,
    /// What the plugin gets to know.
    pub config: PluginConfig,
    /// How long one delivery may take.
    pub timeout: Duration,
    /// How many notices it gets; none: all there are.
    pub rate: Option<Rate>,
    /// The title of its notices, in place of the host's words.
    pub title: Option<Template>,
    /// The text below the title, in place of the host's words.
    pub body: Option<Template>,
    /// Limits where they differ from the plugin's.
    pub limits: LimitOverrides,
    /// Where it stands.
    pub position: Position,
}

/// Which events go to which channels. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent wishes of an operator"
)]
pub struct Route {
    /// What programs call it by, unique in a configuration.
    pub id: Option<RouteId>,
    /// The channels; at least one.
    pub to: Arc<[ChannelId]>,
    /// What they are told; if anything, then at least that something is dead, sick
    /// or unknown, as the end of an outage is only told to those who heard of its
    /// beginning.
    pub on: Interest,
    /// How long before it begins a maintenance is told; none: nothing is told of
    /// maintenances, and zero: only beginnings and ends.
    pub maintenance_ahead: Option<Duration>,
    /// The monitors it is about.
    pub filter: RouteFilter,
    /// When it tells.
    pub hours: Hours,
    /// How long changes are gathered after the first, at most 1 h.
    pub group_wait: Duration,
    /// When it reminds, and when each step of `escalate` is taken.
    pub plan: Plan,
    /// Whether nothing but reminders is told.
    pub reminders_only: bool,
    /// Who else is told of an outage that goes on, in order of time. No channel is
    /// in it twice, or in `to` as well.
    pub escalate: Arc<[EscalationStep]>,
    /// Whether it tells of the host's own trouble.
    pub host: bool,
    /// Whether it tells that a promise was broken.
    pub sla: bool,
    /// Whether it tells that the host has started.
    pub startup: bool,
    /// Where it stands.
    pub position: Position,
}

/// Who else is told of an outage that goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationStep {
    /// How long after the route's first notice of it.
    pub after: Duration,
    /// The channels; at least one.
    pub to: Arc<[ChannelId]>,
}

/// What a route is about. The default is every monitor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteFilter {
    /// Only the monitors that are named; none: all.
    pub names: Option<Named>,
    /// Of them only those with one of these tags; empty: whatever tags they have.
    pub tags: Arc<[Tag]>,
}

/// Monitors by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// All monitors of these services.
    pub services: Arc<[ServiceId]>,
    /// Single monitors.
    pub monitors: Arc<[MonitorId]>,
}

impl RouteFilter {
    /// Whether events of `monitor` pass.
    pub fn passes(&self, monitor: &Monitor) -> bool {
        let named = self.names.as_ref().is_none_or(|named| {
            named.services.contains(monitor.id.service()) || named.monitors.contains(&monitor.id)
        });
        named && (self.tags.is_empty() || self.tags.iter().any(|tag| monitor.tags.contains(tag)))
    }
}

/// A word by which routes find monitors: `[a-z0-9][a-z0-9._:/-]{0,63}`. Cheap to
/// clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Checks the grammar; the error says what is wrong with the text.
    pub fn new(text: &str) -> Result<Self, &'static str> {
        let fits = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._:/-".contains(&byte)
        };
        if !text.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit()) {
            Err("must start with a lower-case letter or a digit")
        } else if text.len() > 64 {
            Err("must have at most 64 characters")
        } else if !text.bytes().all(fits) {
            Err("may only contain lower-case letters, digits, `.`, `_`, `:`, `/` and `-`")
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_and_port_follow_the_grammar() {
        for good in [
            "a:1",
            "API.example.com:443",
            "*.example.com:443",
            "10.0.0.1:80",
            "[::1]:65535",
        ] {
            assert_eq!(
                HostPort::new(good).unwrap().as_str(),
                good.to_ascii_lowercase(),
                "{good}"
            );
        }
        for bad in [
            "",
            "a",
            ":1",
            "a:0",
            "a:65536",
            "a:+1",
            "a:",
            "a b:1",
            "*:1",
            "*.:1",
            "a.*.b:1",
            "::1:80",
            "[::1:80",
            "[a]:80",
            "https://a:1",
            "a..b:1",
        ] {
            assert!(HostPort::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_plugin_name_follows_the_grammar() {
        for good in ["a", "http", "my-probe-2", &"a".repeat(40)] {
            assert_eq!(PluginName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "1a", "-a", "A", "a_b", "a b", &"a".repeat(41)] {
            assert!(PluginName::new(bad).is_err(), "{bad}");
        }
    }
}
