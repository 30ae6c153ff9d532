//! What the files say: every key there is, optional as it stands there, before
//! defaults are filled in and references are followed.

pub(crate) mod incident;
pub(crate) mod maintenance;
pub(crate) mod page;
pub(crate) mod passive;
pub(crate) mod publish;
pub(crate) mod rules;
pub(crate) mod sla;
pub(crate) mod telling;

use serde_json::{Value as Json, json};
use watchkeeper_engine::id::{ChannelId, MonitorId, MonitorName, RouteId, ServiceId};

use self::incident::IncidentTable;
use self::maintenance::MaintenanceTable;
use self::page::PageTable;
use self::passive::{LoadTable, PassiveWord, VigilTable};
use self::publish::PublishTable;
use self::rules::RulesTable;
use self::sla::SlaTable;
use self::telling::{
    DeadManTable, DuringTable, RateTable, RemindersTable, StepTable, TemplateText,
};
use crate::config::{HostPort, MinisignKey, PluginName, Tag};
use crate::plugin_config::{PluginConfig, SecretText};
use crate::read::address::{Address, PathText, TargetAddress, WebUrl};
use crate::read::list::{List, Rows};
use crate::read::scalar::{Count, CronText, Line, Occasion, Size, Span, Zone};
use crate::read::{
    Context, Finding, FromNode, FromTable, Placed, TableReader, report_unknown, table,
};
use crate::tree::{Node, Value};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const DAY: u64 = 24 * 60 * MINUTE;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

table! {
    /// The whole configuration.
    struct RootTable {
        /// Where the host listens and keeps its data.
        [optional] server: ServerTable,
        /// What the status page says of its owner.
        [optional] page: PageTable,
        /// What holds for every monitor that does not say otherwise.
        [optional] defaults: DefaultsTable,
        /// Where plugins are found and what they may do.
        [optional] plugins: PluginsTable,
        /// How the host reaches targets.
        [optional] network: NetworkTable,
        /// How the host watches itself, and how others may watch it.
        [optional] self_check as "self": SelfTable,
        /// How incidents open and end by themselves.
        [optional] incident: IncidentTable,
        /// Where the page is written as files.
        [optional] publish: PublishTable,
        /// What speaks to the host as it spoke to another one.
        [optional] compat: CompatTable,
        /// What the public knows.
        [optional] service: Rows<ServiceTable>,
        /// Configured notifiers.
        [optional] channel: Rows<ChannelTable>,
        /// Which events go to which channels.
        [optional] route: Rows<RouteTable>,
        /// Planned times in which something may not work.
        [optional] maintenance: Rows<MaintenanceTable>,
    }
}

table! {
    /// Where the host listens and keeps its data.
    struct ServerTable {
        /// The IP address and port of the status page.
        [default "127.0.0.1:8080"] listen: Address,
        /// The IP address and port of the pages below /admin, if they are not to be where the
        /// status page is.
        [optional] admin_listen: Address,
        /// The folder of databases and caches. A relative path starts at the folder of this file.
        [default "./data"] data: PathText,
        /// The page's address for links in notices. Without it, links lead to the address that the
        /// host listens on.
        [optional] public_url: WebUrl,
        /// How many visitors of one address (of one /64 of IPv6) may follow the page live at a
        /// time. Those of this machine are not counted.
        [default 64] followers_per_address: Count<1, 2000>,
        /// Whether monitors and channels made through the API may reach private and loopback
        /// addresses, as those of this file may.
        [default false] api_private_targets: bool,
    }
}

table! {
    /// What holds for every monitor that does not say otherwise.
    struct DefaultsTable {
        flatten rules: RulesTable,
    }
}

table! {
    /// Bounds on what one run of a plugin may use; a run that meets one ends without a verdict.
    struct LimitsTable {
        /// Memory. By default 32 MiB.
        [optional] memory: Size<MIB, { 64 * MIB }>,
        /// Time on a processor; waiting costs nothing. By default 1 s.
        [optional] cpu: Span<10, MINUTE>,
        /// Log lines that are kept. By default 100.
        [optional] log_lines: Count<0, 10_000>,
        /// Connections of every kind together. By default 16.
        [optional] connections: Count<0, 1_000>,
        /// The body of one response. By default 4 MiB.
        [optional] body: Size<KIB, GIB>,
        /// All that is sent and received. By default 16 MiB.
        [optional] traffic: Size<KIB, { 4 * GIB }>,
    }
}

/// Where plugins are found, what holds for all of them and what for single ones.
#[derive(Clone, Debug)]
pub(crate) struct PluginsTable {
    pub(crate) general: PluginsGeneral,
    pub(crate) named: Vec<(PluginName, Placed<PluginTable>)>,
}

