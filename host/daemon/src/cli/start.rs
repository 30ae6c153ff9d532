//! What every command that runs plugins starts with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use watchkeeper_config::Config;
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_egress::tls::Tls;
use watchkeeper_sandbox::{Sandbox, Settings};

use crate::plugins::Plugins;

/// Starts the sandbox and loads the plugins.
pub(crate) async fn plugins(config: &Config) -> anyhow::Result<Plugins> {
    let sandbox = sandbox(config)?;
    let progress = progress();
    let plugins = Plugins::open(sandbox, &config.plugins.folder).await;
    progress.finish_and_clear();
    Ok(plugins)
}

/// Starts the sandbox as `config` says.
pub(crate) fn sandbox(config: &Config) -> anyhow::Result<Sandbox> {
    let mut roots = Vec::new();
    if let Some(file) = &config.network.ca_file {
        let pem = CertificateDer::pem_file_iter(file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| format!("cannot read the certificates of {}", file.display()))?;
        roots = pem;
    }
    let cache = std::path::absolute(config.server.data.join("cache"))
        .context("cannot tell where the data folder is")?;
    sandbox_for(
        Some(cache),
        config.network.concurrency,
        &config.network.resolver,
        roots,
    )
}

/// Starts a sandbox that keeps compiled plugins in `cache`, if anywhere.
pub(crate) fn sandbox_for(
    cache: Option<PathBuf>,
    concurrency: usize,
    servers: &[SocketAddr],
    roots: Vec<CertificateDer<'static>>,
) -> anyhow::Result<Sandbox> {
    let options = ResolverOptions {
        servers: servers.to_vec(),
        ..ResolverOptions::default()
    };
    let resolver = Resolver::new(options).context("cannot set up name look-ups")?;
    let tls = Tls::new(roots).context("cannot set up TLS")?;
    let settings = Settings {
        cache,
        concurrency,
        resolver,
        tls,
    };
    Sandbox::new(settings).context("cannot start the sandbox")
}

/// Shown where compiling takes long enough to wonder.
fn progress() -> indicatif::ProgressBar {
    let spinner = indicatif::ProgressBar::new_spinner().with_message("loading plugins");
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}
