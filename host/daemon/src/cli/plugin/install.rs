//! `watchkeeper plugin install` and `update`: from a source into the plugins
//! folder, with the lock kept in step.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use watchkeeper_config::Config;
use watchkeeper_config::config::MinisignKey;
use watchkeeper_sandbox::{Plugin, Sandbox};

use super::accept::{confirm, entry, show};
use crate::asking::Asking;
use crate::cli::{Exit, complain, print, start};
use crate::plugins::{self, Origin, refuse_world_writable};
use crate::source::{Client, Credentials, Fetched, LOCAL, Source};
use crate::trust::lock::{Lock, Locked, write_whole};
use crate::trust::{sha256_hex, signature, signature_path};

/// The longest password file that is read, in bytes.
const MAX_PASSWORD: u64 = 64 << 10;

#[derive(Debug, Args)]
pub(crate) struct InstallArgs {
    /// A file, an `https://` URL, or a registry's `oci://HOST/REPOSITORY:TAG`
    source: String,
    /// The SHA-256 that the component must have
    #[arg(long, value_name = "HEX")]
    sha256: Option<String>,
    #[command(flatten)]
    fetching: Fetching,
}

#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// The plugins to update; none: all that were installed
    plugins: Vec<String>,
    /// Take the one plugin named from here from now on
    #[arg(long, value_name = "SOURCE")]
    from: Option<String>,
    #[command(flatten)]
    fetching: Fetching,
}

