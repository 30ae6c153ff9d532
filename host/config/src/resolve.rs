//! From what the files say to what the program runs on: defaults are filled in,
//! references followed, and what concerns several keys is checked.

mod incident;
mod maintenance;
mod monitor;
mod page;
mod passive;
mod references;
mod sla;
mod telling;

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use watchkeeper_engine::id::ServiceId;

use self::references::{Known, dependencies};
use crate::config::{
    Config, Network, PluginSettings, Plugins, Publish, SelfCheck, Server, Service, Tag,
};
use crate::file::{
    LimitsTable, NetworkTable, PluginsTable, RootTable, SelfTable, ServerTable, ServiceTable,
};
use crate::items::Made;
use crate::limits::LimitOverrides;
use crate::load::folder_of;
use crate::monitor::scheme;
use crate::place::Position;
use crate::plugin_config::PluginConfig;
use crate::read::address::{PathText, TargetAddress};
use crate::read::list::{List, Rows};
use crate::read::scalar::Line;
use crate::read::{Context, Finding, Placed};
use crate::source::At;

/// The largest file of certificate authorities, in bytes: several times that of
/// all authorities of the web.
const MAX_CA_FILE: u64 = 4 << 20;

/// The configuration that the files amount to. What it says is only of use if no
/// mistake was found, then or before.
pub(crate) fn resolve(root: &RootTable, cx: &mut Context<'_>) -> Config {
    let known = Known::of(root, cx);
    let services = rows(root.service.as_ref());
    let services: Arc<[_]> = services
        .iter()
        .filter_map(|table| service(table, root, cx))
        .collect();
    let channels = rows(root.channel.as_ref());
    let channels = channels
        .iter()
        .filter_map(|table| telling::channel(table, cx))
        .collect();
    let page = page::page(value(root.page.as_ref()), &known, cx);
    let routes = rows(root.route.as_ref());
    let routes = routes
        .iter()
        .filter_map(|table| telling::route(table, &known, &page.time_zone, cx))
        .collect();
    let maintenances = maintenance::maintenances(root, &known, &page.time_zone, cx);
    Config {
        server: server(value(root.server.as_ref()), cx),
        page,
        plugins: Arc::new(plugins(value(root.plugins.as_ref()), cx)),
        network: network(value(root.network.as_ref()), cx),
        self_check: root
            .self_check
            .as_ref()
            .and_then(|table| self_check(table, cx)),
        dead_man: value(root.self_check.as_ref()).and_then(|table| telling::dead_man(table, cx)),
        incidents: incident::incidents(value(root.incident.as_ref())),
        maintenances,
        publish: value(root.publish.as_ref()).map(|table| Publish {
            folder: path(table.folder.as_ref(), "./public", cx),
            every: value(table.every.as_ref()).map_or(Duration::from_secs(10), |span| span.0),
        }),
        vigil: passive::vigil(root, cx),
        dependencies: Arc::new(dependencies(root, &known, cx)),
        services,
        channels,
        routes,
    }
}

/// The value of a field, if it is there.
fn value<T>(field: Option<&Placed<T>>) -> Option<&T> {
    field.map(|placed| &placed.value)
}

/// The tables of a list, if it is there.
fn rows<T>(field: Option<&Placed<Rows<T>>>) -> &[Placed<T>] {
    value(field).map_or(&[], |rows| &rows.0)
}

/// The elements of a list, if it is there.
fn elements<T, const MAX: usize>(field: Option<&Placed<List<T, MAX>>>) -> &[Placed<T>] {
    value(field).map_or(&[], |list| &list.0)
}

/// The values of a list, if it is there.
fn values<T: Clone, C: FromIterator<T>, const MAX: usize>(
    field: Option<&Placed<List<T, MAX>>>,
) -> C {
    elements(field)
        .iter()
        .map(|placed| placed.value.clone())
        .collect()
}

/// A line, if it is there.
fn line<const MAX: usize>(field: Option<&Placed<Line<MAX>>>) -> Option<Arc<str>> {
    value(field).map(|line| line.0.as_str().into())
}

/// A line, or the text of `default`.
fn line_or<const MAX: usize>(field: Option<&Placed<Line<MAX>>>, default: impl Display) -> Arc<str> {
    line(field).unwrap_or_else(|| default.to_string().into())
}

