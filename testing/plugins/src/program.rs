//! Servers that are programs of their own: found, started for one test in a folder
//! of its own, and ended with it.

use std::fs::{self, Permissions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{Instant, sleep};

use crate::ANY;

/// How long a server may take until it answers. Long, for a busy machine.
const START: Duration = Duration::from_mins(1);

/// Nobody, as on every Debian: what the tests start needs no rights.
const NOBODY: u32 = 65_534;

/// The program of that name: on the path, or where Debian keeps servers, which is
/// not on everybody's.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Whether the tests run as root, as some servers demand.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A folder for one server, which everybody may read and write: it may run as
/// another user than the test.
#[derive(Debug)]
pub struct Workplace(TempDir);

impl Workplace {
    /// An empty one; it is removed with its handle.
    ///
    /// # Panics
    ///
    /// If no folder can be made.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder can be made");
        open(folder.path(), 0o777);
        Self(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, or replaces it, for everybody to read; says where it is.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).expect("the folder can be written to");
        open(&path, 0o644);
        path
    }

    /// Makes a folder inside for everybody to write to; says where it is.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir(&path).expect("the folder can be written to");
        open(&path, 0o777);
        path
    }

    /// What the file holds, however broken; nothing where there is none.
    pub fn read(&self, name: &str) -> String {
        let content = fs::read(self.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&content).into_owned()
    }
}

impl Default for Workplace {
    fn default() -> Self {
        Self::new()
    }
}

fn open(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

/// A server that listens on a port of 127.0.0.1. It is killed with its handle.
#[derive(Debug)]
pub struct Program {
    child: Child,
    port: u16,
    workplace: Workplace,
}

impl Program {
    /// Starts what `command` makes of a free port and a folder, as nobody where the
    /// tests run as root, and waits until `is_up` says so of its address.
    ///
    /// Another process may take the port in between: what ends before it is up is
    /// started again with another.
    ///
    /// # Panics
    ///
    /// If it cannot be started or does not come up; with what it said.
    pub async fn start(
        command: impl Fn(u16, &Workplace) -> Command,
        is_up: impl Fn(SocketAddr) -> bool,
    ) -> Self {
        let deadline = Instant::now() + START;
        loop {
            let workplace = Workplace::new();
            let port = free_port();
            let mut command = command(port, &workplace);
            if is_root() {
                command.uid(NOBODY).gid(NOBODY);
            }
            let output = fs::File::create(workplace.path().join("output")).expect("ours");
            let errors = output.try_clone().expect("a handle can be copied");
            let spawned = command
                .stdin(Stdio::null())
                .stdout(output)
                .stderr(errors)
                .spawn();
            let mut program = match spawned {
                Ok(child) => Self {
                    child,
                    port,
                    workplace,
                },
                Err(error) => panic!("{command:?}: {error}"),
            };
            while !is_up(program.address()) {
                let said = program.said();
                if matches!(program.child.try_wait(), Ok(Some(_)) | Err(_)) {
                    assert!(Instant::now() < deadline, "{command:?} ended: {said}");
                    sleep(Duration::from_millis(50)).await;
                    break;
                }
                assert!(Instant::now() < deadline, "{command:?} is not up: {said}");
                sleep(Duration::from_millis(20)).await;
            }
            if matches!(program.child.try_wait(), Ok(None)) {
                return program;
            }
        }
    }

    /// Whether a connection is taken: the usual `is_up`.
    pub fn takes_connections(address: SocketAddr) -> bool {
        TcpStream::connect(address).is_ok()
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The folder that it was started with.
    pub fn workplace(&self) -> &Workplace {
        &self.workplace
    }

    /// What it wrote to its standard output and error.
    pub fn said(&self) -> String {
        self.workplace.read("output")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A port that is served by a new process for every connection, as inetd does it:
/// the connection is the process's standard input and output.
#[derive(Debug)]
pub struct Inetd {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    children: Arc<Mutex<Vec<Child>>>,
    workplace: Workplace,
}

impl Inetd {
    /// Listens on a free port and starts what `command` makes for each connection.
    ///
    /// # Panics
    ///
    /// If there is no free port.
    pub fn start(workplace: Workplace, command: impl Fn() -> Command + Send + 'static) -> Self {
        let listener = TcpListener::bind(ANY).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let stopped = Arc::new(AtomicBool::new(false));
        let children = Arc::new(Mutex::new(Vec::new()));
        let (is_stopped, started) = (Arc::clone(&stopped), Arc::clone(&children));
        thread::spawn(move || {
            for connection in listener.incoming() {
                if is_stopped.load(Ordering::Acquire) {
                    return;
                }
                let child = connection.and_then(|connection| {
                    let output = OwnedFd::from(connection.try_clone()?);
                    command()
                        .stdin(Stdio::from(OwnedFd::from(connection)))
                        .stdout(Stdio::from(output))
                        .stderr(Stdio::null())
                        .spawn()
                });
                let mut started = started.lock().unwrap_or_else(PoisonError::into_inner);
                // Those that ended are no longer waited for.
                started.retain_mut(|child: &mut Child| matches!(child.try_wait(), Ok(None)));
                started.extend(child);
            }
        });
        Self {
            address,
            stopped,
            children,
            workplace,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The folder that it was started with.
    pub fn workplace(&self) -> &Workplace {
        &self.workplace
    }
}

impl Drop for Inetd {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // One more connection wakes the thread, which then closes the port.
        drop(TcpStream::connect(self.address));
        let mut children = self.children.lock().unwrap_or_else(PoisonError::into_inner);
        children.iter_mut().for_each(end);
    }
}

fn end(child: &mut Child) {
    // It may have ended by itself.
    drop(child.kill());
    drop::<io::Result<_>>(child.wait());
}

/// A port that is free for both TCP and UDP at this moment.
fn free_port() -> u16 {
    loop {
        let listener = TcpListener::bind(ANY).expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        if std::net::UdpSocket::bind(address).is_ok() {
            return address.port();
        }
    }
}
