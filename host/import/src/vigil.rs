//! Vigil's and Övervakt's configuration.

mod notify;
mod probe;
mod script;

use std::net::SocketAddr;

use crate::context::Context;
use crate::draft::Keys;
use crate::fields::{Field, Fields};
use crate::input::{ImportError, Input};
use crate::node;
use crate::report::Place;
use crate::{Kind, span};

/// Why numbers of threads are left out.
const NO_THREADS: &str = "not needed: checks do not wait for each other";

/// What `metrics` says, or Vigil's defaults.
struct Metrics {
    /// Milliseconds, all of them.
    interval: u64,
    retry_wait: u64,
    dead: u64,
    sick: u64,
    script_interval: u64,
    push_dead: u64,
    local_dead: u64,
    retry: i64,
    /// From this status code on …
    above: i64,
    /// … and below this one an answer is good.
    below: i64,
    cpu: f64,
    ram: f64,
    place: Place,
}

/// `plugins.rabbitmq`: the keys that all monitors of queues share.
struct Rabbit {
    target: String,
    config: Keys,
    unacked: (Option<i64>, Option<i64>),
}

pub(crate) fn read(cx: &mut Context<'_>, input: &Input) -> Result<(), ImportError> {
    let (name, text) = input.single()?;
    let is_yaml = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
    let root = if is_yaml {
        node::yaml(&name, &text)?
    } else {
        node::toml(&name, &text)?
    };
    cx.reserve(&text);
    let mut root = Fields::whole(&name, &root)?;
    if !root.has("probe") {
        let what = format!("has no `probe`, as a configuration of {} has", cx.kind);
        let instead = "check that it is the right file and the right kind";
        return Err(ImportError::new(name, what, instead));
    }
    server(&mut root, cx);
    branding(&mut root, cx);
    root.lose(&["assets"], "the page has its files in the program", cx);
    let metrics = metrics(&mut root, cx);
    let rabbit = plugins(&mut root, cx);
    probe::read(&mut root, &metrics, rabbit.as_ref(), cx);
    notify::read(&mut root, cx);
    root.finish(cx);
    Ok(())
}

fn server(root: &mut Fields<'_>, cx: &mut Context<'_>) {
    let Some(mut server) = root.table("server", cx) else {
        return;
    };
    if let Some(field) = server.take("inet")
        && let Some(text) = field.text(cx)
    {
        let text = cx.plain(&text, &field.place);
        if text.parse::<SocketAddr>().is_ok() {
            cx.draft.server.set("listen", text);
        } else {
            cx.lost(
                &field.place,
                "no IP address and port: set `listen` of `[server]`",
            );
        }
    }
    for (key, words) in [
        ("reporter_token", "reporter token"),
        ("manager_token", "manager token"),
    ] {
        if let Some(field) = server.take(key)
            && let Some(text) = field.text(cx)
        {
            let term = cx.secret(words, &text, &field.place);
            cx.draft.vigil.set_some(key, term);
            cx.draft.vigil_place = field.place;
        }
    }
    server.lose(&["log_level"], "the option `--log` says what is logged", cx);
    server.lose(
        &["workers"],
        "not needed: the number of threads follows the machine",
        cx,
    );
    server.lose(&["mcp_server"], "there is no server for MCP", cx);
    server.finish(cx);
}

fn branding(root: &mut Fields<'_>, cx: &mut Context<'_>) {
    let Some(mut branding) = root.table("branding", cx) else {
        return;
    };
    for (theirs, ours) in [("page_title", "title"), ("company_name", "company")] {
        if let Some(field) = branding.take(theirs)
            && let Some(text) = field.text(cx)
        {
            let line = cx.line(&text, 100, &field.place);
            cx.draft.page.set_some(ours, line);
        }
    }
    for (theirs, ours) in [("website_url", "website"), ("support_url", "support")] {
        if let Some(field) = branding.take(theirs)
            && let Some(url) = address(&field, ours == "support", cx)
        {
            cx.draft.page.set(ours, url);
        }
    }
    if let Some(field) = branding.take("page_url")
        && let Some(url) = address(&field, false, cx)
    {
        cx.draft.server.set("public_url", url);
    }
    let keys = [
        "icon_color",
        "icon_url",
        "logo_color",
        "logo_url",
        "custom_html",
    ];
    branding.lose(
        &keys,
        "the page has no logo, colours or markup of its own",
        cx,
    );
    branding.finish(cx);
}

/// An address of the web that the page may link to.
pub(crate) fn address(field: &Field<'_>, mail: bool, cx: &mut Context<'_>) -> Option<String> {
    let text = field.text(cx)?;
    let text = cx.plain(text.trim(), &field.place);
    if text.is_empty() {
        return None;
    }
    let web = ["http://", "https://"]
        .iter()
        .any(|it| text.starts_with(it));
    let fits = web && !text.contains(['?', '#']) || mail && text.starts_with("mailto:");
    if !fits || text.chars().any(char::is_whitespace) {
        cx.lost(
            &field.place,
            "no address that the page can have: `http` or `https`, without query and fragment",
        );
        return None;
    }
    Some(text)
}

