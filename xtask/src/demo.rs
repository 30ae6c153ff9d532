//! `cargo xtask demo`: everything built, started and explained.

use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::plugins;
use crate::project::{Project, shown};
use crate::run::{cargo, plain, run, say};

mod children;

use children::{Children, Event, Signal};

/// How far to go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Build, start, and wait for Ctrl-C.
    Run,
    /// Build and put everything in place.
    PrepareOnly,
}

/// Where the page is.
const PAGE: SocketAddr = local(8080);

/// Where the target server answers DNS, over TCP and UDP.
const NAMES: SocketAddr = local(8053);

/// The ports that have to be free, and what listens there.
const PORTS: [(SocketAddr, &str); 6] = [
    (PAGE, "the status page"),
    (local(8081), "the target server"),
    (local(8082), "the target server's switch"),
    (local(8083), "the target server's TCP port"),
    (local(8084), "the receiver of webhooks"),
    (NAMES, "the target server's DNS port"),
];

/// The two programs of the demo.
const WATCHKEEPER: &str = "watchkeeper";
const TARGET_SERVER: &str = "target-server";

/// How long the page may take to answer: the first start compiles all plugins.
const START_LIMIT: Duration = Duration::from_mins(2);

/// How long the programs may take to end in order.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Between a program's violent end and its new start.
const RESTART_PAUSE: Duration = Duration::from_secs(1);

/// Brings the target, builds, and runs the demo in `target/demo` until Ctrl-C.
pub(crate) fn demo(project: &Project, extent: Extent) -> Result<()> {
    plugins::build(project)?;
    run(cargo(project).args([
        "build",
        "--package",
        WATCHKEEPER,
        "--package",
        TARGET_SERVER,
    ]))?;
    let folder = prepare(project)?;
    if extent == Extent::PrepareOnly {
        say(&format!("prepared in {}", shown(project, &folder)));
        return Ok(());
    }
    check_ports()?;
    let mut demo = Demo {
        project,
        watchkeeper: program(project, WATCHKEEPER)?,
        target_server: program(project, TARGET_SERVER)?,
        folder,
        children: Children::watch_signals()?,
        explained: false,
    };
    let outcome = demo.start().and_then(|()| demo.attend());
    demo.stop();
    outcome
}

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), port)
}