#[derive(Debug, Args)]
struct Fetching {
    /// Accept what changes without asking
    #[arg(long)]
    yes: bool,
    /// Allow unencrypted HTTP to other hosts than this machine
    #[arg(long)]
    plain_http: bool,
    /// Who asks the registry; otherwise what `docker login` or `oras login` keep
    #[arg(long, requires = "password_file", value_name = "USER")]
    username: Option<String>,
    /// A file with the password or token, `-` for standard input
    #[arg(long, requires = "username", value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// What was fetched, checked and understood.
struct Candidate {
    fetched: Fetched,
    plugin: Plugin,
    signer: Option<MinisignKey>,
}

pub(super) async fn install(config: &Config, args: InstallArgs) -> anyhow::Result<Exit> {
    let source = match Source::parse(&args.source) {
        Ok(source) => source,
        Err(problem) => {
            complain(&format!("{problem:#}"));
            return Ok(Exit::Usage);
        }
    };
    let client = args.fetching.client(config)?;
    let sandbox = start::sandbox(config)?;
    let fetched = source.fetch(&client).await?;
    if let Some(expected) = &args.sha256 {
        let expected = expected.trim_start_matches("sha256:").to_ascii_lowercase();
        let found = sha256_hex(&fetched.bytes);
        if expected != found {
            complain(&format!(
                "{source} is not what `--sha256` names: expected sha256:{expected}, found sha256:{found}; nothing was installed"
            ));
            return Ok(Exit::Config);
        }
    }
    let candidate = match Candidate::new(config, &sandbox, fetched, &source).await? {
        Ok(candidate) => candidate,
        Err(problem) => {
            complain(&format!("{source} {problem}; nothing was installed"));
            return Ok(Exit::Config);
        }
    };
    let folder = Folder::open(config)?;
    let lock = Lock::read_or_empty(&config.plugins.lock)?;
    let name = candidate.plugin.description().name.to_string();
    let file = match lock.of_plugin(&name) {
        Some(entry) => entry.file.clone(),
        None => format!("{name}.wasm"),
    };
    let new = entry(
        &candidate.plugin,
        &file,
        &source.kept(),
        candidate.signer.as_ref(),
    );
    let old = folder.present(&sandbox, &lock, &file).await;
    show(&new, old.as_ref())?;
    // What is put there for the first time was asked for by this very command.
    if old.as_ref().is_some_and(|old| old.sha256 != new.sha256) {
        match confirm(&format!("Replace {name}?"), args.fetching.yes)? {
            Some(true) => {}
            Some(false) => {
                print("nothing was changed")?;
                return Ok(Exit::Fine);
            }
            None => return Ok(Exit::Usage),
        }
    }
    folder.put(config, lock, new, &candidate.fetched)?;
    print(&format!("installed {}", folder.path.join(&file).display()))?;
    next_steps(config, &candidate.plugin, &folder.path.join(&file))?;
    Ok(Exit::Fine)
}

pub(super) async fn update(config: &Config, args: UpdateArgs) -> anyhow::Result<Exit> {
    if args.from.is_some() && args.plugins.len() != 1 {
        complain("`--from` says where one plugin comes from: name that one");
        return Ok(Exit::Usage);
    }
    let folder = Folder::open(config)?;
    let mut lock = Lock::read_or_empty(&config.plugins.lock)?;
    let unknown = args
        .plugins
        .iter()
        .find(|name| lock.of_plugin(name).is_none());
    if let Some(name) = unknown {
        complain(&format!(
            "{} names no plugin `{name}`: install it first, or accept what lies in the folder with `watchkeeper plugin lock`",
            config.plugins.lock.display()
        ));
        return Ok(Exit::Usage);
    }
    let client = args.fetching.client(config)?;
    let sandbox = start::sandbox(config)?;
    let mut exit = Exit::Fine;
    let chosen: Vec<Locked> = lock
        .entries()
        .iter()
        .filter(|entry| args.plugins.is_empty() || args.plugins.contains(&entry.name))
        .cloned()
        .collect();
    if chosen.is_empty() {
        print("nothing was installed, so that there is nothing to update")?;
    }
    for old in chosen {
        let text = args.from.as_deref().unwrap_or(&old.source);
        if text == LOCAL {
            print(&format!(
                "{}: put there by hand; `watchkeeper plugin update {} --from SOURCE` says where it comes from",
                old.name, old.name
            ))?;
            continue;
        }
        let source = Source::parse(text)?;
        let fetched = match source.fetch(&client).await {
            Ok(fetched) => fetched,
            Err(problem) => {
                complain(&format!("{}: {problem:#}", old.name));
                exit = Exit::Internal;
                continue;
            }
        };
        if sha256_hex(&fetched.bytes) == old.sha256 && source.kept() == old.source {
            print(&format!("{} {}: up to date", old.name, old.version))?;
            continue;
        }
        let candidate = match Candidate::new(config, &sandbox, fetched, &source).await? {
            Ok(candidate) => candidate,
            Err(problem) => {
                complain(&format!(
                    "{}: {source} {problem}; nothing was changed",
                    old.name
                ));
                exit = Exit::Config;
                continue;
            }
        };
        let name = candidate.plugin.description().name.to_string();
        if name != old.name {
            complain(&format!(
                "{}: {source} is another plugin now, `{name}`; nothing was changed",
                old.name
            ));
            exit = Exit::Config;
            continue;
        }
        let new = entry(
            &candidate.plugin,
            &old.file,
            &source.kept(),
            candidate.signer.as_ref(),
        );
        show(&new, Some(&old))?;
        match confirm(&format!("Update {name}?"), args.fetching.yes)? {
            Some(true) => {}
            Some(false) => {
                print(&format!("{name}: nothing was changed"))?;
                continue;
            }
            None => return Ok(Exit::Usage),
        }
        let file = folder.path.join(&new.file);
        lock = folder.put(config, lock, new, &candidate.fetched)?;
        print(&format!("updated {}", file.display()))?;
        next_steps(config, &candidate.plugin, &file)?;
    }
    Ok(exit)
}

/// The plugins folder, held by this process alone as far as other commands go.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Its lock ends when it is dropped.
    _held: fs::File,
}