/// Where a part of the configuration was written.
fn made(at: At, cx: &Context<'_>) -> Made {
    if cx.sources.is_item(at.file) {
        Made::Api
    } else {
        Made::File
    }
}

/// Where a part of the configuration stands.
fn position(at: At, cx: &Context<'_>) -> Position {
    Position(cx.sources.place(at))
}

/// The path of a file or folder, starting at the folder of the file that names
/// it, or of the first file for a default.
fn path(field: Option<&Placed<PathText>>, default: &str, cx: &Context<'_>) -> PathBuf {
    let (text, file) = field.map_or((default, 0), |placed| {
        (placed.value.0.as_str(), placed.at.file)
    });
    folder_of(cx.sources.name(file)).join(text.strip_prefix("./").unwrap_or(text))
}

fn server(table: Option<&ServerTable>, cx: &mut Context<'_>) -> Server {
    let public_url = table.and_then(|table| table.public_url.as_ref());
    if let Some(url) = public_url.filter(|url| url.value.0.contains(['?', '#'])) {
        let what = "`public_url` must not have a query or fragment, as paths are added to it";
        cx.report(Finding::new(url.at, what).key(&url.key));
    }
    let listen = value(table.and_then(|table| table.listen.as_ref()))
        .map_or_else(|| ([127, 0, 0, 1], 8080).into(), |address| address.0);
    let admin_listen = table.and_then(|table| table.admin_listen.as_ref());
    if let Some(same) = admin_listen.filter(|it| it.value.0 == listen && listen.port() != 0) {
        let what = "`admin_listen` must be another address than `listen`";
        let help = "leave it out to have the pages below /admin where the status page is";
        cx.report(Finding::new(same.at, what).key(&same.key).instead(help));
    }
    Server {
        listen,
        admin_listen: admin_listen.map(|address| address.value.0),
        data: path(table.and_then(|table| table.data.as_ref()), "./data", cx),
        public_url: value(public_url).map(|url| url.0.as_str().into()),
        followers_per_address: value(table.and_then(|table| table.followers_per_address.as_ref()))
            .and_then(|count| usize::try_from(count.0).ok())
            .unwrap_or(64),
        api_private_targets: value(table.and_then(|table| table.api_private_targets.as_ref()))
            .copied()
            .unwrap_or(false),
    }
}

fn plugins(table: Option<&PluginsTable>, cx: &mut Context<'_>) -> Plugins {
    let general = table.map(|table| &table.general);
    let named = table
        .map(|table| table.named.as_slice())
        .unwrap_or_default();
    let settings = named.iter().map(|(name, table)| {
        let settings = PluginSettings {
            allow: values(table.value.allow.as_ref()),
            limits: limits(value(table.value.limits.as_ref())),
            position: position(table.at, cx),
        };
        (name.clone(), settings)
    });
    Plugins {
        named: settings.collect(),
        folder: path(
            general.and_then(|table| table.folder.as_ref()),
            "./plugins",
            cx,
        ),
        lock: folder_of(cx.sources.name(0)).join("plugins.lock"),
        locked: value(general.and_then(|table| table.locked.as_ref()))
            .copied()
            .unwrap_or(false),
        trusted_keys: values(general.and_then(|table| table.trusted_keys.as_ref())),
        limits: limits(value(general.and_then(|table| table.limits.as_ref()))),
    }
}

fn limits(table: Option<&LimitsTable>) -> LimitOverrides {
    let Some(table) = table else {
        return LimitOverrides::default();
    };
    LimitOverrides {
        memory: value(table.memory.as_ref()).map(|size| size.0),
        cpu: value(table.cpu.as_ref()).map(|span| span.0),
        log_lines: value(table.log_lines.as_ref()).map(|count| count.0),
        connections: value(table.connections.as_ref()).map(|count| count.0),
        body: value(table.body.as_ref()).map(|size| size.0),
        traffic: value(table.traffic.as_ref()).map(|size| size.0),
    }
}

fn network(table: Option<&NetworkTable>, cx: &mut Context<'_>) -> Network {
    let ca_file = table.and_then(|table| table.ca_file.as_ref());
    let ca_path = ca_file.map(|field| path(Some(field), "", cx));
    if let (Some(field), Some(path)) = (ca_file, &ca_path)
        && let Err(what) = check_ca_file(path)
    {
        cx.report(Finding::new(field.at, what).key(&field.key));
    }
    let resolver = table.and_then(|table| table.resolver.as_ref());
    Network {
        resolver: elements(resolver)
            .iter()
            .map(|address| address.value.0)
            .collect(),
        ca_file: ca_path,
        concurrency: value(table.and_then(|table| table.concurrency.as_ref()))
            .and_then(|count| usize::try_from(count.0).ok())
            .unwrap_or(8000),
    }
}

