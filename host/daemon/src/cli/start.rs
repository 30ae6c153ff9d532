//! What every command that runs plugins starts with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use tokio::sync::watch;
use watchkeeper_config::Config;
use watchkeeper_egress::resolver::{Resolver, ResolverOptions};
use watchkeeper_egress::tls::Tls;
use watchkeeper_sandbox::{Sandbox, Settings};

use crate::plugins::Plugins;

/// Starts the sandbox and loads the plugins.
pub(crate) async fn plugins(config: &Config) -> anyhow::Result<Plugins> {
    let sandbox = sandbox(config)?;
    let progress = progress();
    // Nobody changes the settings of a command that runs once.
    let (_, settings) = watch::channel(Arc::clone(&config.plugins));
    let plugins = Plugins::open(sandbox, settings).await;
    progress.finish_and_clear();
    Ok(plugins)
}

/// Starts the sandbox as `config` says.
pub(crate) fn sandbox(config: &Config) -> anyhow::Result<Sandbox> {
    let roots = roots(config)?;
    let cache = std::path::absolute(config.server.data.join("cache"))
        .context("cannot tell where the data folder is")?;
    sandbox_for(
        Some(cache),
        config.network.concurrency,
        &config.network.resolver,
        roots,
        false,
    )
}

/// What looks up names and trusts certificates for the host's own downloads, as
/// `config` says.
pub(crate) fn outside(config: &Config) -> anyhow::Result<(Resolver, Tls)> {
    outside_with(&config.network.resolver, roots(config)?)
}

/// Starts a sandbox that keeps compiled plugins in `cache`, if anywhere, and says
/// where in its source a plugin breaks down, if it is to.
pub(crate) fn sandbox_for(
    cache: Option<PathBuf>,
    concurrency: usize,
    servers: &[SocketAddr],
    roots: Vec<CertificateDer<'static>>,
    backtraces: bool,
) -> anyhow::Result<Sandbox> {
    let (resolver, tls) = outside_with(servers, roots)?;
    let settings = Settings {
        cache,
        concurrency,
        resolver,
        tls,
        backtraces,
    };
    Sandbox::new(settings).context("cannot start the sandbox")
}

fn outside_with(
    servers: &[SocketAddr],
    roots: Vec<CertificateDer<'static>>,
) -> anyhow::Result<(Resolver, Tls)> {
    let options = ResolverOptions {
        servers: servers.to_vec(),
        ..ResolverOptions::default()
    };
    let resolver = Resolver::new(options).context("cannot set up name look-ups")?;
    let tls = Tls::new(roots).context("cannot set up TLS")?;
    Ok((resolver, tls))
}

/// The certificate authorities that `config` adds.
fn roots(config: &Config) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let Some(file) = &config.network.ca_file else {
        return Ok(Vec::new());
    };
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificates of {}", file.display()))
}

/// Shown where compiling takes long enough to wonder.
fn progress() -> indicatif::ProgressBar {
    let spinner = indicatif::ProgressBar::new_spinner().with_message("loading plugins");
    spinner.enable_steady_tick(Duration::from_millis(120));
    spinner
}
