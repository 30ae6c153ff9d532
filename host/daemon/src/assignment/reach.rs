//! What was made through the API and would reach this machine or its network.

use watchkeeper_config::Problem;
use watchkeeper_config::place::Position;
use watchkeeper_config::plugin_config::{PluginConfig, PluginSchema};
use watchkeeper_egress::address::Class;
use watchkeeper_egress::grants::Grants;

/// The first of the targets and of the URIs of `config` that is not on the Internet by
/// its very text, as the host with its port. What names lead to is checked at every
/// run.
pub(super) fn private_among(
    targets: &[&str],
    schema: &PluginSchema,
    config: &PluginConfig,
) -> Option<(String, Class)> {
    let uris = schema.uris(config);
    let mut grants = Grants::new();
    for address in targets
        .iter()
        .copied()
        .chain(uris.iter().map(String::as_str))
    {
        // What names no host leads nowhere.
        _ = grants.grant_url(address);
    }
    grants.first_private()
}

/// Says so of what stands at `position`.
pub(super) fn refusal((host, class): &(String, Class), key: &str, position: &Position) -> Problem {
    Problem {
        place: Some(position.0.clone()),
        key: key.to_owned(),
        what: format!("`{host}` is {class}, which nothing made through the API may reach"),
        instead: Some(
            "set `[server] api_private_targets = true` in the configuration file, or write it there"
                .to_owned(),
        ),
        related: Vec::new(),
        snippet: None,
    }
}