fn metrics(root: &mut Fields<'_>, cx: &mut Context<'_>) -> Metrics {
    let mut metrics = Metrics {
        interval: 120_000,
        retry_wait: 500,
        dead: 10_000,
        sick: 5_000,
        script_interval: 300_000,
        push_dead: 20_000,
        local_dead: 40_000,
        retry: 2,
        above: 200,
        below: 400,
        cpu: 0.99,
        ram: 0.99,
        place: root.place.clone(),
    };
    let Some(mut table) = root.table("metrics", cx) else {
        return metrics;
    };
    metrics.place = table.place.clone();
    let seconds = [
        ("poll_interval", &mut metrics.interval),
        ("poll_delay_dead", &mut metrics.dead),
        ("poll_delay_sick", &mut metrics.sick),
        ("script_interval", &mut metrics.script_interval),
        ("push_delay_dead", &mut metrics.push_dead),
        ("local_delay_dead", &mut metrics.local_dead),
    ];
    for (key, slot) in seconds {
        *slot = table
            .number(key, cx)
            .and_then(span::from_seconds)
            .unwrap_or(*slot);
    }
    if let Some(wait) = table.number("poll_retry_wait", cx) {
        metrics.retry_wait = span::from_seconds(wait / 1e3).unwrap_or(metrics.retry_wait);
    }
    let codes = [
        ("poll_retry", &mut metrics.retry),
        ("poll_http_status_healthy_above", &mut metrics.above),
        ("poll_http_status_healthy_below", &mut metrics.below),
    ];
    for (key, slot) in codes {
        *slot = table.integer(key, cx).unwrap_or(*slot);
    }
    let shares = [
        ("push_system_cpu_sick_above", &mut metrics.cpu),
        ("push_system_ram_sick_above", &mut metrics.ram),
    ];
    for (key, slot) in shares {
        *slot = table.number(key, cx).unwrap_or(*slot);
    }
    table.lose(&["poll_parallelism", "script_parallelism"], NO_THREADS, cx);
    table.finish(cx);
    metrics
}

fn plugins(root: &mut Fields<'_>, cx: &mut Context<'_>) -> Option<Rabbit> {
    let mut plugins = root.table("plugins", cx)?;
    let why = "the host chooses how it pings: see what it needs for that in the manual";
    plugins.lose(&["icmp"], why, cx);
    let table = plugins.table("rabbitmq", cx);
    plugins.finish(cx);
    let mut table = table?;
    let mut config = Keys::default();
    let place = table.place.clone();
    let url = table.text("api_url", cx).unwrap_or_default();
    let url = cx.plain(&url, &place);
    let target = crate::target::Url::parse(&url).map(|url| {
        // Vigil leaves out the path of this address.
        format!("{}://{}", url.scheme, url.authority)
    });
    if let Some(field) = table.take("virtualhost")
        && let Some(vhost) = field.text(cx)
    {
        let vhost = crate::target::decoded(&vhost);
        if vhost != "/" && !vhost.is_empty() {
            let term = cx.text(&vhost, &field.place);
            config.set("vhost", term);
        }
    }
    if let Some(user) = table.filled("auth_username", cx) {
        let term = cx.text(&user, &place);
        config.set("username", term);
    }
    if let Some(field) = table.take("auth_password")
        && let Some(text) = field.text(cx)
    {
        let term = cx.secret("rabbitmq password", &text, &field.place);
        config.set_some("password", term);
    }
    for (theirs, ours) in [
        ("queue_ready_healthy_below", "ready.sick"),
        ("queue_ready_dead_above", "ready.dead"),
    ] {
        config.set_some(ours, table.integer(theirs, cx).filter(|it| *it >= 0));
    }
    let unacked = (
        table.integer("queue_nack_healthy_below", cx),
        table.integer("queue_nack_dead_above", cx),
    );
    if let Some(delay) = table.number("queue_loaded_retry_delay", cx)
        && let Some(delay) = span::from_seconds(delay / 1e3).filter(|delay| *delay > 0)
    {
        config.set("recheck", span::written(delay));
    }
    table.finish(cx);
    let Some(target) = target else {
        cx.lost(&place, "`api_url` is no address: queues are not watched");
        return None;
    };
    Some(Rabbit {
        target,
        config,
        unacked,
    })
}

/// What the system calls the parameter by which it passes caches.
fn cache_buster(kind: Kind) -> &'static str {
    if kind == Kind::Overvakt {
        "_overvakt"
    } else {
        "_vigil"
    }
}