table! {
    /// The keys of `[plugins]` that are no plugin's name.
    struct PluginsGeneral {
        /// The folder that is watched for components. A relative path starts at the folder of this
        /// file.
        [default "./plugins"] folder: PathText,
        /// Whether only those component files are loaded that `plugins.lock`, which lies beside
        /// this file, names with their SHA-256.
        [default false] locked: bool,
        /// The minisign public keys whose signatures count. Where there are any, a component file
        /// is loaded only with a signature of one of them in `NAME.wasm.minisig` beside it.
        [optional] trusted_keys: List<MinisignKey, 32>,
        /// The limits of every plugin.
        [optional] limits: LimitsTable,
    }
}

table! {
    /// What holds for one plugin.
    struct PluginTable {
        /// Hosts that it may reach of those it asks for beyond its default grant, as `host:port` or
        /// `*.host:port`.
        [optional] allow: List<HostPort, 100>,
        /// Its limits where they differ from those of all plugins.
        [optional] limits: LimitsTable,
    }
}

impl FromNode for PluginsTable {
    fn read(node: &Node, cx: &mut Context<'_>) -> Option<Self> {
        let Value::Table(table) = &node.value else {
            cx.mismatch(node, "a table", None);
            return None;
        };
        let general_names = PluginsGeneral::names();
        let mut named = Vec::new();
        for entry in &table.entries {
            if general_names.contains(&entry.key.as_str()) {
                continue;
            }
            // A table is a plugin's; anything else was meant to be one of ours.
            if !matches!(entry.node.value, Value::Table(_)) {
                report_unknown(&entry.key, entry.key_at, &general_names, cx);
                continue;
            }
            cx.within(&entry.key, |cx| {
                let key = cx.path().to_owned();
                let table = PluginTable::read(&entry.node, cx).map(|value| Placed {
                    value,
                    at: entry.node.at,
                    key,
                });
                match PluginName::new(&entry.key) {
                    Ok(name) => named.extend(table.map(|table| (name, table))),
                    Err(problem) => {
                        let what = format!("a plugin's name {problem}");
                        cx.report(Finding::new(entry.key_at, what));
                    }
                }
            });
        }
        let general = PluginsGeneral::take(&mut TableReader::new(table, node.at, cx));
        Some(Self { general, named })
    }

    fn schema() -> Json {
        let mut schema = PluginsGeneral::schema();
        if let Json::Object(schema) = &mut schema {
            schema.insert("additionalProperties".to_owned(), PluginTable::schema());
            // A key of ours need not be a plugin's name.
            let names = json!({ "anyOf": [
                { "enum": PluginsGeneral::names() },
                { "pattern": "^[a-z][a-z0-9-]{0,39}$" },
            ] });
            schema.insert("propertyNames".to_owned(), names);
        }
        schema
    }
}

table! {
    /// How the host reaches targets.
    struct NetworkTable {
        /// Name servers to ask in place of the system's, each with its port.
        [optional] resolver: List<Address, 8>,
        /// A PEM file of certificate authorities to trust besides the usual ones. A relative path
        /// starts at the folder of this file.
        [optional] ca_file: PathText,
        /// How many checks may be under way at a time; more wait for one to end.
        [default 8000] concurrency: Count<1, 8000>,
    }
}

table! {
    /// How the host watches itself, and how others may watch it.
    struct SelfTable {
        /// Targets of which some answer as long as the host has a network, each with a scheme that
        /// picks its probe. While all of them fail, nothing is concluded about other targets.
        [optional] canaries: List<TargetAddress, 16>,
        /// How often they are checked.
        [default "30s"] every: Span<SECOND, DAY>,
        /// What is called again and again while the host works: who is no longer called can tell
        /// that it does not.
        [optional] dead_man: DeadManTable,
    }
}

table! {
    /// What speaks to the host as it spoke to another one.
    struct CompatTable {
        /// Vigil's reporters and Vigil Local.
        [optional] vigil: VigilTable,
    }
}

table! {
    /// What the public knows.
    struct ServiceTable {
        /// Lower-case letters, digits and `-`; unique.
        [required] id: ServiceId,
        /// The name people read. By default the id.
        [optional] label: Line<100>,
        /// One sentence on what it is.
        [optional] description: Line<500>,
        /// What is promised of it as a whole.
        [optional] sla: SlaTable,
        /// Words by which routes find its monitors.
        [optional] tags: List<Tag, 50>,
        /// Whether only those who work with the host may know of it.
        [default false] private: bool,
        /// One kind of check each.
        [required] monitor: Rows<MonitorTable>,
    }
}

