//! `/admin/plugins` and `/admin/settings`: what the host runs with.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;

use super::chart::spell;
use super::visit::Visit;
use super::{Shell, page};
use crate::console::{PluginFacts, SettingsTable};
use crate::web::Web;

const PLUGINS: &str = "/admin/plugins";
const SETTINGS: &str = "/admin/settings";

/// The routes.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(PLUGINS, get(plugins))
        .route(SETTINGS, get(settings))
}

#[derive(Template)]
#[template(path = "admin/plugins.html")]
struct PluginList {
    shell: Shell,
    plugins: Vec<PluginFacts>,
    rejected: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "admin/settings.html")]
struct Settings {
    shell: Shell,
    tables: Vec<SettingsTable>,
    version: &'static str,
}

async fn plugins(State(web): State<Web>, visit: Visit) -> Response {
    let console = &web.settings().console;
    let mut plugins = console.plugins();
    // Those that are used are what people look for.
    plugins.sort_by_key(|plugin| plugin.users == 0);
    page(&PluginList {
        shell: Shell::of(&web, &visit, "Plugins", PLUGINS),
        plugins,
        rejected: console.rejected(),
    })
}

async fn settings(State(web): State<Web>, visit: Visit) -> Response {
    let console = &web.settings().console;
    page(&Settings {
        shell: Shell::of(&web, &visit, "Settings", SETTINGS),
        tables: console.settings(),
        version: console.host().version,
    })
}

/// Bytes in MiB, to a tenth.
pub(super) fn mebibytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10) >> 20;
    if tenths.is_multiple_of(10) {
        format!("{} MiB", tenths / 10)
    } else {
        format!("{}.{} MiB", tenths / 10, tenths % 10)
    }
}

/// Whether more than four fifths of a limit are used.
fn is_hot(used: u64, limit: u64) -> bool {
    used.saturating_mul(5) > limit.saturating_mul(4)
}

fn micros(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_in_words() {
        assert_eq!(mebibytes(32 << 20), "32 MiB");
        assert_eq!(mebibytes((3 << 20) + (1 << 19)), "3.5 MiB");
        assert_eq!(mebibytes(0), "0 MiB");
        assert!(is_hot(9, 10) && !is_hot(8, 10));
    }
}
