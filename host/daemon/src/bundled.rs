//! The first-party plugins inside the binary.
//!
//! They are ordinary components built from `plugins/`; being bundled saves the
//! operator a download and gives them nothing else.

include!(concat!(env!("OUT_DIR"), "/bundled.rs"));

/// The largest bundled plugin after decompression. A bound for the decoder, not
/// a limit on plugins: the build packs what is far smaller.
const MAX_PLUGIN_BYTES: usize = 16 << 20;

/// The schemes of those that judge targets by scheme, so that a start can tell which
/// are needed without compiling any. What a plugin says of itself is what counts: a
/// test compares the two.
const SCHEMES: [(&str, &[&str]); 17] = [
    ("amqp", &["amqp", "amqps"]),
    ("dns", &["dns"]),
    ("domain", &["domain"]),
    ("grpc", &["grpc", "grpcs"]),
    ("http", &["http", "https"]),
    ("icmp", &["icmp"]),
    ("mqtt", &["mqtt", "mqtts"]),
    ("mysql", &["mysql", "mariadb"]),
    ("ntp", &["ntp"]),
    ("postgres", &["postgres", "postgresql"]),
    ("redis", &["redis", "rediss"]),
    ("script", &["script"]),
    ("smtp", &["smtp", "smtps", "submission"]),
    ("ssh", &["ssh", "sftp"]),
    ("tcp", &["tcp"]),
    ("tls", &["tls"]),
    ("websocket", &["ws", "wss"]),
];

/// The component of the bundled plugin called `name`; none if there is no such.
/// Takes about a millisecond.
pub(crate) fn component(name: &str) -> Option<anyhow::Result<Vec<u8>>> {
    let (_, packed) = PLUGINS.iter().find(|(each, _)| *each == name)?;
    Some(zstd::bulk::decompress(packed, MAX_PLUGIN_BYTES).map_err(Into::into))
}

/// The names of all, which are those that they describe themselves with.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PLUGINS.iter().map(|(name, _)| *name)
}

/// The names of those that judge targets of `scheme`, which is in lower case.
pub(crate) fn by_scheme(scheme: &str) -> impl Iterator<Item = &'static str> {
    names().filter(move |name| schemes(name).contains(&scheme))
}

/// The schemes that `name` judges.
fn schemes(name: &str) -> &'static [&'static str] {
    SCHEMES
        .iter()
        .find(|(each, _)| *each == name)
        .map_or(&[], |(_, schemes)| *schemes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
    use watchkeeper_egress::tls::Tls;
    use watchkeeper_sandbox::{Kind, Sandbox, Settings};

    use super::*;

    #[tokio::test]
    async fn each_is_what_it_is_taken_for() {
        let resolver = Resolver::new(ResolverOptions::default()).unwrap();
        let settings = Settings {
            // Shared with the tests of plugins: each is compiled once for a build.
            cache: Some(
                Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/plugin-tests-cache"),
            ),
            ..Settings::new(resolver, Tls::new(Vec::new()).unwrap())
        };
        let sandbox = Sandbox::new(settings).unwrap();
        for name in names() {
            let component = component(name).unwrap().unwrap();
            let plugin = sandbox.load(component).await.unwrap();
            assert_eq!(plugin.description().name.as_str(), name);
            let judged: Vec<&str> = match plugin.kind() {
                Kind::Probe { schemes } => schemes.iter().map(String::as_str).collect(),
                Kind::Notifier => Vec::new(),
            };
            assert_eq!(judged, schemes(name), "{name}");
        }
    }
}