/// The folder of the demo with its configuration and an empty plugins folder. What is
/// there from the last time stays: the database, plugins that were dropped in, and a
/// configuration that was edited.
fn prepare(project: &Project) -> Result<PathBuf> {
    let folder = project.root.join("target").join("demo");
    let plugins = folder.join("plugins");
    fs::create_dir_all(&plugins).with_context(|| format!("cannot create {}", plugins.display()))?;

    let source = project.root.join("examples/configs/demo.toml");
    let config =
        fs::read_to_string(&source).with_context(|| format!("cannot read {}", source.display()))?;
    let place = folder.join("watchkeeper.toml");
    let original = folder.join("watchkeeper.toml.original");
    let edited = match (fs::read_to_string(&place), fs::read_to_string(&original)) {
        (Ok(there), Ok(original)) => there != original,
        _ => false,
    };
    if edited {
        say(&format!(
            "{} was edited and stays as it is",
            shown(project, &place)
        ));
    } else {
        for path in [&place, &original] {
            fs::write(path, &config).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    Ok(folder)
}

/// All that are taken at once, before anything is started.
fn check_ports() -> Result<()> {
    let mut taken = BTreeMap::new();
    for (address, what) in PORTS {
        let over_udp = || {
            (address == NAMES)
                .then(|| UdpSocket::bind(address).err())
                .flatten()
        };
        if let Some(error) = TcpListener::bind(address).err().or_else(over_udp) {
            taken.insert(address, format!("  {address} for {what}: {error}"));
        }
    }
    if taken.is_empty() {
        return Ok(());
    }
    bail!(
        "the demo needs ports that are taken:\n{}\n\
         is another demo running? `ss -ltnup` shows who listens",
        taken.into_values().collect::<Vec<_>>().join("\n")
    )
}

fn program(project: &Project, name: &str) -> Result<PathBuf> {
    let path = project.program("debug", name);
    if !path.is_file() {
        bail!(
            "{} was not built: its package has to have a program of that name",
            path.display()
        );
    }
    Ok(path)
}

struct Demo<'a> {
    project: &'a Project,
    watchkeeper: PathBuf,
    target_server: PathBuf,
    folder: PathBuf,
    children: Children,
    explained: bool,
}

impl Demo<'_> {
    fn start(&mut self) -> Result<()> {
        // It ends with this program even if this one is killed.
        let mut target_server = plain(&self.target_server);
        target_server.arg("--with-parent").stdin(Stdio::piped());
        self.children.start(TARGET_SERVER, &mut target_server)?;
        self.start_watchkeeper()
    }

    fn start_watchkeeper(&mut self) -> Result<()> {
        let mut command = self.serve();
        self.children.start(WATCHKEEPER, &mut command)
    }

    fn serve(&self) -> Command {
        let mut command = plain(&self.watchkeeper);
        command
            .current_dir(&self.folder)
            .args(["serve", "--config"])
            .arg(self.folder.join("watchkeeper.toml"))
            .stdin(Stdio::null());
        command
    }

    /// Until Ctrl-C, or until Watchkeeper ends by itself.
    fn attend(&mut self) -> Result<()> {
        const STEP: Duration = Duration::from_millis(100);
        let mut waited = Duration::ZERO;
        loop {
            // Until the page is there it is asked for at every step.
            let step = if self.explained { Duration::MAX } else { STEP };
            match self.children.next(step) {
                Some(Event::Signal) => return Ok(()),
                Some(Event::Ended {
                    name: WATCHKEEPER,
                    status,
                }) => {
                    if children::killed(status) {
                        say(&format!(
                            "watchkeeper was killed ({status}); starting it again: \
                             what it knew goes on"
                        ));
                        if self.pause(RESTART_PAUSE) == Signal::Received {
                            return Ok(());
                        }
                        self.start_watchkeeper()?;
                        if let Some(pid) = self.children.pid(WATCHKEEPER) {
                            say(&format!("watchkeeper runs again, as process {pid}"));
                        }
                    } else if status.success() {
                        say("watchkeeper ended");
                        return Ok(());
                    } else {
                        bail!("watchkeeper ended: {status}");
                    }
                }
                Some(Event::Ended { name, status }) => {
                    say(&format!(
                        "{name} ended ({status}); to start it again: {}",
                        shown(self.project, &self.target_server)
                    ));
                }
                None if self.explained => {}
                None if TcpStream::connect_timeout(&PAGE, STEP).is_ok() => {
                    self.explain();
                    self.explained = true;
                }
                None => {
                    waited += STEP;
                    if waited >= START_LIMIT {
                        bail!("no page on {PAGE} after {} s", START_LIMIT.as_secs());
                    }
                }
            }
        }
    }

    /// Signals end a pause; what else happens meanwhile is the target server's end.
    fn pause(&mut self, length: Duration) -> Signal {
        match self.children.next(length) {
            Some(Event::Signal) => Signal::Received,
            _ => Signal::None,
        }
    }

    fn explain(&self) {
        let pid = self
            .children
            .pid(WATCHKEEPER)
            .map_or_else(String::new, |pid| pid.to_string());
        let target_pid = self
            .children
            .pid(TARGET_SERVER)
            .map_or_else(String::new, |pid| pid.to_string());
        let folder = shown(self.project, &self.folder);
        println!(
            "\n\
             Status page      http://{PAGE}/\n\
             Switch faults    http://127.0.0.1:8082/control\n\
             Also             http://{PAGE}/status/text  /metrics  /readyz\n\
             \n\
             Things to try:\n  \
             - Switch the target to \"Refuse\" and watch the page turn: no reload needed.\n    \
               The webhook it sends is printed here. Switch back, and it recovers.\n  \
             - Stop the target server itself:       kill {target_pid}\n  \
             - Kill Watchkeeper during an outage:   kill -9 {pid}\n    \
               It is started again; the outage goes on where it was.\n  \
             - Drop a plugin of your own (.wasm) into {folder}/plugins: no restart needed.\n  \
             - Edit {folder}/watchkeeper.toml: it is read again when you save it.\n\
             \n\
             Ctrl-C stops everything; the data stays in {folder}/data.\n"
        );
    }

    /// Asks what still runs to end, waits, and ends it.
    fn stop(&mut self) {
        say("stopping");
        self.children.stop(STOP_LIMIT);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn project(name: &str) -> (PathBuf, Project) {
        let root = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
        fs::create_dir_all(root.join("examples/configs")).unwrap();
        (
            root.clone(),
            Project {
                target: root.join("target"),
                root,
            },
        )
    }

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
    }

    #[test]
    fn an_edited_configuration_stays_and_any_other_follows_the_example() {
        let (root, project) = project("demo");
        let example = root.join("examples/configs/demo.toml");
        write(&example, "a = 1\n");
        let folder = prepare(&project).unwrap();
        assert!(folder.join("plugins").is_dir());
        let place = folder.join("watchkeeper.toml");
        assert_eq!(fs::read_to_string(&place).unwrap(), "a = 1\n");

        write(&example, "a = 2\n");
        prepare(&project).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "a = 2\n");

        write(&place, "a = 3\n");
        write(&example, "a = 4\n");
        prepare(&project).unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "a = 3\n");
        fs::remove_dir_all(root).unwrap();
    }
}
