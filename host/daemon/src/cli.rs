//! The command line: what can be asked of the binary, and how it ends.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;
use watchkeeper_config::{Loaded, Problems};

use crate::serve;

mod announcement;
mod api;
mod channel;
mod check;
mod health;
mod import;
mod levels;
mod maintenance;
mod moving;
mod past;
mod plugin;
mod setting;
mod shell;
pub(crate) mod start;
mod store;
mod token;
mod user;

/// How the process ends, after `sysexits.h` where that has a word for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All is well.
    Fine = 0,
    /// `check`: something is sick.
    Sick = 1,
    /// `check`: something is dead.
    Dead = 2,
    /// `check`: something is unknown.
    Unknown = 3,
    /// The command line makes no sense. What `EX_USAGE` says.
    Usage = 64,
    /// The host is at fault. What `EX_SOFTWARE` says.
    Internal = 70,
    /// The configuration is at fault. What `EX_CONFIG` says.
    Config = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Uptime monitor and status page whose every check is a sandboxed WebAssembly component.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The configuration: a TOML file, or a folder of them
    #[arg(
        long,
        short,
        global = true,
        env = "WATCHKEEPER_CONFIG",
        default_value = "watchkeeper.toml"
    )]
    pub(crate) config: PathBuf,
    /// What to log: `error`, `warn`, `info`, `debug`, or `target=level,…`
    #[arg(long, global = true, env = "WATCHKEEPER_LOG", default_value = "info")]
    log: String,
    /// Print JSON: results on standard output, log lines on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the monitor and its status page
    Serve,
    /// Check monitors once and print what was found: exits with 0 if all are healthy, 1 if one is
    /// sick, 2 if one is dead, 3 if one is unknown
    Check {
        /// `service/monitor`; none: all
        monitors: Vec<String>,
    },
    /// Say how a `manual` monitor is, on the server that runs
    Set(health::Set),
    /// Incidents, on the server that runs
    #[command(subcommand)]
    Incident(past::IncidentCommand),
    /// Maintenances, on the server that runs
    #[command(subcommand)]
    Maintenance(maintenance::MaintenanceCommand),
    /// Announcements, on the server that runs
    #[command(subcommand)]
    Announcement(announcement::AnnouncementCommand),
    /// What was told to whom, on the server that runs
    Deliveries(past::Deliveries),
    /// How well promises are kept, on the server that runs
    Sla(levels::Sla),
    /// Broken promises, on the server that runs
    #[command(subcommand)]
    Breach(levels::BreachCommand),
    /// Who may use the API
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Who may sign in
    #[command(subcommand)]
    User(user::UserCommand),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Channels
    #[command(subcommand)]
    Channel(channel::ChannelCommand),
    /// Plugins
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Print what completes this command line in a shell
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write the pages of the manual into a folder
    #[command(hide = true)]
    Man {
        /// The folder; made where it is missing
        folder: PathBuf,
    },
    /// The databases of the data folder
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Print what was made through the API of the server that runs, without secrets
    Export(moving::Export),
    /// Take over what `export` printed, on the server that runs: all of it or nothing
    Import(moving::Import),
    /// Copy the databases into a folder, while the host runs or not: as `store backup`
    Backup {
        /// The folder, made where it is missing; a backup in it is never replaced
        path: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Read the configuration and name every mistake, those against the plugins' schemas included
    Check,
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Make a configuration out of another system's, and say what is different
    Import(import::Import),
}

impl Cli {
    /// Does what was asked.
    pub(crate) fn run(self) -> ExitCode {
        if let Err(problem) = start_log(&self.global) {
            complain(&format!("--log: {problem}"));
            return Exit::Usage.into();
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(problem) => {
                complain(&format!("cannot start: {problem}"));
                return Exit::Internal.into();
            }
        };
        let ended = runtime.block_on(self.command.run(&self.global));
        match ended {
            Ok(exit) => exit.into(),
            Err(problem) => {
                complain(&format!("{problem:#}"));
                Exit::Internal.into()
            }
        }
    }
}

/// Answers a command line that asks for help, or makes no sense.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    // There is nobody left to tell if the terminal is closed.
    _ = error.print();
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Fine.into()
    }
}

impl Command {
    async fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Serve => match read_config(&global.config) {
                Ok(loaded) => serve::serve(&global.config, loaded).await,
                Err(exit) => Ok(exit),
            },
            Self::Check { monitors } => match read_config(&global.config) {
                Ok(loaded) => check::check(&loaded.config, &monitors, global.json).await,
                Err(exit) => Ok(exit),
            },
            Self::Config(ConfigCommand::Check) => match read_config(&global.config) {
                Ok(loaded) => check::config(&loaded.config, &global.config).await,
                Err(exit) => Ok(exit),
            },
            Self::Config(ConfigCommand::Schema) => {
                print(&serde_json::to_string_pretty(&watchkeeper_config::schema())?)?;
                Ok(Exit::Fine)
            }
            Self::Set(set) => set.run(global).await,
            Self::Incident(command) => command.run(global).await,
            Self::Maintenance(command) => command.run(global).await,
            Self::Announcement(command) => command.run(global).await,
            Self::Deliveries(deliveries) => deliveries.run(global).await,
            Self::Sla(sla) => sla.run(global).await,
            Self::Breach(command) => command.run(global).await,
            Self::Token(command) => match read_config(&global.config) {
                Ok(loaded) => command.run(&loaded.config, global.json),
                Err(exit) => Ok(exit),
            },
            Self::Config(ConfigCommand::Import(command)) => command.run(global.json),
            Self::Completions { shell } => shell::completions(shell),
            Self::Man { folder } => shell::man(&folder),
            Self::User(command) => match read_config(&global.config) {
                Ok(loaded) => command.run(&loaded.config, global.json),
                Err(exit) => Ok(exit),
            },
            Self::Channel(command) => match read_config(&global.config) {
                Ok(loaded) => command.run(&loaded.config, global.json).await,
                Err(exit) => Ok(exit),
            },
            Self::Plugin(command) => command.run(global).await,
            Self::Export(export) => export.run(global).await,
            Self::Import(import) => import.run(global).await,
            Self::Backup { path } => match read_config(&global.config) {
                Ok(loaded) => {
                    let command = store::StoreCommand::Backup { path };
                    command.run(&loaded.config).await
                }
                Err(exit) => Ok(exit),
            },
            Self::Store(command) => match read_config(&global.config) {
                Ok(loaded) => command.run(&loaded.config).await,
                Err(exit) => Ok(exit),
            },
        }
    }
}

/// Reads the configuration, or says what is wrong with it and how to end.
fn read_config(path: &Path) -> Result<Loaded, Exit> {
    watchkeeper_config::load(path, &|name| std::env::var(name).ok()).map_err(|problems| {
        complain_of_config(&problems);
        Exit::Config
    })
}

/// Names every mistake of a configuration.
pub(crate) fn complain_of_config(problems: &Problems) {
    complain(problems.to_string().trim_end());
}

/// Says what is wrong, on standard error.
pub(crate) fn complain(text: &str) {
    // There is nobody left to tell if standard error is closed.
    _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints a result. A reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Whether to colour what is written to standard output.
pub(crate) fn colours() -> bool {
    std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn start_log(global: &Global) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(&global.log)?;
    let coloured = std::io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(coloured);
    if global.json {
        log.json().init();
    } else {
        log.with_target(false).init();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