/// Whether the file can be read and looks like certificates in PEM.
fn check_ca_file(path: &Path) -> Result<(), String> {
    let shown = path.display();
    let failed = |error: std::io::Error| format!("{shown} cannot be read: {error}");
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(MAX_CA_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_CA_FILE) {
        return Err(format!("{shown} is larger than 4 MiB"));
    }
    if String::from_utf8_lossy(&bytes).contains("-----BEGIN CERTIFICATE-----") {
        Ok(())
    } else {
        Err(format!(
            "{shown} holds no certificate in PEM (`-----BEGIN CERTIFICATE-----`)"
        ))
    }
}

fn self_check(placed: &Placed<SelfTable>, cx: &mut Context<'_>) -> Option<SelfCheck> {
    let table = &placed.value;
    let Some(canaries) = &table.canaries else {
        // Nobody is called and nothing is asked: then what for is the table?
        if table.dead_man.is_none() && !cx.is_noted("self") {
            let finding = Finding::new(placed.at, "`canaries` is missing");
            cx.report(finding.key("self.canaries").absence());
        } else if let Some(every) = &table.every {
            let what = "`every` means nothing without `canaries`";
            cx.report(Finding::new(every.at, what).key(&every.key));
        }
        return None;
    };
    for canary in &canaries.value.0 {
        check_scheme(canary, "write one, such as `tcp://1.1.1.1:443`", cx);
    }
    Some(SelfCheck {
        canaries: canaries
            .value
            .0
            .iter()
            .map(|canary| canary.value.0.as_str().into())
            .collect(),
        every: value(table.every.as_ref()).map_or(Duration::from_secs(30), |span| span.0),
    })
}

/// Notes an address without a scheme where that has to pick the probe.
fn check_scheme(address: &Placed<TargetAddress>, instead: &str, cx: &mut Context<'_>) {
    if scheme(&address.value.0).is_none() {
        let what = format!("`{}` has no scheme that could pick a probe", address.value);
        cx.report(
            Finding::new(address.at, what)
                .key(&address.key)
                .instead(instead),
        );
    }
}

fn service(
    placed: &Placed<ServiceTable>,
    root: &RootTable,
    cx: &mut Context<'_>,
) -> Option<Service> {
    let table = &placed.value;
    let defaults = value(root.defaults.as_ref());
    let monitors = rows(table.monitor.as_ref());
    // One made elsewhere gets its monitors one by one.
    let may_be_empty = cx.sources.is_item(placed.at.file);
    let is_empty = monitors.is_empty() && !may_be_empty;
    if let Some(list) = table.monitor.as_ref().filter(|_| is_empty) {
        let finding = Finding::new(list.at, "a service must have a monitor").key(&list.key);
        cx.report(finding.absence());
    }
    // Without its service's id a monitor has none, but its other keys are
    // checked all the same: under one that is never seen.
    let id = value(table.id.as_ref()).cloned();
    let id_or = id.clone().or_else(|| ServiceId::new("0").ok())?;
    let tags: Arc<[Tag]> = values(table.tags.as_ref());
    let private = value(table.private.as_ref()).copied().unwrap_or(false);
    let monitors = monitors
        .iter()
        .filter_map(|table| {
            let mut monitor = monitor::monitor(table, &id_or, &tags, defaults, cx)?;
            monitor.private |= private;
            Some(monitor)
        })
        .collect();
    let id = id?;
    Some(Service {
        label: line_or(table.label.as_ref(), &id),
        description: line(table.description.as_ref()),
        sla: sla::sla(table.sla.as_ref()),
        tags,
        private,
        monitors,
        position: position(placed.at, cx),
        id,
    })
}

/// The configuration of a plugin, or an empty one where there is none.
fn plugin_config<T>(
    field: Option<&Placed<PluginConfig>>,
    around: &Placed<T>,
    cx: &Context<'_>,
) -> PluginConfig {
    value(field).cloned().unwrap_or_else(|| {
        PluginConfig::absent(cx.sources, around.at, format!("{}.config", around.key))
    })
}