impl Folder {
    /// Makes the folder if it is not there, and waits for other commands that
    /// change it.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let path = &config.plugins.folder;
        let opened = || -> anyhow::Result<Self> {
            fs::create_dir_all(path)?;
            let path = path.canonicalize()?;
            refuse_world_writable(&path).map_err(anyhow::Error::msg)?;
            let held = fs::File::open(&path)?;
            held.lock()?;
            Ok(Self { path, _held: held })
        };
        opened().with_context(|| format!("cannot use the plugins folder {}", path.display()))
    }

    /// What lies in the folder under this name now: as the lock has it, if the
    /// lock is right.
    async fn present(&self, sandbox: &Sandbox, lock: &Lock, file: &str) -> Option<Locked> {
        let bytes = plugins::read_component(&self.path.join(file)).ok()?;
        let found = sha256_hex(&bytes);
        if let Some(entry) = lock.of_file(file).filter(|entry| entry.sha256 == found) {
            return Some(entry.clone());
        }
        match plugins::load(sandbox, bytes).await {
            Ok((plugin, _)) => Some(entry(&plugin, file, LOCAL, None)),
            // No plugin: there is nothing to compare with, and something to replace.
            Err(_) => Some(Locked {
                name: file.to_owned(),
                version: "no plugin".to_owned(),
                file: file.to_owned(),
                sha256: found,
                source: LOCAL.to_owned(),
                asks: Vec::new(),
                hosts: Vec::new(),
                signer: None,
            }),
        }
    }

    /// Puts a component and its signature there, then its entry into the lock.
    ///
    /// In this order: a running host reads a file once it looked the same on two
    /// looks, and until the lock names the new file it goes on with the old one.
    fn put(
        &self,
        config: &Config,
        mut lock: Lock,
        new: Locked,
        fetched: &Fetched,
    ) -> anyhow::Result<Lock> {
        let file = self.path.join(&new.file);
        let beside = signature_path(&file);
        match &fetched.signature {
            Some(signature) => write_whole(&beside, signature.as_bytes()),
            None => remove_if_there(&beside),
        }
        .with_context(|| format!("cannot write {}", beside.display()))?;
        write_whole(&file, &fetched.bytes)
            .with_context(|| format!("cannot write {}", file.display()))?;
        lock.put(new);
        lock.write(&config.plugins.lock)?;
        Ok(lock)
    }
}

/// Removes a file; that it is not there is as good.
pub(super) fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(problem) if problem.kind() != std::io::ErrorKind::NotFound => Err(problem),
        _ => Ok(()),
    }
}

impl Candidate {
    /// Checks the signature that the configuration demands, then loads the
    /// component; the inner error says why it is not to be accepted.
    async fn new(
        config: &Config,
        sandbox: &Sandbox,
        fetched: Fetched,
        source: &Source,
    ) -> anyhow::Result<Result<Self, String>> {
        let keys = &config.plugins.trusted_keys;
        let mut signer = None;
        if !keys.is_empty() {
            let name = match source {
                Source::File(path) => plugins::file_name(path),
                Source::Web(_) | Source::Registry(_) => "the component".to_owned(),
            };
            let signature = fetched.signature.as_deref();
            match signature::demand(keys, &name, &fetched.bytes, signature) {
                Ok(key) => signer = Some(key),
                Err(problem) => return Ok(Err(format!("is not accepted: {problem}"))),
            }
        }
        match plugins::load(sandbox, fetched.bytes.clone()).await {
            Ok((plugin, _)) => Ok(Ok(Self {
                fetched,
                plugin,
                signer,
            })),
            Err(problem) => Ok(Err(problem)),
        }
    }
}

impl Fetching {
    fn client(&self, config: &Config) -> anyhow::Result<Client> {
        let credentials = match (&self.username, &self.password_file) {
            (Some(user), Some(file)) => {
                let password = password(file)
                    .with_context(|| format!("cannot read the password in {}", file.display()))?;
                let credentials = Credentials::new(user, &password);
                Some(credentials.context("the password is empty")?)
            }
            _ => None,
        };
        Ok(Client::new(
            start::outside(config)?,
            self.plain_http,
            credentials,
        ))
    }
}

/// The first line of a file, or of standard input.
fn password(file: &Path) -> anyhow::Result<String> {
    use std::io::Read as _;

    let mut text = String::new();
    if file == Path::new("-") {
        std::io::stdin()
            .lock()
            .take(MAX_PASSWORD)
            .read_to_string(&mut text)?;
    } else {
        fs::File::open(file)?
            .take(MAX_PASSWORD)
            .read_to_string(&mut text)?;
    }
    match text.lines().next() {
        Some(line) => Ok(line.to_owned()),
        None => bail!("it is empty"),
    }
}

/// What is left to do, where something is.
fn next_steps(config: &Config, plugin: &Plugin, file: &Path) -> anyhow::Result<()> {
    let origin = Origin::File(file.to_owned());
    let asking = Asking::of(plugin.description(), &origin, &config.plugins);
    if let Some(remedy) = asking.remedy() {
        print(
            "it asks for hosts that are not granted; to grant them, write into the configuration:",
        )?;
        print(&format!("  {}", remedy.replace('\n', "\n  ")))?;
    }
    Ok(())
}