table! {
    /// One kind of check on a service.
    struct MonitorTable {
        /// Lower-case letters, digits and `-`; unique in its service.
        [required] id: MonitorName,
        /// The name people read. By default the id.
        [optional] label: Line<100>,
        /// One sentence on what it checks.
        [optional] description: Line<500>,
        /// Whether only those who work with the host may know of it. By default as its service.
        [default false] private: bool,
        /// The plugin that checks. By default the one that judges the targets' scheme.
        [optional] probe: PluginName,
        /// What is checked, such as `https://example.com`. Required unless the monitor is `passive`.
        [optional] targets: List<TargetAddress, 1000>,
        /// How the monitor is told instead of asking: by processes that report their load, by agents
        /// that report health, by jobs that call a URL, or by people.
        [optional] passive: PassiveWord,
        /// For `push` and `local`: silence beyond the interval that a replica promised, after which it
        /// is dead. By default 20 s for `push`, 40 s for `local`.
        [optional] dead_after: Span<0, { 30 * DAY }>,
        /// For `push`: what load is sick.
        [optional] load: LoadTable,
        /// For `push`: the monitor, as `service/monitor`, of the queue that the processes work on. Its
        /// health counts for each of them.
        [optional] queue: MonitorId,
        /// For `heartbeat`: the secret part of the URL that the job calls: at least 16 letters, digits,
        /// `-`, `.`, `_` and `~`. As every secret `{ env = "NAME" }` or `{ file = "PATH" }`.
        [optional] token: SecretText,
        /// For `heartbeat`: how often the job calls, counted from its last call.
        [optional] period: Span<SECOND, { 366 * DAY }>,
        /// For `heartbeat`, instead of `period`: when the job runs, as in a crontab: `0 2 * * *`.
        [optional] cron: CronText,
        /// For `heartbeat` with `cron`: the zone of its times, by its name in the IANA database. By
        /// default UTC.
        [optional] time_zone: Zone,
        /// For `heartbeat`: how late a call may be, and how long a run may take that said it began. By
        /// default 5 min.
        [optional] grace: Span<SECOND, { 30 * DAY }>,
        /// Whether its death makes the service dead; otherwise at most sick.
        [default true] critical: bool,
        /// What is promised of it.
        [optional] sla: SlaTable,
        /// Words by which routes find it, besides those of its service.
        [optional] tags: List<Tag, 50>,
        /// Monitors whose death explains this one's, each as `service/monitor`.
        [optional] depends_on: List<MonitorId, 100>,
        /// Its limits where they differ from the plugin's.
        [optional] limits: LimitsTable,
        /// What the plugin gets to know; the plugin says which keys there are. A secret is written
        /// as `{ env = "NAME" }`, `{ file = "/run/secrets/x" }` or `${NAME}` inside a text.
        [optional] config: PluginConfig,
        flatten rules: RulesTable,
    }
}

table! {
    /// A configured notifier.
    struct ChannelTable {
        /// Lower-case letters, digits and `-`; unique.
        [required] id: ChannelId,
        /// The plugin that delivers.
        [required] notifier: PluginName,
        /// What the plugin gets to know; the plugin says which keys there are. A secret is written
        /// as `{ env = "NAME" }`, `{ file = "/run/secrets/x" }` or `${NAME}` inside a text.
        [optional] config: PluginConfig,
        /// How long one delivery may take.
        [default "10s"] timeout: Span<100, { 5 * MINUTE }>,
        /// How many notices it gets. By default all there are.
        [optional] rate: RateTable,
        /// A template for the title of its notices, in place of the host's words.
        [optional] title: TemplateText,
        /// A template for the text below the title, in place of the host's words.
        [optional] body: TemplateText,
        /// Its limits where they differ from the plugin's.
        [optional] limits: LimitsTable,
    }
}

table! {
    /// Which events go to which channels.
    struct RouteTable {
        /// What programs call it by: lower-case letters, digits and `-`; unique.
        [optional] id: RouteId,
        /// The channels, by their ids.
        [required] to: List<ChannelId, 100>,
        /// What they are told. The end of an outage is only told to those who heard of its
        /// beginning; `sla` is a promise that was broken.
        [default ["dead", "recovered"]] on: List<Occasion, 6>,
        /// With `on = ["maintenance"]`: how long before it begins a maintenance is told. With `"0s"` only
        /// its beginning and its end are. By default a day.
        [optional] maintenance_ahead: Span<0, { 90 * DAY }>,
        /// Only these services. Without `services` and `monitors`, every monitor.
        [optional] services: List<ServiceId, 1000>,
        /// Only these monitors, each as `service/monitor`, besides those of `services`.
        [optional] monitors: List<MonitorId, 1000>,
        /// Of those only monitors that have one of these tags, by themselves or by their service.
        [optional] tags: List<Tag, 100>,
        /// When it tells. By default always. An outage that lasts longer than the time between is
        /// told when the next span begins.
        [optional] during: Rows<DuringTable>,
        /// The zone of `during`, by its name in the IANA database. By default that of the page.
        [optional] time_zone: Zone,
        /// The first change goes out at once; what follows within this time is one notice.
        [default "10s"] group_wait: Span<0, { 60 * MINUTE }>,
        /// When those who know of an outage are told again. By default never.
        [optional] reminders: RemindersTable,
        /// Whether nothing but reminders is told.
        [default false] reminders_only: bool,
        /// Who else is told of an outage that goes on and that nobody has acknowledged.
        [optional] escalate: Rows<StepTable>,
        /// Whether it also tells of the host's own trouble: its network, its store, its plugins and
        /// its other channels.
        [default true] host: bool,
        /// Whether it tells that the host has started, and how everything stands then.
        [default false] startup: bool,
    }
}
