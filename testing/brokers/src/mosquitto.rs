//! Mosquitto.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;

use target_server::Identity;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

use crate::PATIENCE;
use crate::program::{Program, end_of, free_ports};

/// Debian's place for it, which is not in everybody's `PATH`.
const SERVER: &str = "/usr/sbin/mosquitto";
const PASSWORDS: &str = "/usr/bin/mosquitto_passwd";

/// How often a start is tried again after a port was taken by somebody else.
const TRIES: u32 = 3;

/// A listener of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Takes anybody, in the clear.
    Open,
    /// Takes the user `watch` with the password `correct-horse`, in the clear. May
    /// write and read `allowed/#` only.
    Guarded,
    /// As [`Listener::Open`], with TLS.
    Secure,
}

/// A broker with one listener of each kind.
#[derive(Debug)]
pub struct Mosquitto {
    // Killed before the folder goes.
    server: Program,
    _folder: TempDir,
    ports: [u16; 3],
}

impl Mosquitto {
    /// Whether the programs are there.
    pub fn is_installed() -> bool {
        [SERVER, PASSWORDS]
            .iter()
            .all(|program| Path::new(program).exists())
    }

    /// Starts a broker and waits until it takes connections.
    ///
    /// # Errors
    ///
    /// When it does not come up, with what it said last.
    pub async fn start(identity: &Identity) -> io::Result<Self> {
        let mut tries = 0;
        loop {
            tries += 1;
            match Self::try_start(identity).await {
                Err(error) if tries == TRIES => return Err(error),
                Err(_) => {}
                started => return started,
            }
        }
    }

    async fn try_start(identity: &Identity) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let ports = free_ports()?;
        let configuration = configure(folder.path(), ports, identity)?;
        let log = folder.path().join("server.log");
        let server = Program::start(SERVER, &log, |command| {
            command.arg("-c").arg(configuration);
        })?;
        let mut broker = Self {
            server,
            _folder: folder,
            ports,
        };
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && broker.server.runs() {
            let last = broker.address(Listener::Secure);
            if TcpStream::connect(last).await.is_ok() {
                return Ok(broker);
            }
            sleep(std::time::Duration::from_millis(20)).await;
        }
        Err(io::Error::other(format!(
            "mosquitto did not come up: {}",
            end_of(&log)
        )))
    }

    /// Where a listener listens.
    pub fn address(&self, listener: Listener) -> SocketAddr {
        let [open, guarded, secure] = self.ports;
        let port = match listener {
            Listener::Open => open,
            Listener::Guarded => guarded,
            Listener::Secure => secure,
        };
        SocketAddr::from((Ipv4Addr::LOCALHOST, port))
    }

    /// Kills the broker: from now on connections are refused.
    pub fn kill(&mut self) {
        self.server.kill();
    }
}

/// Writes the files that the broker reads, and returns the first.
fn configure(
    folder: &Path,
    [open, guarded, secure]: [u16; 3],
    identity: &Identity,
) -> io::Result<std::path::PathBuf> {
    let file = |name: &str| folder.join(name);
    fs::write(file("chain.pem"), &identity.chain_pem)?;
    fs::write(file("key.pem"), &identity.key_pem)?;
    fs::write(file("acl"), "user watch\ntopic readwrite allowed/#\n")?;
    let made = Command::new(PASSWORDS)
        .args(["-b", "-c"])
        .arg(file("passwords"))
        .args(["watch", "correct-horse"])
        .output()?;
    if !made.status.success() {
        let said = String::from_utf8_lossy(&made.stderr).into_owned();
        return Err(io::Error::other(said));
    }
    let mut settings = String::new();
    write!(
        settings,
        "per_listener_settings true\n\
         persistence false\n\
         log_dest stderr\n\
         user root\n\
         listener {open} 127.0.0.1\n\
         allow_anonymous true\n\
         listener {guarded} 127.0.0.1\n\
         allow_anonymous false\n\
         password_file {passwords}\n\
         acl_file {acl}\n\
         listener {secure} 127.0.0.1\n\
         allow_anonymous true\n\
         certfile {chain}\n\
         keyfile {key}\n",
        passwords = file("passwords").display(),
        acl = file("acl").display(),
        chain = file("chain.pem").display(),
        key = file("key.pem").display(),
    )
    .expect("a text can be written to");
    let configuration = file("mosquitto.conf");
    fs::write(&configuration, settings)?;
    Ok(configuration)
}
