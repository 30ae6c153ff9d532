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

use crate::plugins::{Demand, Loading, Plugins};

/// Which plugins a command needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those that the configuration uses, and those of the folder.
    Used,
    /// All that there are.
    All,
}

/// Starts the sandbox and loads the plugins.
pub(crate) async fn plugins(config: &Config, which: Which) -> anyhow::Result<Plugins> {
    let sandbox = sandbox(config)?;
    // Nobody changes the demand of a command that runs once.
    let (_, demand) = watch::channel(Arc::new(Demand::of(config)));
    let mut plugins = Plugins::open(sandbox, demand).await;
    let progress = tokio::spawn(show(plugins.loading()));
    match which {
        Which::Used => plugins.load_used().await,
        Which::All => plugins.load_all().await,
    }
    progress.abort();
    // It clears its line when it is dropped.
    _ = progress.await;
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

/// Says on a terminal what is waited for, where compiling takes long enough to
/// wonder.
async fn show(mut loading: watch::Receiver<Loading>) {
    let spinner = Spinner(indicatif::ProgressBar::new_spinner());
    spinner.0.enable_steady_tick(Duration::from_millis(120));
    loop {
        spinner
            .0
            .set_message(format!("loading plugins: {}", *loading.borrow_and_update()));
        if loading.changed().await.is_err() {
            return;
        }
    }
}

/// Clears its line when it is dropped.
struct Spinner(indicatif::ProgressBar);

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
